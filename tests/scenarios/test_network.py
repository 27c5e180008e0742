"""Other servers, proxies and certificate authorities: everything that the step asks goes where the environment says.

The stand-ins have names here that only the proxy can resolve, and certificates of an authority that no system knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from standins.aws import Ec2
from standins.github import GitHub
from standins.images import ImageIndex
from standins.program import Program
from standins.tls import Authority, Front
from standins.web_proxy import WebProxy

# The name must be resolved from the index, so that it is asked as well.
LAUNCH = {"image": "ubuntu-24.04", "instance-type": "m7i.large"}
PASSWORD = "s3cret-of-the-proxy"


@dataclass
class Company:
    """A network behind a proxy; `names` are all that it reaches."""

    authority: Authority
    proxy: WebProxy
    names: dict[str, int]


@pytest.fixture
def credentials(request: pytest.FixtureRequest) -> str | None:
    return getattr(request, "param", None)


@pytest.fixture
def company(
    sprinters: Program, ec2: Ec2, github: GitHub, image_index: ImageIndex, tmp_path: Path, credentials: str | None
) -> Iterator[Company]:
    """The binary in it, with HTTPS to everybody."""
    authority = Authority(tmp_path)
    base = github.url.removeprefix(github.server_url)
    services = {
        "api.github.test": ("GITHUB_API_URL", github.url, base),
        "ec2.test": ("AWS_ENDPOINT_URL_EC2", ec2.url, ""),
        "images.test": ("SPRINTERS_IMAGE_INDEX_URL", image_index.url, ""),
    }
    fronts = []
    names = {}
    for name, (variable, url, path) in services.items():
        front = Front(authority, name, int(url.rpartition(":")[2].partition("/")[0]))
        fronts.append(front)
        names[name] = front.port
        sprinters.environment[variable] = f"https://{name}{path}"
    proxy = WebProxy(names, credentials)
    sprinters.environment["HTTPS_PROXY"] = proxy.url
    sprinters.environment["NODE_EXTRA_CA_CERTS"] = str(authority.file)
    yield Company(authority, proxy, names)
    proxy.close()
    for front in fronts:
        front.close()


def whole_life(sprinters: Program, left_behind: Callable[[], list[str]]) -> None:
    for mode, inputs in (("check", LAUNCH), ("start", LAUNCH), ("sweep", {}), ("stop", {})):
        run = sprinters.run(mode, **inputs)
        assert run.code == 0, run.log
    assert not left_behind()


@pytest.mark.parametrize("credentials", [None, f"octo:{PASSWORD}"], ids=["open", "with-a-password"], indirect=True)
def test_everything_goes_through_the_proxy(
    sprinters: Program, company: Company, left_behind: Callable[[], list[str]]
) -> None:
    whole_life(sprinters, left_behind)

    assert company.proxy.tunnels == set(company.names)
    assert not company.proxy.refused


@pytest.mark.parametrize("credentials", [f"octo:{PASSWORD}"], indirect=True)
def test_a_proxy_that_is_itself_reached_by_tls(
    sprinters: Program, github: GitHub, company: Company, left_behind: Callable[[], list[str]]
) -> None:
    """TLS within TLS for EC2; GitHub's requests, without TLS of their own, are still nobody's to read on the way."""
    port = company.proxy.url.rpartition(":")[2]
    front = Front(company.authority, "localhost", int(port))
    url = f"https://octo:{PASSWORD}@localhost:{front.port}"
    company.names["plain.test"] = github.port
    sprinters.environment |= {"HTTPS_PROXY": url, "HTTP_PROXY": url, "GITHUB_API_URL": "http://plain.test"}
    whole_life(sprinters, left_behind)
    front.close()

    assert company.proxy.tunnels == {"ec2.test", "images.test"}
    assert "plain.test" in {name for _, name in company.proxy.asked}
    assert not company.proxy.refused


@pytest.mark.github(base_path="/api/v3")
def test_an_enterprise_server_behind_a_proxy(
    sprinters: Program, github: GitHub, company: Company, left_behind: Callable[[], list[str]]
) -> None:
    whole_life(sprinters, left_behind)

    assert all(one.request.path.startswith(("/api/v3/", "/_runner/")) for one in github.gate.exchanges)
    assert "list-downloads" in github.gate.operations(), "the runner program comes from that server, too"


@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_other_spellings(sprinters: Program, company: Company, variable: str) -> None:
    sprinters.environment[variable] = sprinters.environment.pop("HTTPS_PROXY")
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 0, run.log
    assert company.proxy.tunnels == set(company.names)


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_other_files_of_authorities(sprinters: Program, company: Company, variable: str) -> None:
    sprinters.environment[variable] = sprinters.environment.pop("NODE_EXTRA_CA_CERTS")
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 0, run.log


def test_an_authority_that_nobody_knows_is_not_trusted(sprinters: Program, ec2: Ec2, company: Company) -> None:
    sprinters.environment.pop("NODE_EXTRA_CA_CERTS")
    run = sprinters.run("stop")

    assert run.code == 1
    assert "UnknownIssuer" in run.log
    assert "name that file in NODE_EXTRA_CA_CERTS" in run.log
    assert not ec2.gate.exchanges


def test_a_file_of_authorities_that_is_not_there(sprinters: Program, company: Company) -> None:
    sprinters.environment["NODE_EXTRA_CA_CERTS"] = "/nowhere/authority.pem"
    run = sprinters.run("stop")

    assert run.code == 2
    assert "variable `NODE_EXTRA_CA_CERTS` is `/nowhere/authority.pem`" in run.log


@pytest.mark.parametrize("credentials", [f"octo:{PASSWORD}"], indirect=True)
def test_a_proxy_that_refuses_and_its_password_is_told_nobody(sprinters: Program, ec2: Ec2, company: Company) -> None:
    wrong = f"{PASSWORD}-no-more"
    sprinters.environment["HTTPS_PROXY"] = company.proxy.url.replace(PASSWORD, wrong)
    run = sprinters.run("start", **{**LAUNCH, "start-timeout": "5s"})

    assert run.code == 1
    assert wrong not in run.log and PASSWORD not in run.log
    assert "proxy" in run.log, run.log
    assert company.proxy.refused and not company.proxy.asked


def test_no_proxy_for_those_that_are_named(sprinters: Program, ec2: Ec2, github: GitHub, company: Company) -> None:
    """GitHub by the proxy, EC2 beside it: it stands in the same network."""
    sprinters.environment |= {"AWS_ENDPOINT_URL_EC2": ec2.url, "HTTP_PROXY": company.proxy.url, "NO_PROXY": "127.0.0.1"}
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 0, run.log
    assert company.proxy.tunnels == {"api.github.test", "images.test"}
    assert ec2.gate.exchanges


def test_plain_http_has_a_proxy_of_its_own(
    sprinters: Program, github: GitHub, company: Company, left_behind: Callable[[], list[str]]
) -> None:
    company.names["plain.test"] = github.port
    sprinters.environment |= {"GITHUB_API_URL": "http://plain.test", "HTTP_PROXY": company.proxy.url}
    whole_life(sprinters, left_behind)

    assert "plain.test" in {name for _, name in company.proxy.asked}
