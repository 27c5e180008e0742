"""One row for each thing measured: what is to be reached, and what was."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    what: str
    reach: str
    result: str
    reached: bool | None
    """`None`: not measured here; the result says why."""

    @property
    def mark(self) -> str:
        return {True: "✓", False: "✗", None: "-"}[self.reached]


def at_most(most: float, of: str, measured: float, yardstick: float, *, what: str, result: str) -> Row:
    """Against something that was measured in the same run, so that the limit is the same on any machine."""
    ratio = measured / yardstick
    return Row(what, f"≤ {most:g} × {of}", f"{result}: {ratio:{digits(ratio)}} ×", ratio <= most)


def at_least(least: float, of: str, measured: float, yardstick: float, *, what: str, result: str) -> Row:
    ratio = measured / yardstick
    return Row(what, f"≥ {least:g} × {of}", f"{result}: {ratio:{digits(ratio)}} ×", ratio >= least)


def digits(ratio: float) -> str:
    """Two or three that count."""
    return ",.0f" if ratio >= 100 else ".1f" if ratio >= 10 else ".2f"


def render(rows: Sequence[Row]) -> str:
    heads = ("", "what", "reach", "result")
    cells = [heads, *((row.mark, row.what, row.reach, row.result) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(heads))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:]]) + "\n"


def markdown(rows: Sequence[Row], conditions: str) -> str:
    """For the book, which includes it."""
    lines = [
        "<!-- written by `make bench` -->",
        "",
        "| what | reach | measured |",
        "| --- | --- | --- |",
        *(
            f"| {nested(row.what)} | {row.reach} | {'' if row.reached is None else row.mark} {row.result} |"
            for row in rows
        ),
        "",
        f"Measured {conditions}.",
    ]
    return "\n".join(lines) + "\n"


def nested(text: str) -> str:
    """What is indented belongs to the row above."""
    depth = (len(text) - len(text.lstrip())) // 2
    return "– " * depth + text.lstrip()


def spread(values: Sequence[float], unit: str, digits: int) -> str:
    """`median 12 ms (11-15, 30 runs)`"""
    low, high = min(values), max(values)
    return (
        f"median {statistics.median(values):.{digits}f} {unit} ({low:.{digits}f}-{high:.{digits}f}, {len(values)} runs)"
    )
