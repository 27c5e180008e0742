"""A machine's serial console, and what it says of the machine's life."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path


class Console:
    """What a machine wrote to its console since it was powered on, line by line."""

    def __init__(self, file: Path) -> None:
        self.console = file
        self.console.touch()
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self._lines: list[tuple[float, str]] = []
        self._changed = threading.Condition()

    def _read(self, output: Iterable[bytes]) -> None:
        with self.console.open("ab") as console:
            for line in output:
                console.write(line)
                console.flush()
                with self._changed:
                    self._lines.append((time.monotonic(), line.decode(errors="replace").rstrip("\r\n")))
                    self._changed.notify_all()

    def _ended(self) -> None:
        with self._changed:
            self.ended_at = time.monotonic()
            self._changed.notify_all()

    @property
    def alive(self) -> bool:
        return self.started_at is not None and self.ended_at is None

    def lines(self, prefix: str = "sprinters: ") -> list[str]:
        """The console's lines that begin so, without the prefix."""
        with self._changed:
            return [text.removeprefix(prefix) for _, text in self._lines if text.startswith(prefix)]

    def wait_line(self, part: str, timeout: float) -> float:
        """Waits for a console line that contains `part`; answers how long after the start it came, in seconds."""

        def found() -> float | None:
            return next((at for at, text in self._lines if part in text), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self.ended_at, timeout)
            at = found()
        if at is None:
            raise TimeoutError(f"no line with {part!r} on the console {self.console}:\n{self.console.read_text()}")
        return at - (self.started_at or 0)

    def wait_poweroff(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.ended_at is not None, timeout)
