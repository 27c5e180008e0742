"""A life on a machine of its own: the instance's very user data under systemd-nspawn, with real cloud-init."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from standins.aws import Instance
from standins.cloud import Cloud, Life
from standins.machine import Machine
from standins.machine.root import RELEASES


def booted(
    runner_in_image: str | None = None,
    *,
    release: str = RELEASES[0],
    image: Callable[[Path], None] | None = None,
) -> Callable[[Cloud, Instance], Life]:
    """`runner_in_image` is the folder of a runner that published images have; without it the runner is downloaded.
    `image` changes them otherwise."""
    return lambda cloud, instance: Booted(cloud, instance, runner_in_image, release, image)


def with_docker(layer: Path) -> None:
    """For an image that is baked: machines here have no package sources, from which a bake would install Docker."""
    program = layer / "usr/local/bin/docker"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho docker\n")
    program.chmod(0o755)


class Booted:
    def __init__(
        self,
        cloud: Cloud,
        instance: Instance,
        runner_in_image: str | None,
        release: str = RELEASES[0],
        image: Callable[[Path], None] | None = None,
    ) -> None:
        self._cloud = cloud
        self._instance = instance
        self._ended_by_ec2 = False
        layers = self._baked()
        self.machine = Machine(
            instance.user_data,
            name=instance.id,
            metadata={
                "ami-id": instance.request["ImageId"],
                "instance-life-cycle": instance.market,
                "instance-type": instance.type,
                "placement": {"availability-zone": instance.zone, "region": instance.region},
            },
            runner_in_image=None if layers else runner_in_image,
            release=release,
            image=None if layers else image,
            layers=layers,
            forward=[cloud.github.port],
            on_exit=self._ended,
        )

    def _baked(self) -> Sequence[Path]:
        """Of an image that was made of another instance: what that one's disk had, and what it wrote to it."""
        source = self._cloud.ec2.made_of(self._instance.request["ImageId"])
        life = self._cloud.lives[source] if source else None
        return [life.machine.written, *life.machine.layers] if isinstance(life, Booted) else []

    def begin(self) -> None:
        self.machine.start()

    def kill(self) -> None:
        self._ended_by_ec2 = True
        self.machine.kill()

    def _ended(self, _machine: Machine) -> None:
        if not self._ended_by_ec2:
            self._cloud.powered_off(self._instance.id)
