"""One row for each family of runs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from faults.case import Verdict

HEADS = ("", "runs", "broken promises", "wrong code", "wrong cause", "too late", "left to stop", "median", "longest")


def render(verdicts: Sequence[Verdict]) -> str:
    families = list(dict.fromkeys(one.family for one in verdicts))
    rows = [row(family, [one for one in verdicts if one.family == family]) for family in families]
    rows.append(row("all", verdicts))
    widths = [max(len(line[column]) for line in (HEADS, *rows)) for column in range(len(HEADS))]
    lines = [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (HEADS, ["─" * width for width in widths], *rows)
    ]
    return "\n".join([*lines, *undo_line(verdicts)]) + "\n"


def row(name: str, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    seconds = [one.seconds for one in verdicts] or [0]
    counts = (
        len(verdicts),
        sum(bool(one.broken) for one in verdicts),
        sum(bool(one.wrong_code) for one in verdicts),
        sum(bool(one.wrong_cause) for one in verdicts),
        sum(bool(one.late) for one in verdicts),
        sum(one.left_to_stop for one in verdicts),
    )
    return (name, *map(str, counts), f"{statistics.median(seconds):.1f} s", f"{max(seconds):.1f} s")


def undo_line(verdicts: Sequence[Verdict]) -> list[str]:
    undone = [one.undone_in for one in verdicts if one.undone_in is not None]
    if not undone:
        return []
    return [
        "",
        f"from a cancel to the exit, with everything undone: median {statistics.median(undone):.1f} s, "
        f"longest {max(undone):.1f} s, {len(undone)} cancels",
    ]
