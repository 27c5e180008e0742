"""What this machine takes for something simple: a limit that is a multiple of it holds on any machine."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import ssl
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from standins.server import Response, Server

TRUE = "/bin/true"
# Node's own peak memory, which nobody outside can read of a process that has ended.
EMPTY_NODE = "console.log(require('fs').readFileSync('/proc/self/status', 'utf8'))"

NODE_REQUESTS = """
const http = require('http');
const [url, pause] = process.argv.slice(1);
const agent = new http.Agent({ keepAlive: true });
setInterval(() => http.get(url, { agent }, (response) => response.resume()), Number(pause));
"""


def median(measure: Callable[[], float], times: int = 20) -> float:
    return statistics.median(measure() for _ in range(times))


def empty_process() -> float:
    """Seconds from a process's start to its end, which does nothing."""
    began = time.monotonic()
    subprocess.run([TRUE], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def empty_node(node: str) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a Node that does nothing, by the kernel's account."""
    process = subprocess.Popen([node, "-e", EMPTY_NODE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as said:
        found = re.search(r"VmHWM:\s+(\d+) kB", said.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0 and found
    return usage.ru_utime + usage.ru_stime, int(found[1]) / 1000


def cpu_seconds(pid: int) -> float:
    """What a process and its threads have used so far, by the clock that `clock_getcpuclockid` names."""
    return time.clock_gettime(~pid << 3 | 2)


class Bare:
    """Calls by Python's own client to a server that only answers."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def calls(self, count: int, *, each_connects: bool = False) -> tuple[float, float]:
        """Seconds that so many calls take, one after another, and the client's CPU seconds of them."""
        began, cpu = time.monotonic(), time.thread_time()
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port)
        for _ in range(count):
            connection.request("POST", "/", b"{}", {"Content-Type": "application/json"})
            connection.getresponse().read()
            if each_connects:
                connection.close()
        connection.close()
        return time.monotonic() - began, time.thread_time() - cpu

    def by_node(self, node: str, *, pause: float, seconds: float = 30) -> float:
        """CPU seconds a minute of a Node that makes a request by its own client, pauses, and so on."""
        command = [node, "-e", NODE_REQUESTS, self._server.url, str(pause * 1000)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            time.sleep(3 * pause)
            before = cpu_seconds(process.pid)
            time.sleep(seconds)
            used = cpu_seconds(process.pid) - before
            process.kill()
        assert self._server.connections
        return used * 60 / seconds


def round_trip(port: int, certificates: Path) -> float:
    """Seconds that a request takes on a connection by TLS that is open, to a stand-in for GitHub."""
    trust = ssl.create_default_context(cafile=certificates)
    with contextlib.closing(http.client.HTTPSConnection("localhost", port, context=trust)) as connection:

        def request() -> float:
            began = time.monotonic()
            connection.request("GET", "/rate_limit")
            connection.getresponse().read()
            return time.monotonic() - began

        request()
        return median(request, 10)


@contextlib.contextmanager
def bare() -> Iterator[Bare]:
    server = Server(lambda _request: Response.of_json(200, {}))
    try:
        yield Bare(server)
    finally:
        server.close()
