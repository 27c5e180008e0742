"""The bounded part of `make faults`: some runs of every family, the same ones every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import plans, table
from faults.bench import play_here
from faults.singles import UNDOING

EVERY = {
    "singles": 36,
    "meanings": 48,
    "pairs": 32,
    "cancels": 24,
    "kills": 6,
    "fates": 5,
    "races": 18,
    "strangers": 4,
    "asking": 60,
    "sign-ins": 20,
    "listens": 90,
}
"""Of each family one run in so many."""
PARTS = 4
"""Each family in so many tests, so that workers share the work."""


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("family", plans.FAMILIES)
def test_nothing_is_left_behind(binary: Path, family: str, part: int) -> None:
    """How long a run took depends on the machine: `make faults` judges that, and the table here shows it."""
    cases = [case for case in plans.plan([family], every=EVERY[family]) if not takes_a_minute(case.name)][part::PARTS]
    verdicts = play_here(cases, [str(binary)])
    bad = [verdict for verdict in verdicts if verdict.wrong]

    print(table.render(verdicts))
    assert not bad, "\n\n".join(f"{one.name}: {'; '.join(one.wrong)}\n{one.story}" for one in bad)


KEPT = (
    "stop:TerminateInstances:hollow:1x",
    "stop:delete-runner:404-but-there:1x",
    "stop:delete-runner:200:1x",
    "stop:DescribeInstances:cut:1x",
    "404:sweep",
    "pages:sweep",
    "refused:start:OperationNotPermitted",
    "means:never:delete-runner:404-but-there:1:1x",
    "listen-means:open-session:302:once",
    "listen-means:delete-runner:302:once",
)
"""What the program once believed."""


def takes_a_minute(name: str) -> bool:
    """An undo that is refused for ever: left to `make faults`."""
    return name.endswith(":for-ever") and any(f":{operation}:" in name for operation in UNDOING)


def test_wrong_meanings_are_not_believed(binary: Path) -> None:
    cases = [case for case in plans.plan(["meanings", "races", "strangers", "listens"]) if case.name in KEPT]
    verdicts = play_here(cases, [str(binary)])

    assert {one.name: one.wrong for one in verdicts} == {name: [] for name in KEPT}


def test_names_are_unique_and_repeatable() -> None:
    """A name in the bench's output plays that very run again."""
    first, second = plans.plan(plans.FAMILIES), plans.plan(plans.FAMILIES)
    names = [case.name for case in first]

    assert names == [case.name for case in second]
    assert len(set(names)) == len(names)
