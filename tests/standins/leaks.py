"""Looks for secrets in every place that somebody else could read."""

from __future__ import annotations

from collections.abc import Iterator

from standins.aws import Ec2
from standins.github import GitHub
from standins.program import Program, Running

CARRIERS = {"UserData", "WebIdentityToken"}
"""The JIT config has to reach the instance, and GitHub's OIDC token has to reach AWS."""


def leaks(program: Program, ec2: Ec2, github: GitHub) -> list[str]:
    """Every place, in words, where a token, a key or a JIT config (or what stands in it) can be read."""
    secrets = [*ec2.secrets, *github.secrets]
    places = [
        *(place for running in program.runs for place in written(running)),
        *asked_of_ec2(ec2),
        *asked_of_github(github),
    ]
    return [f"{shown(secret)} can be read in {place}" for place, text in places for secret in secrets if secret in text]


def written(running: Running) -> Iterator[tuple[str, str]]:
    """What a run printed, wrote and was started with. The mask commands are the one place where secrets belong."""
    name = running.folder.name
    for file in sorted(running.folder.iterdir()):
        if file.is_file():
            lines = file.read_text(errors="replace").splitlines()
            kept = [line for line in lines if file.name != "stdout" or not line.startswith("::add-mask::")]
            yield f"{name}'s {file.name}", "\n".join(kept)
    yield f"{name}'s arguments", "\n".join(running.arguments)


def asked_of_ec2(ec2: Ec2) -> Iterator[tuple[str, str]]:
    """Every parameter but those that carry a secret by design; tags above all."""
    for exchange in ec2.gate.exchanges:
        for parameter, value in exchange.request.form.items():
            if parameter not in CARRIERS:
                yield f"{exchange.operation}'s parameter {parameter}", value


def asked_of_github(github: GitHub) -> Iterator[tuple[str, str]]:
    for exchange in github.gate.exchanges:
        if not exchange.operation.startswith("runner:"):
            yield f"{exchange.operation}'s address", exchange.request.target
            yield f"{exchange.operation}'s body", exchange.request.body.decode("utf-8", "replace")


def shown(secret: str) -> str:
    return f"the secret that begins with {secret[:6]}…"
