"""The bounded part of `make faults`: some runs of every family, the same ones every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import plans, table
from faults.bench import play_here

EVERY = {"singles": 18, "pairs": 16, "cancels": 12, "kills": 6, "fates": 5, "races": 12, "listens": 60}
"""Of each family one run in so many."""
PARTS = 4
"""Each family in so many tests, so that workers share the work."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("family", plans.FAMILIES)
def test_nothing_is_left_behind(binary: Path, family: str, part: int) -> None:
    """How long a run took depends on the machine: `make faults` judges that, and the table here shows it."""
    cases = plans.plan([family], every=EVERY[family])[part::PARTS]
    verdicts = play_here(cases, binary)
    bad = [verdict for verdict in verdicts if verdict.wrong]

    print(table.render(verdicts))
    assert not bad, "\n\n".join(f"{one.name}: {'; '.join(one.wrong)}\n{one.story}" for one in bad)


def test_names_are_unique_and_repeatable() -> None:
    """A name in the bench's output plays that very run again."""
    first, second = plans.plan(plans.FAMILIES), plans.plan(plans.FAMILIES)
    names = [case.name for case in first]

    assert names == [case.name for case in second]
    assert len(set(names)) == len(names)
