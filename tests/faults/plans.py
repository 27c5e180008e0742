"""All families of runs, and how to choose from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from faults.asking import asking
from faults.cancels import cancels, kills
from faults.case import Case
from faults.listens import listens
from faults.lives import fates
from faults.others import others
from faults.pairs import pairs
from faults.races import races
from faults.sign_ins import sign_ins
from faults.singles import singles, wrong_meanings
from faults.strangers import strangers
from faults.undone import while_undone

SEED = 20261123
_FAMILIES: dict[str, Callable[[int], Iterable[Case]]] = {
    "singles": lambda _seed: singles(),
    "meanings": lambda _seed: wrong_meanings(),
    "pairs": pairs,
    "cancels": lambda seed: (*cancels(seed), *while_undone()),
    "kills": kills,
    "fates": lambda _seed: fates(),
    "races": races,
    "strangers": lambda _seed: strangers(),
    "asking": lambda _seed: asking(),
    "sign-ins": lambda _seed: sign_ins(),
    "listens": lambda seed: (*listens(seed), *others()),
}
FAMILIES = tuple(_FAMILIES)


def plan(families: Sequence[str], seed: int = SEED, every: int = 1, names: Sequence[str] | None = None) -> list[Case]:
    cases: list[Case] = []
    for family in families:
        # From each family, so that a bounded run has some of everything.
        cases += list(_FAMILIES[family](seed))[::every]
    return [case for case in cases if not names or any(name in case.name for name in names)]
