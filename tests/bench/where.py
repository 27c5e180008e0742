"""What machine it was and what else ran on it, without which figures mean little."""

from __future__ import annotations

import datetime
import os
import platform
import re
from pathlib import Path


class Where:
    def __init__(self) -> None:
        self._date = datetime.date.today().isoformat()
        self._load = os.getloadavg()[0]

    def begin(self) -> str:
        return (
            f"on {self._date} on {os.cpu_count()} cores of {processor()}, Linux {platform.release()},"
            f" with a load of {self._load:.1f} before"
        )

    @staticmethod
    def end() -> str:
        return f"a load of {os.getloadavg()[0]:.1f} after; more than about 1 means that other work ran beside it"


def processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.machine()
