"""Behind a proxy and a certificate authority of one's own: the runner's download, the job, Docker."""

from __future__ import annotations

import http.server
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boot.runner_service import Download, RunnerService
from boot.test_storage import with_docker
from standins.machine import Machine
from standins.machine.runner import tarball

Boot = Callable[..., Machine]
NEVER = "localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254"


def test_the_download_and_the_job_use_the_proxy(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    """The name exists nowhere: only who asks the proxy gets an answer."""
    archive = tarball(tmp_path)
    service.downloads = [Download(body=archive.path.read_bytes())]
    proxy = f"http://ci:a$b`c\\d@127.0.0.1:{service.port}"
    service.queue_job("env | grep -i _proxy= | sort", "curl -fsS -o /dev/null http://tools.invalid/tool.tar.gz")
    machine = boot(
        runner_in_image=None,
        url="http://downloads.invalid/actions-runner-linux-x64.tar.gz",
        sha256=archive.sha256,
        http_proxy=proxy,
        no_proxy=".internal",
    )
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.result == "Succeeded"
    assert report.log.splitlines() == [
        f"HTTP_PROXY={proxy}",
        f"NO_PROXY=.internal,{NEVER}",
        f"http_proxy={proxy}",
        f"no_proxy=.internal,{NEVER}",
    ]
    archives = [request for request in service.requests if request.endswith(".tar.gz")]
    assert archives == ["GET actions-runner-linux-x64.tar.gz", "GET tool.tar.gz"]
    assert "a$b" not in machine.console.read_text()


def test_the_metadata_service_is_asked_directly(boot: Boot, service: RunnerService) -> None:
    """A proxy that answers nothing must not keep the instance from learning what it is."""
    service.queue_job("true")
    machine = boot(http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
    assert service.report().set_up.startswith("Sprinters: m7i.large in eu-central-1a")
    assert machine.wait_poweroff(30)


def test_docker_gets_it_as_well(boot: Boot, service: RunnerService) -> None:
    service.queue_job("systemctl show -p EnvironmentFiles docker", "sudo stat -c '%U %a' /run/sprinters/proxy")
    machine = boot(image=with_docker, http_proxy="http://proxy.invalid:3128")
    assert service.report().log.splitlines() == [
        "EnvironmentFiles=/run/sprinters/proxy (ignore_errors=yes)",
        "root 600",
    ]
    assert machine.wait_poweroff(30)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A site whose certificate nobody trusts by himself; its port and its certificate."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=our own", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"trusted\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1], certificate.read_text()
    server.shutdown()
    server.server_close()


def test_certificates_of_one_s_own_are_trusted(boot: Boot, service: RunnerService, site: tuple[int, str]) -> None:
    port, certificate = site
    service.queue_job(f"curl -sS https://127.0.0.1:{port}/", 'cmp "$NODE_EXTRA_CA_CERTS" /run/sprinters/ca.pem')
    machine = boot(certificates=certificate, forward=[port])
    report = service.report()
    assert machine.wait_poweroff(30)
    assert (report.result, report.log) == ("Succeeded", "trusted\n")


def test_without_them_they_are_not(boot: Boot, service: RunnerService, site: tuple[int, str]) -> None:
    port, _ = site
    service.queue_job(f"curl -sS https://127.0.0.1:{port}/ || true")
    machine = boot(forward=[port])
    assert "curl: (60)" in service.report().log
    assert machine.wait_poweroff(30)
