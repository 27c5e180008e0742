"""Whom the portable program may ask: the endpoints that it was given, AWS's own, and nobody else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from portable.node import told

ALLOW = """
  const { Endpoints } = await host("endpoints.mjs");
  const [env, url] = given;
  tell(Endpoints.of(env).allow(new URL(url)));
"""
GIVEN = {
    "GITHUB_API_URL": "https://github.example.com/api/v3",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.actions.githubusercontent.com/abc?api-version=2.0",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.example.com/api/v3/repos/octo/app",
        "https://pipelines.actions.githubusercontent.com/other",
        "https://ec2.eu-central-1.amazonaws.com/",
        "https://sts.cn-north-1.amazonaws.com.cn/",
        "https://sts.amazonaws.com/",
        "https://ec2.eu-west-1.api.aws/",
        "https://ec2-fips.us-east-1.amazonaws.com/",
        "https://cloud-images.ubuntu.com/query/noble/server/released.current.txt",
    ],
)
def test_what_was_given_and_aws_s_own(url: str) -> None:
    assert told(ALLOW, GIVEN, url) is True


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com/",  # another GitHub was given
        "http://github.example.com/api/v3",  # not by that scheme
        "https://github.example.com:8443/",
        "https://example.com/",
        "http://ec2.eu-central-1.amazonaws.com/",
        "https://s3.eu-central-1.amazonaws.com/",
        "https://ec2.eu-central-1.amazonaws.com.example.com/",
        "https://example.com/.amazonaws.com",
        "https://ec2.eu-central-1.amazonaws.com:8443/",
        "https://user:password@ec2.eu-central-1.amazonaws.com/",
        "http://169.254.169.254/latest/meta-data",  # switched off by its own variable
        "http://127.0.0.1:1/",
    ],
)
def test_nobody_else(url: str) -> None:
    assert told(ALLOW, GIVEN, url) is False


def test_the_defaults_are_github_com_the_image_index_and_the_machine_s_own_credentials() -> None:
    for url in ("https://api.github.com/x", "https://cloud-images.ubuntu.com/x", "http://169.254.169.254/latest"):
        assert told(ALLOW, {}, url) is True
    mirror = "http://mirror.example.com"
    assert told(ALLOW, {"SPRINTERS_IMAGE_INDEX_URL": mirror}, f"{mirror}/x") is True
    assert told(ALLOW, {}, "http://169.254.170.2/credentials") is False


def test_the_policy_checker_reaches_nobody() -> None:
    script = """
      const { Endpoints } = await host("endpoints.mjs");
      tell(Endpoints.none().allow(new URL("https://ec2.eu-central-1.amazonaws.com/")));
    """
    assert told(script) is False


@pytest.mark.parametrize(
    ("arguments", "environment", "is_policy"),
    [
        (["policy", "x.json"], {}, True),
        (["start"], {"SPRINTERS_INPUTS": '{"mode": "policy"}'}, False),
        ([], {"SPRINTERS_INPUTS": '{"mode": " policy "}'}, True),
        ([], {"SPRINTERS_INPUTS": '{"mode": "start"}'}, False),
        ([], {"SPRINTERS_INPUTS": "no JSON"}, False),
        ([], {}, False),
    ],
)
def test_the_mode_is_read_as_the_program_reads_it(
    arguments: list[str], environment: dict[str, str], is_policy: bool
) -> None:
    script = 'const { isPolicy } = await host("mode.mjs"); tell(isPolicy(...given));'
    assert told(script, arguments, environment) is is_policy


SEND = """
  const { Network } = await host("network.mjs");
  const { Endpoints } = await host("endpoints.mjs");
  const [env, url, times = 1] = given;
  const network = new Network(Endpoints.of(env), env, (answer) => {
    if (answer.id < times) return setTimeout(send, 50, answer.id + 1);
    tell(answer.broken ?? [answer.status, new TextDecoder().decode(answer.body), answer.headers]);
    process.exit(0);
  });
  const limits = { connect: 2000, firstByte: 500, betweenBytes: 500 };
  const body = new TextEncoder().encode("question");
  const headers = ["x-test", "1", "Connection", "close"];
  const send = (id) => network.receive({ id, method: "POST", url, headers, limits, body });
  send(1);
"""


ANSWER = b"HTTP/1.1 201 Created\r\nX-Id: 7\r\nContent-Length: 6\r\n\r\nanswer"


class Listener:
    """A server that says one thing, and keeps what it heard."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.heard: list[str] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            heard = b""
            while b"question" not in heard and (part := connection.recv(4096)):
                heard += part
            self.heard.append(heard.decode())
            connection.sendall(self._answer)

    def close(self) -> None:
        for one in (self._socket, *self._open):
            one.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Listener]:
    listener = Listener(getattr(request, "param", ANSWER))
    yield listener
    listener.close()


def test_a_request_and_its_answer_are_handed_on(server: Listener) -> None:
    status, body, headers = told(SEND, {"GITHUB_API_URL": server.url}, f"{server.url}/path?query=1")
    assert (status, body, headers[:2]) == (201, "answer", ["X-Id", "7"])
    [heard] = server.heard
    assert heard.startswith("POST /path?query=1 HTTP/1.1\r\n")
    assert f"\r\nhost: {server.url.removeprefix('http://')}\r\n" in heard
    assert "\r\nx-test: 1\r\n" in heard
    # Whether the connection is kept is this host's matter.
    assert "Connection: close" not in heard


def test_a_request_to_anybody_else_is_not_sent(server: Listener) -> None:
    assert told(SEND, {"GITHUB_API_URL": "http://127.0.0.1:9"}, server.url) == {"tag": "HTTP-request-denied"}
    assert server.heard == []


@pytest.mark.parametrize("server", [b""], indirect=True)
def test_silence_is_told_as_such(server: Listener) -> None:
    assert told(SEND, {"GITHUB_API_URL": server.url}, server.url) == {"tag": "HTTP-response-timeout"}


@pytest.mark.parametrize("server", [ANSWER[:-3]], indirect=True)
def test_an_answer_that_stops_in_the_middle_is_told_as_such(server: Listener) -> None:
    assert told(SEND, {"GITHUB_API_URL": server.url}, server.url) == {"tag": "connection-read-timeout"}


def test_silence_on_a_connection_that_was_kept_is_told_as_such(server: Listener) -> None:
    """This server answers each connection once."""
    assert told(SEND, {"GITHUB_API_URL": server.url}, server.url, 2) == {"tag": "HTTP-response-timeout"}
    assert len(server.heard) == 1


def test_a_refused_connection_is_told_with_its_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    assert told(SEND, {"GITHUB_API_URL": url}, url) == {"tag": "connection-refused"}


def test_a_proxy_is_taken_for_its_scheme_and_not_for_exempt_hosts(server: Listener) -> None:
    env = {"GITHUB_API_URL": "http://github.example.com", "http_proxy": server.url.replace("//", "//user:secret@")}
    status, *_ = told(SEND, env, "http://github.example.com/path")
    assert status == 201
    [heard] = server.heard
    assert heard.startswith("POST http://github.example.com/path HTTP/1.1\r\n")
    assert "\r\nhost: github.example.com\r\n" in heard
    assert "proxy-authorization: Basic dXNlcjpzZWNyZXQ=" in heard
    script = 'const { proxyFor } = await host("proxy.mjs"); tell(proxyFor(new URL(given[0]), given[1])?.href ?? null);'
    env = {"HTTPS_PROXY": "proxy.example.com:3128", "NO_PROXY": "localhost, .internal.example.com"}
    assert told(script, "https://api.github.com", env) == "http://proxy.example.com:3128/"
    assert told(script, "https://git.internal.example.com", env) is None
    assert told(script, "http://api.github.com", env) is None
