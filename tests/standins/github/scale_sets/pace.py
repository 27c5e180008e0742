"""How long things take at GitHub, in seconds. A test makes them short."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Pace:
    hold: float = 50
    """How long a request for the next message stays open."""
    session: float = 120
    """How long a session lives after its last request for a message."""
    queue_token: float = 3600
    admin_token: float = 3600
    registration_token: float = 3600
    offer: float = 60
    """When a job that was offered and not acquired is offered again."""
    assignment: float = 900
    """When a job that was assigned and not taken by a runner is withdrawn and assigned again."""
    redelivery: float = 30
    """When a message that was delivered and not deleted comes again, although the client asks for later ones."""

    def hurry(self) -> None:
        """For tests, which cannot wait for minutes."""
        self.hold, self.session, self.offer, self.assignment, self.redelivery = 2, 2, 2, 60, 2
