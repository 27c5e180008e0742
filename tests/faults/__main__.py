"""`make faults`: what can go wrong with `start`, `stop`, `sweep` and `listen` does, and nothing may be left behind.

Every run starts the real binary against EC2 and GitHub on loopback. The table counts runs; below it stands each run
that did not go as it must, with its name: `make faults ARGS='--case NAME'` plays it alone and tells its whole story.
SPRINTERS_BUILD names a build in dist/ to be played instead: `SPRINTERS_BUILD=portable-node24 make faults`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults import book, plans, table
from faults.bench import play_all
from standins import program


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--family", action="append", choices=plans.FAMILIES, help="these only (default: all)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only one run of every N")
    parser.add_argument("--case", action="append", help="only runs whose name contains this; tells their story")
    parser.add_argument("--seed", type=int, default=plans.SEED, help="for pairs and random instants")
    parser.add_argument("--processes", type=int, help="how many (default: one a core)")
    parser.add_argument("--again", type=int, default=1, help="how many times each")
    parser.add_argument("--stories", type=Path, metavar="FILE", help="write the story of each bad run here")
    parser.add_argument("--book", action="store_true", help="write the tables of docs/src/faults.md instead")
    options = parser.parse_args()
    if options.book:
        book.write()
        return 0
    command = program.command()
    for file in filter(os.path.isabs, command):
        if not Path(file).exists():
            sys.stderr.write(
                f"error: there is no {file}: run `cargo build`, `.ci/setup builds`, or set SPRINTERS_BIN\n"
            )
            return 1
    cases = plans.plan(options.family or plans.FAMILIES, options.seed, options.every, options.case) * options.again
    sys.stdout.write(f"program: {' '.join(command)}\nruns: {len(cases)}, seed {options.seed}\n")
    began, verdicts = time.monotonic(), []
    for verdict in play_all(cases, options.processes or os.cpu_count() or 2, command):
        verdicts.append(verdict)
        if verdict.problems:
            sys.stdout.write(f"✗ {verdict.name}: {'; '.join(verdict.problems)}\n")
        if sys.stderr.isatty() or len(verdicts) % 500 == 0:
            sys.stderr.write(f"\r{len(verdicts)}/{len(cases)} {time.monotonic() - began:.0f} s ")
            sys.stderr.flush()
    sys.stderr.write("\n")
    sys.stdout.write("\n" + table.render(verdicts))
    bad = [one for one in verdicts if one.problems]
    if options.stories:
        options.stories.write_text("\n\n".join(f"## {one.name}\n{one.problems}\n{one.story}" for one in bad))
    elif options.case:
        sys.stdout.write("".join(f"\n## {one.name} {one.problems}\n{one.story}\n" for one in bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
