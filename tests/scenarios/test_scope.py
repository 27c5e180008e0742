"""Runners of an organization or an enterprise: registered there, found there, and nobody else's touched."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from standins import images
from standins.aws import Ec2
from standins.github import GitHub, Kind, Runner
from standins.program import Program

LAUNCH = {"image": images.OWN_X64, "instance-type": "m7i.large"}
SCOPES = {"orgs/octo": ("org", Kind.ORGANIZATION), "enterprises/acme": ("enterprise/acme", Kind.ENTERPRISE)}


@pytest.fixture(params=list(SCOPES))
def place(request: pytest.FixtureRequest) -> str:
    """The first part of the endpoints' path."""
    return request.param


@pytest.fixture
def shared(sprinters: Program, github: GitHub, place: str) -> Program:
    """The binary, told to register there, with a token that may."""
    scope, kind = SCOPES[place]
    sprinters.inputs |= {"scope": scope, "github-token": github.add_token(kind).value}
    return sprinters


def beside(github: GitHub, place: str, name: str) -> Runner:
    """Somebody else's runner in the same place, offline."""
    runner = github.runners.register(place, name, ["theirs"], 1)
    assert runner
    return runner


def test_start_registers_there_and_stop_ends_it(
    shared: Program, ec2: Ec2, github: GitHub, place: str, left_behind: Callable[[], list[str]]
) -> None:
    run = shared.run("start", **LAUNCH)

    assert run.code == 0, run.log
    [record] = github.records()
    assert (record.scope, record.runner_group_id) == (place, 1)
    [instance] = ec2.living()
    assert instance.tags["sprinters:scope"] == place
    paths = {exchange.request.path.split("/actions/")[0] for exchange in github.gate.exchanges}
    assert {path for path in paths if not path.startswith(("/_runner", "/_downloads"))} == {f"/{place}"}
    assert "list-downloads" in github.gate.operations()

    run = shared.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()


def test_a_start_that_fails_leaves_nothing_there(
    shared: Program, behaves: object, left_behind: Callable[[], list[str]]
) -> None:
    behaves.online_after = None  # type: ignore[attr-defined]
    run = shared.run("start", **LAUNCH, **{"start-timeout": "3s"})

    assert run.code == 1
    assert not left_behind()


def test_stop_leaves_the_runners_of_others_alone(shared: Program, github: GitHub, place: str) -> None:
    assert shared.run("start", **LAUNCH).code == 0
    [ours] = github.records()
    # A run of the same number, as another server's or a terminal's would have it, of another repository.
    stranger = beside(github, place, ours.name[:-6] + "zzzzzz")
    beside(github, place, "build-box-7")

    run = shared.run("stop")

    assert run.code == 0, run.log
    assert sorted(record.name for record in github.records()) == sorted([stranger.name, "build-box-7"])


def aged(name: str, hours: float) -> str:
    """The name of a runner of ours as it would be if it had been launched so long ago."""
    digits, seconds, stamp = "0123456789abcdefghijklmnopqrstuvwxyz", int(time.time() - hours * 3600), ""
    for _ in range(6):
        stamp, seconds = digits[seconds % 36] + stamp, seconds // 36
    start, launched, end = name.rsplit("-", 2)
    return f"{start}-{stamp}{launched[6:]}-{end}"


def test_sweep_deletes_this_repositorys_old_records_alone(shared: Program, github: GitHub, place: str) -> None:
    assert shared.run("start", **LAUNCH).code == 0
    [living] = github.records()
    old = beside(github, place, aged(living.name, hours=30))
    stranger = beside(github, place, old.name[:-6] + "zzzzzz")
    beside(github, place, "build-box-7")

    run = shared.run("sweep")

    assert run.code == 0, run.log
    left = {record.name for record in github.records()}
    assert left == {living.name, stranger.name, "build-box-7"}


def test_stop_without_the_scope_ends_the_instance_and_touches_no_record_of_that_number(
    sprinters: Program, ec2: Ec2, github: GitHub
) -> None:
    token = github.add_token(Kind.ORGANIZATION).value
    run = sprinters.run("start", **LAUNCH, **{"scope": "org", "github-token": token})
    assert run.code == 0, run.log

    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not ec2.living()
    assert len(github.records(scope="orgs/octo")) == 1
    assert "::warning" in run.stdout and "`scope`" in run.stdout


def test_sweep_without_the_scope_ends_nothing(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    token = github.add_token(Kind.ORGANIZATION).value
    assert sprinters.run("start", **LAUNCH, **{"scope": "org", "github-token": token}).code == 0
    [instance] = ec2.living()
    ec2.tag(instance.id, "sprinters:expires", "2026-01-01T00:00:00Z")

    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert [one.id for one in ec2.living()] == [instance.id], "whether it is busy is not known here"
    assert f"the runner of `{instance.id}` registered at `orgs/octo`" in run.stdout


def test_a_group_is_found_by_its_name(shared: Program, github: GitHub, place: str) -> None:
    for number in range(120):
        github.add_group(place, f"group {number}")
    large = github.add_group(
        place, "Large ones", open_to=("octo", shared.environment["GITHUB_REPOSITORY"].split("/")[1])
    )

    run = shared.run("start", **LAUNCH, **{"runner-group": "large ones"})

    assert run.code == 0, run.log
    assert [record.runner_group_id for record in github.records()] == [large.id]


def test_a_group_by_number_is_asked_nobody_about(shared: Program, github: GitHub, place: str) -> None:
    large = github.add_group(place, "Large ones")

    run = shared.run("start", **LAUNCH, **{"runner-group": str(large.id)})

    assert run.code == 0, run.log
    assert "list-runner-groups" not in github.gate.operations()
    assert [record.runner_group_id for record in github.records()] == [large.id]


@pytest.mark.parametrize("mode", ["start", "check"])
def test_a_group_that_is_closed_or_missing_is_told_before_anything_is_launched(
    shared: Program, ec2: Ec2, github: GitHub, place: str, mode: str
) -> None:
    github.add_group(place, "Large ones", open_to=("somebody-else",))

    closed = shared.run(mode, **LAUNCH, **{"runner-group": "Large ones"})
    missing = shared.run(mode, **LAUNCH, **{"runner-group": "Large one"})

    assert (closed.code, missing.code) == (1, 1)
    assert "is closed to" in closed.log
    assert "did you mean `Large ones`?" in missing.log
    assert not ec2.instances() and not github.records()


@pytest.mark.parametrize("mode", ["start", "check"])
@pytest.mark.parametrize(
    ("scope", "kind", "remedy"),
    [
        ("org", Kind.WRITE, "organization_self_hosted_runners: write"),
        ("org", Kind.GITHUB_TOKEN, "organization_self_hosted_runners: write"),
        ("org", Kind.NO_ACCESS, "the token cannot see organization `octo`"),
        ("enterprise/acme", Kind.WRITE, "manage_runners:enterprise"),
        ("enterprise/acme", Kind.NO_ACCESS, "the token cannot see enterprise `acme`"),
        ("repo", Kind.ORGANIZATION, "Administration: Read and write"),
    ],
)
def test_the_missing_permission_is_named(
    sprinters: Program, ec2: Ec2, github: GitHub, mode: str, scope: str, kind: Kind, remedy: str
) -> None:
    run = sprinters.run(mode, **LAUNCH, **{"scope": scope, "github-token": github.add_token(kind).value})

    assert run.code == 1
    assert remedy in run.log
    assert not ec2.instances()


def test_check_proves_the_right_where_runners_register(shared: Program, github: GitHub, place: str) -> None:
    run = shared.run("check", **LAUNCH)

    assert run.code == 0, run.log
    kind, _, name = place.partition("/")
    assert (
        f"✓ GitHub token may create runners in {kind.removesuffix('s').replace('org', 'organization')} `{name}`"
        in run.stdout
    )
    assert [runner.scope for runner in github.runners.issued] == [place] and not github.records()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"scope": "organisation"}, "input `scope` is `organisation`"),
        ({"scope": "enterprise"}, "say which enterprise"),
        ({"runner-group": "Large ones"}, "a repository has no other group"),
    ],
)
def test_wrong_inputs(sprinters: Program, ec2: Ec2, inputs: dict[str, str], said: str) -> None:
    run = sprinters.run("start", **LAUNCH, **inputs)

    assert run.code == 2
    assert said in run.log
