"""Signing in as a GitHub App: a token for one place and one permission, made in the step and revoked after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.distance import Distance
from standins.gate import Fault, answer, delayed, reset, stalled, then
from standins.github import App, GitHub, RunJob
from standins.program import Program, Run, Running
from standins.server import Response

LAUNCH = {"image": images.OWN_X64, "instance-type": "m7i.large"}
PERMISSION = {"administration": "write"}


@pytest.fixture
def app(sprinters: Program, github: GitHub) -> App:
    """An App for this repository, which may more than Sprinters needs; the binary signs in with it."""
    repository = sprinters.environment["GITHUB_REPOSITORY"]
    app = github.add_app(PERMISSION | {"contents": "write", "metadata": "read"}, f"repos/{repository}")
    use(sprinters, app)
    return app


def use(sprinters: Program, app: App, **inputs: object) -> None:
    given = {"github-token": None, "github-app-id": app.id, "github-app-private-key": app.pem()}
    sprinters.inputs |= given | inputs


def assert_signed_out(github: GitHub, run: Run, tokens: int = 1) -> None:
    """Every token was masked before it was used, and is good for nothing any more."""
    assert len(github.apps.minted) == tokens, run.log
    for token in github.apps.minted:
        assert token in run.masked
        assert token not in github._rest.tokens, "the token was not revoked"


def test_a_whole_life(
    sprinters: Program, ec2: Ec2, github: GitHub, app: App, left_behind: Callable[[], list[str]]
) -> None:
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert len(ec2.living()) == len(github.records()) == 1
    repository = sprinters.environment["GITHUB_REPOSITORY"].split("/")[1]
    assert github.apps.asked == [{"repositories": [repository], "permissions": PERMISSION}]
    assert_signed_out(github, run)
    assert github.gate.operations()[-1] == "revoke-installation-token"

    for mode in ("check", "sweep", "stop"):
        github.apps.minted.clear()
        run = sprinters.run(mode, **(LAUNCH if mode == "check" else {}))
        assert run.code == 0, run.log
        assert_signed_out(github, run)
    assert not left_behind()


@pytest.mark.parametrize(
    "shape",
    [
        lambda app: app.pem(PrivateFormat.PKCS8),
        lambda app: app.pem().replace("\n", "\\n"),
        lambda app: app.pem().replace("\n", "\r\n"),
        lambda app: app.pem().replace("\n", " "),
    ],
    ids=["pkcs8", "literal-newlines", "windows", "one-line"],
)
def test_the_key_in_any_shape(sprinters: Program, github: GitHub, app: App, shape: Callable[[App], str]) -> None:
    run = sprinters.run("check", **LAUNCH, **{"github-app-private-key": shape(app), "github-app-id": app.client_id})

    assert run.code == 0, run.log
    assert_signed_out(github, run)


def test_an_organization(sprinters: Program, github: GitHub) -> None:
    permission = {"organization_self_hosted_runners": "write"}
    use(sprinters, github.add_app(permission | PERMISSION, "orgs/octo"), scope="org")

    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert [record.scope for record in github.records()] == ["orgs/octo"]
    assert github.apps.asked == [{"permissions": permission}]
    assert_signed_out(github, run)


def test_rerun_gets_the_permission_for_runs_instead(sprinters: Program, github: GitHub, app: App) -> None:
    permissions = {"actions": "write", "checks": "read"}
    app.permissions.update(permissions)
    repository, run_id = (sprinters.environment[name] for name in ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"))
    github.runs.add(repository, run_id, RunJob("build")).end("failure", build="failure")

    run = sprinters.run("rerun", **{"run-id": run_id})

    assert run.code == 0, run.log
    assert github.apps.asked == [{"repositories": [repository.split("/")[1]], "permissions": permissions}]
    assert_signed_out(github, run)


def test_a_second_connection_is_open_before_there_is_a_token(sprinters: Program, github: GitHub, app: App) -> None:
    """With the token, two requests leave together: neither waits for a connection."""
    away = Distance(int(github.url.rpartition(":")[2]), 0.1)
    sprinters.environment["GITHUB_API_URL"] = f"http://127.0.0.1:{away.port}"
    github.gate.fail("create-installation-token", delayed(0.5))
    run = sprinters.run("start", **LAUNCH)
    away.close()

    assert run.code == 0, run.log
    [token] = github.gate.calls("create-installation-token")
    assert sum(begun < token.answered for begun in away.opened) >= 2


def test_a_known_installation_is_not_looked_up(sprinters: Program, github: GitHub, app: App) -> None:
    """The log tells its number, and with that the look-up is saved."""
    asked = sprinters.run("check", **LAUNCH)
    [number] = app.installations.values()
    assert f"`github-app-installation-id: {number}` saves the look-up" in asked.stdout
    assert len(github.gate.calls("get-installation")) == 1

    given = {"github-app-installation-id": number}
    for mode, inputs in (("start", LAUNCH), ("stop", {})):
        run = sprinters.run(mode, **inputs, **given)
        assert run.code == 0, run.log
        assert "saves the look-up" not in run.log
    assert len(github.gate.calls("get-installation")) == 1
    assert len(github.apps.minted) == 3 and not github.apps.good


def test_a_wrong_installation(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    """One that is nobody's, and one of the App's own elsewhere."""
    repository = f"repos/{sprinters.environment['GITHUB_REPOSITORY']}"
    app = github.add_app(PERMISSION, repository, "repos/octo/another")
    for number in (4711, app.installations["repos/octo/another"]):
        use(sprinters, app, **{"github-app-installation-id": number})
        run = sprinters.run("start", **LAUNCH)

        assert run.code == 1
        assert "could not make a token for the installation that `github-app-installation-id` names" in run.log
        assert "leave `github-app-installation-id` out: then the log tells the number" in run.log
    assert not ec2.instances() and not github.records()


def test_an_installation_in_another_organization(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    """Its token is made, and sees nothing here."""
    app = github.add_app({"organization_self_hosted_runners": "write"}, "orgs/octo", "orgs/another")
    use(sprinters, app, scope="org", **{"github-app-installation-id": app.installations["orgs/another"]})
    github.gate.fail("generate-jitconfig", answer(Response.of_json(404, {"message": "Not Found"})), times=None)
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 1
    assert "or `github-app-installation-id` is another owner's: leave it out" in run.log
    assert not ec2.instances()


def test_many_runners_share_one_token(sprinters: Program, github: GitHub, app: App) -> None:
    run = sprinters.run("start", **LAUNCH, count=5)

    assert run.code == 0, run.log
    assert_signed_out(github, run)


def test_a_start_that_fails_signs_out_after_its_undo(
    sprinters: Program, github: GitHub, app: App, behaves: Behaves, left_behind: Callable[[], list[str]]
) -> None:
    behaves.online_after = None
    run = sprinters.run("start", **LAUNCH, **{"start-timeout": "3s"})

    assert run.code == 1
    assert not left_behind()
    assert_signed_out(github, run)


@pytest.mark.parametrize("operation", ["generate-jitconfig", "RunInstances", "get-runner"])
def test_a_cancelled_start_undoes_and_signs_out_in_time(
    sprinters: Program,
    ec2: Ec2,
    github: GitHub,
    app: App,
    behaves: Behaves,
    left_behind: Callable[[], list[str]],
    operation: str,
) -> None:
    behaves.online_after = None
    gate = ec2.gate if operation[0].isupper() else github.gate
    started: list[Running] = []
    gate.fail(operation, then(lambda: started[0].interrupt(), delayed(0.3)))
    started.append(sprinters.begin("start", **LAUNCH))
    run = started[0].wait()

    assert run.code == 1
    assert "cancelled (SIGINT)" in run.log
    assert not left_behind()
    assert_signed_out(github, run)


@pytest.mark.parametrize("mode", ["stop", "sweep", "check"])
def test_a_cancel_of_another_mode_signs_out(sprinters: Program, ec2: Ec2, github: GitHub, app: App, mode: str) -> None:
    started: list[Running] = []
    operation = "generate-jitconfig" if mode == "check" else "list-runners"
    github.gate.fail(operation, then(lambda: started[0].interrupt(), stalled(3)))
    started.append(sprinters.begin(mode, **(LAUNCH if mode == "check" else {})))
    run = started[0].wait()

    assert run.code == 1, run.log
    assert "cancelled (SIGINT)" in run.log
    assert_signed_out(github, run)


@pytest.mark.parametrize("operation", ["get-installation", "create-installation-token"])
@pytest.mark.parametrize(
    "fault", [reset, answer(Response.of_json(502, {"message": "Server Error"}))], ids=["reset", "502"]
)
def test_a_passing_fault_of_the_sign_in_is_waited_out(
    sprinters: Program, github: GitHub, app: App, operation: str, fault: Callable[..., object]
) -> None:
    github.gate.fail(operation, fault, times=2)  # type: ignore[arg-type]
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert_signed_out(github, run)


@pytest.mark.parametrize("fault", [answer(Response(202, body=b"<html>")), stalled(20)])
@pytest.mark.parametrize("operation", ["get-installation", "create-installation-token"])
def test_a_sign_in_that_never_works_has_made_no_record(
    sprinters: Program, ec2: Ec2, github: GitHub, app: App, operation: str, fault: Fault
) -> None:
    """Whatever was to be asked afterwards was not sent: nothing is perhaps still there."""
    github.gate.fail(operation, fault, times=None)
    run = sprinters.run("start", **LAUNCH, **{"start-timeout": "6s"})

    assert run.code == 1
    assert "nothing is left running" in run.log and "perhaps" not in run.log, run.log
    assert github.gate.calls("generate-jitconfig") == ec2.gate.calls("RunInstances") == []


@pytest.mark.parametrize(
    "fault", [stalled(30), answer(Response.of_json(500, {"message": "Server Error"}))], ids=["silence", "500"]
)
def test_a_token_that_cannot_be_revoked_does_not_hold_the_step(
    sprinters: Program, github: GitHub, app: App, fault: Callable[..., object]
) -> None:
    github.gate.fail("revoke-installation-token", fault, times=None)  # type: ignore[arg-type]
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert "the installation token could not be revoked" in run.stdout
    assert run.seconds < 30


@pytest.mark.parametrize("mode", ["start", "stop", "sweep", "check"])
def test_an_app_that_is_not_installed_here(sprinters: Program, ec2: Ec2, github: GitHub, mode: str) -> None:
    use(sprinters, github.add_app(PERMISSION, "repos/octo/another"))
    run = sprinters.run(mode, **(LAUNCH if mode in ("start", "check") else {}))

    assert run.code == 1
    assert "install the App for `octo/" in run.log
    assert not ec2.instances()


def test_what_else_may_be_wrong_with_the_app(sprinters: Program, ec2: Ec2, github: GitHub, app: App) -> None:
    repository = f"repos/{sprinters.environment['GITHUB_REPOSITORY']}"
    other, weak = github.add_app(PERMISSION, repository), github.add_app({"administration": "read"}, repository)
    foreign = sprinters.run("start", **LAUNCH, **{"github-app-private-key": other.pem()})
    unpermitted = sprinters.run("start", **LAUNCH, **{"github-app-id": weak.id, "github-app-private-key": weak.pem()})

    assert (foreign.code, unpermitted.code) == (1, 1)
    assert "`github-app-private-key` is not a key of the App" in foreign.log
    assert "give the App the repository permission `Administration: Read and write`" in unpermitted.log
    assert not ec2.instances()


def test_wrong_inputs_ask_nobody(sprinters: Program, github: GitHub, app: App) -> None:
    pem = app.pem()
    cut = "\n".join(pem.splitlines()[:4])
    for inputs, said in (
        ({"github-app-id": None}, "input `github-app-id`: it is empty"),
        ({"github-app-private-key": None}, "input `github-app-private-key`: it is empty"),
        ({"github-app-private-key": cut}, "it is not a whole PEM file"),
        ({"github-app-private-key": pem.replace("RSA PRIVATE", "EC PRIVATE")}, "is an RSA key"),
        ({"github-app-private-key": pem.replace("RSA PRIVATE", "PRIVATE")}, "it is not an RSA key of 2048 bits"),
        ({"github-app-installation-id": "octo"}, "input `github-app-installation-id` is `octo`"),
        ({"github-app-installation-id": "0"}, "the installation's number"),
        (
            {"github-app-id": None, "github-app-private-key": None, "github-app-installation-id": 5000},
            "it is given without `github-app-id`",
        ),
        ({"github-token": github.add_token().value}, "leave one of them out"),
        ({"scope": "enterprise/acme"}, "an enterprise's runners need a classic token"),
    ):
        run = sprinters.run("start", **LAUNCH, **inputs)
        assert run.code == 2, run.log
        assert said in run.log
    assert not github.gate.exchanges


def test_check_tells_the_sign_in(sprinters: Program, github: GitHub, app: App) -> None:
    run = sprinters.run("check", **LAUNCH)

    assert f"✓ GitHub App `{app.id}` is installed in `octo/" in run.stdout
    assert "✓ its installation token may create runners in `octo/" in run.stdout


BAD_CREDENTIALS = Response.of_json(401, {"message": "Bad credentials"})


@pytest.mark.parametrize("mode", ["start", "check"])
def test_a_new_token_that_github_does_not_know_everywhere_yet(
    sprinters: Program, ec2: Ec2, github: GitHub, app: App, mode: str
) -> None:
    rule = github.gate.fail("generate-jitconfig", answer(BAD_CREDENTIALS), times=2)
    run = sprinters.run(mode, **LAUNCH)

    assert (run.code, rule.struck) == (0, 2), run.log
    assert_signed_out(github, run)


def test_a_401_to_an_older_token_is_final(
    sprinters: Program,
    ec2: Ec2,
    github: GitHub,
    app: App,
    behaves: Behaves,
    left_behind: Callable[[], list[str]],
) -> None:
    behaves.online_after = None
    github.gate.fail("get-runner", answer(BAD_CREDENTIALS), times=None)
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 1
    assert "answered 401 `Bad credentials`" in run.log
    assert 4 < run.seconds < 30, "the first five seconds are waited out, and no more"
    assert not left_behind()
