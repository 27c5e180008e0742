"""One run of the bench, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from faults.world import World
from standins.program import Run


class Case(Protocol):
    @property
    def name(self) -> str:
        """Says everything: the same name is the same run."""

    @property
    def family(self) -> str:
        """The row of the table that it counts in."""

    @property
    def day(self) -> str:
        """One of `world.DAYS`."""

    def play(self, world: World) -> Verdict: ...


@dataclass
class Verdict:
    name: str
    family: str
    code: int
    seconds: float
    broken: list[str] = field(default_factory=list)
    """How the promise was broken."""
    wrong_code: list[str] = field(default_factory=list)
    wrong_cause: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    left_to_stop: bool = False
    """An API refused for ever what would have undone the launch; the message named it and the next `stop` ended it."""
    undone_in: float | None = None
    """From a cancel to the exit."""
    story: str = ""

    @property
    def wrong(self) -> list[str]:
        """What no machine excuses, however busy it is."""
        return [*self.broken, *self.wrong_code, *self.wrong_cause]

    @property
    def problems(self) -> list[str]:
        return [*self.wrong, *self.late]

    def must_name(self, run: Run, *words: str) -> None:
        """A failure's message must hold one of these words."""
        message = "\n".join(run.annotations)
        if run.code != 0 and not any(word in message for word in words):
            self.wrong_cause.append(f"the message names none of {', '.join(words) or 'nothing'}")
        if "panicked" in run.log:
            self.broken.append("it panicked")

    def record(self, world: World, *runs: Run) -> None:
        self.story = world.story(*runs) + self.story if self.problems else ""
