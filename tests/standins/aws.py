"""EC2 with IAM enforced: one moto process for many tests, and for each of them an `Ec2` of its own.

with Moto() as moto, Ec2(moto) as ec2:
    ec2.url, ec2.access_key_id, ec2.secret_access_key   # for the binary
    ec2.gate.fail("RunInstances", ec2_error("InsufficientInstanceCapacity", status=500))
    ec2.instances()
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from standins.proxy import Behaviour, Proxy

ACCOUNT_ID = "123456789012"
REGION = "eu-central-1"
PLAIN_SIX = (
    "ec2:RunInstances",
    "ec2:CreateTags",
    "ec2:DescribeInstances",
    "ec2:ModifyVolume",
    "ec2:TerminateInstances",
    "ec2:DescribeSpotPriceHistory",
)
TESTS = Path(__file__).resolve().parents[1]


def policy(name: str, region: str = REGION) -> dict[str, Any]:
    """A documented policy (`plain_six`, `published_role`, `tight`), for the stand-in's account and `region`."""
    text = (TESTS / "standins" / "policies" / f"{name}.json").read_text()
    return json.loads(text.replace("111122223333", ACCOUNT_ID).replace("us-east-1", region))


def policy_without(action: str) -> dict[str, Any]:
    """The plain policy less one of its six actions."""
    actions = [kept for kept in PLAIN_SIX if kept != action]
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


def policy_with(*actions: str) -> dict[str, Any]:
    """The plain policy and some actions more."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [*PLAIN_SIX, *actions], "Resource": "*"}],
    }


class Moto:
    """The process. Starting it takes about two seconds, so tests share one."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "standins.ec2"],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A Ctrl-C at the terminal is the story's to handle; moto ends when its standard input does.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"moto did not start: exit code {self._process.wait()}, see its output above")
        self.port: int = json.loads(line)["port"]

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", f"/_standins/{path}", json.dumps(body or {}))
            reply = connection.getresponse()
            content = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise LookupError(f"{path}: {content}")
        return content

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Moto:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Instance:
    """An instance as moto holds it, with the very request that launched it."""

    id: str
    account: str
    """The access key whose user launched it: each `Ec2` is an account of its own."""
    region: str
    zone: str
    type: str
    state: str
    state_reason: str
    market: str
    tags: dict[str, str]
    volumes: list[dict[str, Any]]
    request: dict[str, str]

    @property
    def user_data(self) -> bytes:
        return base64.b64decode(self.request.get("UserData", ""))

    @property
    def lives(self) -> bool:
        return self.state in ("pending", "running", "stopping", "stopped")


class Ec2:
    """One user with exactly `policies`, and one proxy, before the shared moto."""

    def __init__(
        self,
        moto: Moto,
        *policies: str | Mapping[str, Any],
        behaviour: Behaviour | None = None,
    ) -> None:
        self._moto = moto
        documents = [policy(one) if isinstance(one, str) else one for one in policies or ("plain_six",)]
        user = moto.control("users", {"policies": documents})
        self.access_key_id: str = user["access_key_id"]
        self.secret_access_key: str = user["secret_access_key"]
        self.proxy = Proxy(moto.port, self.access_key_id, behaviour)
        self.gate = self.proxy.gate
        self.url = self.proxy.url
        self.region = REGION
        self._roles: list[str] = []

    @property
    def behaviour(self) -> Behaviour:
        return self.proxy.behaviour

    def instances(self) -> list[Instance]:
        """Every instance that was launched through this proxy, dead ones and those whose answers were lost too."""
        return [Instance(**one) for one in self._moto.control("instances", {"account": self.access_key_id})]

    def living(self) -> list[Instance]:
        return [one for one in self.instances() if one.lives]

    def instance(self, instance_id: str) -> Instance:
        return next(one for one in self.instances() if one.id == instance_id)

    def power_off(
        self,
        instance_id: str,
        code: str = "Client.InstanceInitiatedShutdown",
        message: str = "Instance initiated shutdown",
        transition_reason: str | None = None,
    ) -> None:
        """The instance ends without TerminateInstances: by its own power-off, or by AWS (`code` tells).

        `transition_reason` replaces what EC2 says, where it says when the instance ended.
        """
        body = {"code": code, "message": message, "transition_reason": transition_reason}
        self._moto.control(f"instances/{instance_id}/power-off", body)

    def made_images(self, repository: str) -> list[dict[str, Any]]:
        """The images and snapshots that were made for a repository, pending ones too, the oldest first."""
        found = self._moto.control("images")
        return [one for one in found if one["tags"].get("sprinters:repository") == repository]

    def made_of(self, image_id: str) -> str | None:
        """The instance that an image was made of; `None` for an image that was published."""
        found = (one["instance"] for one in self._moto.control("images") if one["id"] == image_id)
        return next(found, None)

    def tag(self, instance_id: str, key: str, value: str) -> None:
        """Sets a tag with nobody's permission, as time and other people do."""
        self._moto.control(f"instances/{instance_id}/tags", {key: value})

    def protect(self, instance_id: str, *, on: bool = True) -> None:
        """Termination protection, which somebody has switched on, or off again."""
        self._moto.control(f"instances/{instance_id}/protection", {"on": on})

    def forget(self) -> None:
        """Drops this account's instances, where thousands of tests share one moto."""
        self._moto.control(f"accounts/{self.access_key_id}/forget")

    def create_role(self, trust: Mapping[str, Any], *policies: str | Mapping[str, Any]) -> str:
        """A role with these policies (plain_six without any); answers its ARN."""
        documents = [policy(one) if isinstance(one, str) else one for one in policies or ("plain_six",)]
        name = f"role-{self.access_key_id}-{len(self._roles)}"
        self._roles.append(name)
        return self._moto.control(f"roles/{name}", {"trust": dict(trust), "policies": documents})["arn"]

    def trust_provider(self, issuer: str, audiences: list[str], public_key: str) -> str:
        """The account knows this OIDC identity provider from now on; answers its ARN."""
        body = {"issuer": issuer, "audiences": audiences, "public_key": public_key}
        return self._moto.control("oidc-providers", body)["arn"]

    def create_instance_profile(self, name: str) -> dict[str, str]:
        """Answers the ARNs of the `role` and of the `profile`."""
        return self._moto.control(f"instance-profiles/{name}")

    def create_launch_template(self, name: str, **data: Any) -> str:
        """Answers its id."""
        return self._moto.control(f"launch-templates/{name}", {"region": self.region, **data})["id"]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_EC2": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
        }

    @property
    def secrets(self) -> list[str]:
        sessions = [secret for role in self._roles for secret in self._moto.control(f"roles/{role}/sessions")]
        return [self.secret_access_key, *sessions]

    def close(self) -> None:
        self.proxy.close()

    def __enter__(self) -> Ec2:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
