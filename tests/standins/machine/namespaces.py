"""A network of two: the machine, and the little that EC2's network holds for it. Nothing of the host's network changes.

Both namespaces live as long as a file descriptor of this process: nothing is left of them, whatever happens to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

CLONE_NEWNET = 0x40000000
METADATA_ADDRESS = "169.254.169.254"
MACHINE_MAC = "0a:00:00:00:00:0a"
MACHINE_ADDRESS = "10.0.0.10"
GATEWAY_ADDRESS = "10.0.0.1"

T = TypeVar("T")
_libc = ctypes.CDLL(None, use_errno=True)


def _in_thread(work: Callable[[], T]) -> T:
    """Namespaces belong to threads: change them only in one that ends at once."""
    outcome: list[T] = []
    problem: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if problem:
        raise problem[0]
    return outcome[0]


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _new_namespace() -> int:
    def unshare() -> int:
        _checked(_libc.unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return _in_thread(unshare)


class Network:
    """The machine's network namespace, its gateway's, and the TCP forwards from its loopback to this host's."""

    def __init__(self) -> None:
        self._machine = _new_namespace()
        self._gateway = _new_namespace()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        gateway = f"/proc/{os.getpid()}/fd/{self._gateway}"
        self._ip(
            self._machine,
            "link set lo up",
            f"link add eth0 address {MACHINE_MAC} type veth peer name machine netns {gateway}",
        )
        self._ip(
            self._gateway,
            "link set lo up",
            f"address add {METADATA_ADDRESS}/32 dev lo",
            f"address add {GATEWAY_ADDRESS}/24 dev machine",
            "link set machine up",
        )
        self._ip(
            self._machine,
            f"address add {MACHINE_ADDRESS}/24 dev eth0",
            "link set eth0 up",
            f"route add default via {GATEWAY_ADDRESS}",
        )

    @property
    def path(self) -> str:
        """The machine's namespace, as systemd-nspawn wants it."""
        return f"/proc/{os.getpid()}/fd/{self._machine}"

    def _ip(self, namespace: int, *commands: str) -> None:
        subprocess.run(
            ["nsenter", f"--net=/proc/self/fd/{namespace}", "ip", "-batch", "-"],
            input="\n".join(commands).encode(),
            pass_fds=[namespace],
            check=True,
        )

    def _listen(self, namespace: int, address: str, port: int) -> socket.socket:
        def listen() -> socket.socket:
            _checked(_libc.setns(namespace, CLONE_NEWNET), "setns")
            return socket.create_server((address, port), backlog=64)

        return _in_thread(listen)

    def listen_for_metadata(self) -> socket.socket:
        return self._listen(self._gateway, METADATA_ADDRESS, 80)

    def forward(self, ports: Sequence[int]) -> None:
        """Makes the host's 127.0.0.1:PORT answer under the same address in the machine."""
        for port in ports:
            listening = self._listen(self._machine, "127.0.0.1", port)
            serving = asyncio.start_server(partial(_relay, port), sock=listening)
            asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)

    def close(self) -> None:
        async def stop() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        os.close(self._machine)
        os.close(self._gateway)


async def _relay(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.transport.abort()
        return
    # The network's end cancels this; asyncio's streams would report that as an error of ours.
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
