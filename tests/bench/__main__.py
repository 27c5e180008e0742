"""`make bench`: how good the program is, in numbers, beside peers in the same run.

Everything is measured on loopback, from outside the process: by the endpoint's clock, by the kernel's accounts.
`--quick` takes fewer runs of each, `--only NAME` the steps alone whose name has that in it: `--only policy.cold`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import booting, distant, growth, latency, listening, many, policy, portable, sizes
from bench.table import Row, markdown, render
from bench.where import Where
from bench.world import World
from standins import program
from standins.aws import Moto

STEPS: tuple[Callable[[World], list[Row]], ...] = (
    latency.to_run_instances,
    many.round_trips,
    distant.round_trips,
    distant.signing_in,
    latency.online_to_exit,
    latency.cost_of_waiting,
    portable.cost,
    sizes.size,
    booting.boot_script,
    booting.to_online,
    sizes.user_data,
    many.hundred,
    many.thousand,
    many.new_records,
    many.hour,
    many.download,
    listening.message_to_launch,
    listening.thousand_jobs,
    listening.quiet_hour,
    policy.rates,
    policy.cold,
    policy.text_output,
    policy.keystroke,
)


def name(step: Callable[[World], list[Row]]) -> str:
    """`policy.cold`"""
    return f"{step.__module__.removeprefix('bench.')}.{step.__name__}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, for trying the bench itself")
    parser.add_argument("--only", action="append", metavar="NAME", help="these steps alone: part of a name; repeatable")
    parser.add_argument("--book", type=Path, help="write the figures and the chart to this folder, which is docs/src")
    options = parser.parse_args()
    quick, only = options.quick, options.only or [""]
    steps = [step for step in STEPS if any(part in name(step) for part in only)]
    if not steps:
        parser.error(f"there is no step {' or '.join(only)}; there are: {', '.join(map(name, STEPS))}")
    named = os.environ.get("SPRINTERS_BIN")
    binary = Path(named) if named else program.dist_binary()
    if not binary.exists():
        sys.stderr.write(f"error: there is no {binary}: run `make dist`, which builds it\n")
        return 1
    where = Where()
    sys.stdout.write(f"program: {binary}\n{where.begin()}\n\n")
    with tempfile.TemporaryDirectory(prefix="sprinters-bench-") as folder, Moto() as moto:
        world = World(moto, binary, Path(folder), quick)
        rows: list[Row] = []
        for step in steps:
            sys.stderr.write(f"measuring: {(step.__doc__ or '').splitlines()[0]}\n")
            try:
                rows += step(world)
            except BaseException:
                # What took a quarter of an hour is not lost with it.
                sys.stdout.write(render(rows))
                raise
        grown = {}
        if not options.only:
            sys.stderr.write("measuring: how it grows\n")
            grown = growth.measure(world)
    sys.stdout.write(render(rows))
    if grown:
        sys.stdout.write("\n" + growth.render(grown))
    sys.stdout.write(f"\n{where.end()}\n")
    if options.book and grown:
        (options.book / "growth.svg").write_text(growth.chart(grown))
        (options.book / "figures.md").write_text(markdown(rows, f"{where.begin()}; {where.end()}"))
    return 0 if all(row.reached is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
