"""A life on a machine of its own: the instance's very user data under systemd-nspawn, with real cloud-init."""

from __future__ import annotations

from collections.abc import Callable

from standins.aws import Instance
from standins.cloud import Cloud, Life
from standins.machine import Machine


def booted(runner_in_image: str | None = None) -> Callable[[Cloud, Instance], Life]:
    """`runner_in_image` is the folder of a runner that the image has; without it the runner is downloaded."""
    return lambda cloud, instance: Booted(cloud, instance, runner_in_image)


class Booted:
    def __init__(self, cloud: Cloud, instance: Instance, runner_in_image: str | None) -> None:
        self._cloud = cloud
        self._instance = instance
        self._ended_by_ec2 = False
        self.machine = Machine(
            instance.user_data,
            name=instance.id,
            metadata={
                "ami-id": instance.request["ImageId"],
                "instance-life-cycle": instance.market,
                "instance-type": instance.type,
                "placement": {"availability-zone": instance.zone, "region": instance.region},
            },
            runner_in_image=runner_in_image,
            forward=[cloud.github.port],
            on_exit=self._ended,
        )

    def begin(self) -> None:
        self.machine.start()

    def kill(self) -> None:
        self._ended_by_ec2 = True
        self.machine.kill()

    def _ended(self, _machine: Machine) -> None:
        if not self._ended_by_ec2:
            self._cloud.powered_off(self._instance.id)
