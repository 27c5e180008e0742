"""TLS and a distance before stand-ins, by a process of its own: what carries bytes must not hold up what answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from standins.distance import Distance
from standins.tls import Authority


@contextmanager
def carried(ports: Sequence[int], round_trip: float, folder: Path) -> Iterator[tuple[list[int], Path]]:
    """HTTPS ports that far away, one for each of these, and the certificate of the authority that vouches for them."""
    command = [sys.executable, "-m", "standins.abroad", str(folder), str(round_trip), *map(str, ports)]
    root = Path(__file__).parent.parent
    # It ends when nobody holds its input any more, whatever became of us.
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline()), folder / Authority.FILE


def main() -> None:
    folder, round_trip, *ports = sys.argv[1:]
    # Its threads take turns sooner than the 5 ms that one may keep the others waiting otherwise.
    sys.setswitchinterval(0.0001)
    authority = Authority(Path(folder))
    context = authority.context("localhost")
    away = [Distance(int(port), float(round_trip), context) for port in ports]
    sys.stdout.write(json.dumps([distance.port for distance in away]) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
