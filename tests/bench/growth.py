"""How long it takes to the last RunInstances, by number of runners and by latency; and the chart of it."""

from __future__ import annotations

import math

from bench.many import launched
from bench.world import World

COUNTS = (1, 10, 100, 1_000)
LATENCIES = (0, 50, 200)
COLOURS = ("#2a9d8f", "#e9a03b", "#c44536")

Grown = dict[tuple[int, int], float]
"""(latency in ms, count) → seconds."""


def measure(world: World) -> Grown:
    grown: Grown = {}
    for latency in LATENCIES:
        for count in COUNTS[:3] if world.quick else COUNTS:
            with world.crowd(latency / 1000) as (crowd, _github, step):
                grown[latency, count], _ = launched(crowd, step, count)
    return grown


def render(grown: Grown) -> str:
    counts = sorted({count for _, count in grown})
    lines = ["seconds to the last RunInstances", "latency  " + "".join(f"{count:>9,}" for count in counts)]
    for latency in LATENCIES:
        lines.append(f"{latency:>4} ms  " + "".join(f"{grown[latency, count]:>9.3f}" for count in counts))
    return "\n".join(lines) + "\n"


def chart(grown: Grown) -> str:
    """Both axes are logarithmic: a straight line grows evenly."""
    counts = sorted({count for _, count in grown})
    low, high = math.floor(math.log10(min(grown.values()))), math.ceil(math.log10(max(grown.values())))
    width, height, left, top, bottom = 640, 360, 70, 30, 50

    def x(count: int) -> float:
        return left + math.log10(count) / math.log10(counts[-1]) * (width - left - 110)

    def y(seconds: float) -> float:
        return top + (high - math.log10(seconds)) / (high - low) * (height - top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="13">',
        "<title>Seconds to the last RunInstances, by number of runners and latency</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="18">seconds to the last RunInstances</text>',
        f'<text x="{x(counts[-1]) / 2}" y="{height - 8}">runners in one call</text>',
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path d="M{left} {at:.1f}H{x(counts[-1]):.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for count in counts:
        parts.append(f'<text x="{x(count):.1f}" y="{height - bottom + 18}" text-anchor="middle">{count:,}</text>')
    for latency, colour in zip(LATENCIES, COLOURS, strict=True):
        points = [(x(count), y(grown[latency, count])) for count in counts]
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        end_x, end_y = points[-1]
        parts.append(f'<text x="{end_x + 10:.1f}" y="{end_y + 4:.1f}" fill="{colour}">{latency} ms</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
