"""From a process's start to its decisive call with TLS and a distance, in round trips: the same on any machine."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench import yardstick
from bench.listening import launched, listener, name
from bench.peers import Peer, peers
from bench.table import Row
from bench.world import ANYTHING, LAUNCH, Set, World
from standins.abroad import carried
from standins.cloud import Behaves, simulated
from standins.gate import Gate
from standins.images import ImageIndex
from standins.oidc import AUDIENCE, Oidc, trust

DISTANCES = (0.05, 0.1, 0.2)
REACH = 3.7
"""Connect, handshake and request are 3; half a round trip to EC2, whose connection is open by then, makes it 3.5."""
SIGNING_IN = 4.7
SPOT = {**LAUNCH, "image": "ubuntu-24.04", "spot": "auto"}


@contextmanager
def abroad(
    ready: Set, distance: float, folder: Path, others: Mapping[str, str] | None = None
) -> Iterator[tuple[dict[str, str], float]]:
    """The variables that name everybody behind TLS and that distance, each at its own host; `others` by their URLs.

    And what a round trip takes there: more than the distance, for stand-ins and relay need some of this machine.
    """
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        # The servers are threads of this process: one that composes an answer would keep another's back for 5 ms.
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(0.0001)
        index = ImageIndex()
        stack.callback(index.close)
        urls = {
            "GITHUB_API_URL": ready.github.url,
            "AWS_ENDPOINT_URL_EC2": ready.ec2.url,
            "SPRINTERS_IMAGE_INDEX_URL": index.url,
            **(others or {}),
        }
        near = {name: urlsplit(url) for name, url in urls.items()}
        ports, certificates = stack.enter_context(carried([url.port or 0 for url in near.values()], distance, folder))
        away = {
            "NODE_EXTRA_CA_CERTS": str(certificates),
            "AWS_CA_BUNDLE": str(certificates),
            **{
                name: url._replace(scheme="https", netloc=f"localhost:{port}").geturl()
                for (name, url), port in zip(near.items(), ports, strict=True)
            },
        }
        yield away, yardstick.round_trip(ports[0], certificates)


@dataclass
class Trips:
    """Measured times of one thing, in round trips."""

    what: str
    reach: float | None = None
    by_distance: dict[float, list[float]] = field(default_factory=dict)

    def add(self, distance: float, ratio: float) -> None:
        self.by_distance.setdefault(distance, []).append(ratio)

    def row(self) -> Row:
        medians = {distance: statistics.median(ratios) for distance, ratios in self.by_distance.items()}
        measured = ", ".join(f"{ratio:.2f} at {distance * 1000:.0f} ms" for distance, ratio in medians.items())
        if self.reach is None:
            return Row(f"  {self.what}", "", measured, None)
        # Each distance counts: the nearest shows what a process needs of its own.
        return Row(self.what, f"≤ {self.reach} round trips", measured, max(medians.values()) <= self.reach)


def round_trips(world: World) -> list[Row]:
    """round trips to the first decisive call, with TLS and 50, 100 and 200 ms"""
    explicit = Trips("start → RunInstances arrives, explicit AMI", REACH)
    spot = Trips("start → RunInstances arrives, `spot: auto`", REACH)
    stop = Trips("stop → TerminateInstances arrives", REACH)
    bare = Trips("a round trip (a request by Python's own client, on an open connection), as multiple of the distance")
    theirs = {peer.name: (peer, Trips(peer.name)) for peer in peers()[0]}
    with world.set(simulated(Behaves(online_after=0.05)), ANYTHING) as ready:
        near = dict(ready.step.environment)
        minted, found = [(ready.github.gate, "generate-jitconfig")], [(ready.ec2.gate, "DescribeInstances")]
        priced = [*minted, (ready.ec2.gate, "DescribeSpotPriceHistory")]
        for distance in DISTANCES:
            folder = world.folder / f"abroad-{distance}"
            with abroad(ready, distance, folder) as (far, trip):
                bare.add(distance, trip / distance)
                for number in range(world.times(10)):
                    # Each run finds an empty tool directory: what an earlier one kept there is no round trip any more.
                    empty = {"RUNNER_TOOL_CACHE": str(folder / f"tools-{number}")}
                    ready.step.environment = near | far | empty
                    explicit.add(distance, arrival(ready, "RunInstances", "start", minted, **LAUNCH) / trip)
                    spot.add(distance, arrival(ready, "RunInstances", "start", priced, **SPOT) / trip)
                    stop.add(distance, arrival(ready, "TerminateInstances", "stop", found) / trip)
                    if number < 3:
                        for peer, trips in theirs.values():
                            trips.add(distance, beside(peer, ready, near, far) / trip)
            ready.step.environment = near
    peers_rows = [trips.row() for _, trips in theirs.values()]
    return [explicit.row(), spot.row(), *peers_rows, stop.row(), bare.row(), listening(world)]


def signing_in(world: World) -> list[Row]:
    """round trips to RunInstances where a start signs in first: through an App, and by OIDC"""
    with world.set(simulated(Behaves(online_after=0.05)), ANYTHING) as ready:
        repository = ready.step.environment["GITHUB_REPOSITORY"]
        app = ready.github.add_app({"administration": "write", "metadata": "read"}, f"repos/{repository}")
        oidc = Oidc(f"repo:{repository}:ref:refs/heads/main")
        ready.ec2.trust_provider(oidc.issuer, [AUDIENCE], oidc.public_key)
        role = ready.ec2.create_role(trust(oidc, oidc.subject), ANYTHING)
        github = ready.github.gate
        [installation] = app.installations.values()
        key: dict[str, object] = {"github-token": None, "github-app-id": app.id, "github-app-private-key": app.pem()}
        through_app = "start → RunInstances arrives, through a GitHub App"
        minted = [(github, "create-installation-token"), (github, "generate-jitconfig")]
        ways: tuple[tuple[Trips, list[tuple[Gate, str]], dict[str, object]], ...] = (
            (Trips(through_app, SIGNING_IN), minted, {**key, "github-app-installation-id": installation}),
            (
                Trips("the same where the App's installation is looked up"),
                [(github, "get-installation"), *minted],
                key,
            ),
            (
                Trips("start → RunInstances arrives, a role by OIDC", SIGNING_IN),
                [(oidc.gate, "oidc-token"), (ready.ec2.gate, "AssumeRoleWithWebIdentity")],
                {"aws-access-key-id": None, "aws-secret-access-key": None, "aws-role-arn": role},
            ),
        )
        near = dict(ready.step.environment)
        others = {"AWS_ENDPOINT_URL_STS": ready.ec2.url, **oidc.environment}
        request_token = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": others.pop("ACTIONS_ID_TOKEN_REQUEST_TOKEN")}
        for distance in DISTANCES:
            folder = world.folder / f"signing-in-{distance}"
            with abroad(ready, distance, folder, others) as (far, trip):
                for number in range(world.times(10)):
                    empty = {"RUNNER_TOOL_CACHE": str(folder / f"tools-{number}")}
                    ready.step.environment = near | far | request_token | empty
                    for trips, signed_in, inputs in ways:
                        seconds = arrival(ready, "RunInstances", "start", signed_in, **LAUNCH, **inputs)
                        trips.add(distance, seconds / trip)
                        arrival(ready, "TerminateInstances", "stop", [], **inputs)
            ready.step.environment = near
        oidc.close()
    return [trips.row() for trips, _, _ in ways]


def arrival(ready: Set, operation: str, mode: str, waits_for: Sequence[tuple[Gate, str]], **inputs: object) -> float:
    """Seconds from the program's start until the first call of that operation arrives.

    While the stand-ins answer the calls that it waits for, time does not count: moto needs more than many a round trip.
    """
    before = len(ready.ec2.gate.calls(operation))
    run = ready.step.run(mode, **inputs)
    assert run.code == 0, run.log
    arrived = ready.ec2.gate.calls(operation)[before].request.arrived
    answering = [
        (one.request.arrived, one.answered)
        for gate, name in waits_for
        for one in gate.calls(name)
        if run.began < one.request.arrived and one.answered < arrived
    ]
    return arrived - run.began - covered(answering)


def covered(spans: list[tuple[float, float]]) -> float:
    """How much time these spans are together; where two overlap, it counts once."""
    total, until = 0.0, 0.0
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def beside(peer: Peer, ready: Set, near: dict[str, str], far: dict[str, str]) -> float:
    """The same for a peer, which finds its stand-ins there, too; what it is prepared with is asked for nearby."""
    away, ready.step.environment = ready.step.environment, near
    environment = peer.environment(ready) | far
    try:
        return peer.to_run_instances(ready, environment)
    finally:
        ready.step.environment = away


def listening(world: World) -> Row:
    """A listener's connections are open, so that each call takes one round trip; the first job is left out."""
    trips = Trips("a job is queued → RunInstances arrives, listening", REACH)
    for distance in DISTANCES:
        with (
            world.crowd(distance, job_takes=0.0) as (crowd, github, step),
            listener(crowd, github, step, most=100),
        ):
            for number in range(1 + world.times(10)):
                time.sleep(0.5)
                queued = time.monotonic()
                job = github.queue_job(name(0), repository=step.environment["GITHUB_REPOSITORY"])
                github.runners.wait(lambda job=job: job.is_over, 60, "the job's end")
                if number:
                    trips.add(distance, (launched(crowd, number) - queued) / distance)
    return trips.row()
