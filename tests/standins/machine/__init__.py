"""The instance: a Debian root in which real systemd and real cloud-init boot the very user data that EC2 was given.

It has its own network, with the instance metadata service at EC2's address, and reaches this host's stand-ins under the
same loopback addresses as the host does. What it writes goes to a layer of its own, which a test can search afterwards.
"""

from __future__ import annotations

from standins.machine.boot import Machine
from standins.machine.root import available

__all__ = ["Machine", "available"]
