"""Spot prices that differ by zone, and always in the same way, so that a test can say which zone is the cheapest."""

from __future__ import annotations

import zlib


def spot_price(instance_type: str, zone: str) -> str:
    """US dollars an hour: the dearest zone costs about twice the cheapest."""
    family, _, size = instance_type.partition(".")
    vcpus = {"nano": 0.25, "micro": 0.5, "small": 1.0, "medium": 1.0, "large": 2.0, "xlarge": 4.0}
    count = vcpus.get(size) or 4.0 * int("".join(digit for digit in size if digit.isdigit()) or 8)
    spread = zlib.crc32(f"{family}/{zone}".encode()) % 1000 / 1000
    return f"{count * 0.015 * (1 + spread):.6f}"


def cheapest_zone(instance_type: str, zones: list[str]) -> str:
    return min(zones, key=lambda zone: float(spot_price(instance_type, zone)))
