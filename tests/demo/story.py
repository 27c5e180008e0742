"""How the demo talks: phases, ticks with timings, quoted output. Colours at a terminal only."""

from __future__ import annotations

import os
import re
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 100
BOLD, DIM, GREEN, RED = "1", "2", "32", "31"


class Story:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colours = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._began = time.monotonic()
        self.failures = 0

    def title(self, text: str) -> None:
        self._line(self._in(BOLD, text))

    def phase(self, text: str) -> None:
        self._line("\n" + self._in(BOLD, text))

    def paragraph(self, text: str) -> None:
        self._line(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  "))

    def tick(self, text: str, seconds: float | None = None) -> None:
        self._line(self._timed(self._in(GREEN, "✓"), text, seconds))

    def check(self, holds: bool, text: str, otherwise: str) -> None:
        """A promise: a tick if it holds; if not, a cross, and the demo fails in the end."""
        if holds:
            self.tick(text)
        else:
            self.failures += 1
            self._line(self._timed(self._in(RED, "✗"), otherwise, None))

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """A tick with the time that the block took, once it is through."""
        began = time.monotonic()
        yield
        self.tick(text, time.monotonic() - began)

    def quote(self, lines: list[str], mark: str = "│") -> None:
        for line in lines:
            self._line(self._in(DIM, f"    {mark} {line}"))

    def problem(self, text: str) -> None:
        self._line("\n" + self._in(RED, "✗") + " " + text)

    def close(self) -> None:
        seconds = time.monotonic() - self._began
        verdict = "all as promised" if self.failures == 0 else f"{self.failures} broken promises"
        self._line("\n" + self._in(BOLD, f"{verdict}, in {seconds:.1f} s"))

    def _timed(self, mark: str, text: str, seconds: float | None) -> str:
        if seconds is None:
            return f"  {mark} {text}"
        return f"  {mark} {text:<{WIDTH - 14}} {seconds:6.2f} s"

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def readable(log: str) -> list[str]:
    """A step's output as GitHub shows it: without the commands that only the runner reads."""
    shown = []
    for line in log.splitlines():
        command = re.match(r"::([a-z-]+)( [^:]*)?::(.*)", line)
        if command is None:
            shown.append(line)
        elif command[1] in ("error", "warning", "notice"):
            shown.append(f"{command[1]}: {command[3]}".replace("%0A", " ").replace("%25", "%"))
        elif command[1] == "group":
            shown.append(f"▾ {command[3]}")
    return shown
