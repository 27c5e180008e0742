"""The runner groups of organizations and enterprises."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any


@dataclass(frozen=True)
class Group:
    id: int
    name: str
    open_to: tuple[str, ...] | None = None
    """The repositories of an organization, or the organizations of an enterprise, that may use it; `None`: all."""

    def is_open_to(self, user: str) -> bool:
        return self.open_to is None or user.lower() in {name.lower() for name in self.open_to}

    def as_json(self, scope: str) -> dict[str, Any]:
        url = f"https://api.github.com/{scope}/actions/runner-groups/{self.id}"
        return {
            "id": self.id,
            "name": self.name,
            "visibility": "all" if self.open_to is None else "selected",
            "default": self.id == 1,
            "runners_url": f"{url}/runners",
            "inherited": False,
            "allows_public_repositories": False,
        }


class Groups:
    """Those of every scope (`orgs/octo`); each scope has the default group."""

    def __init__(self) -> None:
        self._groups: dict[str, list[Group]] = {}
        self._ids = count(2)

    def of(self, scope: str) -> list[Group]:
        return [Group(1, "Default"), *self._groups.get(scope.lower(), [])]

    def add(self, scope: str, name: str, open_to: tuple[str, ...] | None = None) -> Group:
        group = Group(next(self._ids), name, open_to)
        self._groups.setdefault(scope.lower(), []).append(group)
        return group
