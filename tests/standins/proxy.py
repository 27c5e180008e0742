"""The endpoint that the binary gets as AWS_ENDPOINT_URL_EC2: it records, spoils where told, and passes on to moto."""

from __future__ import annotations

import http.client
import json
import re
import threading
from dataclasses import asdict, dataclass

from standins.ec2.xml import error_xml
from standins.gate import Fault, Gate, answer
from standins.server import Handler, Outcome, Request, Response, Server

# Between a proxy and the next hop; everything else is passed on as it came, so that the signature stays valid.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length", "accept-encoding"}


@dataclass
class Behaviour:
    """How instances behave that are launched or ended through one proxy, in seconds."""

    pending: float = 0.1
    """From RunInstances to `running`."""
    shutting_down: float = 0.1
    """From TerminateInstances to `terminated`."""
    unknown: float = 0.0
    """How long a fresh instance is unknown to DescribeInstances and TerminateInstances (eventual consistency)."""
    untagged: float = 0.0
    """How long DescribeInstances does not find a fresh instance by its tags."""


class Proxy:
    """One test's own way to the shared moto."""

    def __init__(self, upstream_port: int, account: str, behaviour: Behaviour | None = None) -> None:
        """`account` keeps this proxy's instances apart from all others'."""
        self.behaviour = behaviour or Behaviour()
        self._account = account
        self._upstream_port = upstream_port
        self._connections = threading.local()
        self.gate = Gate(operation, self.forward)
        self._server = Server(self.gate)
        self.url = self._server.url

    def forward(self, request: Request) -> Outcome:
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        headers["X-Standins"] = json.dumps({"account": self._account, **asdict(self.behaviour)})
        for attempt in (1, 2):
            connection = self._connection(fresh=attempt == 2)
            try:
                connection.request(request.method, request.target, request.body, headers)
                reply = connection.getresponse()
                content = reply.read()
            except (ConnectionError, http.client.HTTPException):
                # A kept connection may have been closed under us; a fresh one that fails is moto's own end.
                if attempt == 2:
                    raise
            else:
                return Response(reply.status, {"Content-Type": reply.getheader("Content-Type", "text/xml")}, content)
        raise AssertionError("unreachable")

    def _connection(self, *, fresh: bool) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._connections, "kept", None)
        if kept is None or fresh:
            kept = http.client.HTTPConnection("127.0.0.1", self._upstream_port, timeout=60)
            self._connections.kept = kept
        return kept

    def close(self) -> None:
        self._server.close()


def operation(request: Request) -> str:
    """EC2's own name of what is asked: `RunInstances`; a dry run is its own operation, `RunInstances:DryRun`."""
    form = request.form
    if "Action" not in form:
        return f"{request.method} {request.path}"
    return form["Action"] + (":DryRun" if form.get("DryRun") == "true" else "")


def region_of(request: Request) -> str:
    """The region that a request was signed for."""
    found = re.search(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/", request.headers.get("authorization", ""))
    return found[1] if found else ""


def ec2_error(code: str, message: str = "injected by the stand-in", status: int = 400, **headers: str) -> Fault:
    """EC2 answers with this error and does nothing."""
    return answer(
        Response(status, {"Content-Type": "text/xml;charset=UTF-8", **headers}, error_xml(code, message).encode())
    )


def no_capacity(gate: Gate, *full: tuple[str, str, str]) -> None:
    """RunInstances finds no capacity in the places of `full`: (type, zone, market), `*` standing for any.

    Without `full`, nowhere. A launch without a zone leaves the zone to EC2: only `*` meets it.
    """
    places = full or (("*", "*", "*"),)

    def is_full(request: Request) -> bool:
        form = request.form
        wanted = (
            form.get("InstanceType", ""),
            form.get("Placement.AvailabilityZone", ""),
            "spot" if form.get("InstanceMarketOptions.MarketType") == "spot" else "on-demand",
        )
        return any(all(p in ("*", w) for p, w in zip(place, wanted, strict=True)) for place in places)

    def refuse(request: Request, _serve: Handler) -> Outcome:
        form = request.form
        zone = form.get("Placement.AvailabilityZone")
        where = f"in the Availability Zone you requested ({zone})" if zone else "in the Region"
        message = (
            f"We currently do not have sufficient {form.get('InstanceType')} capacity {where}. Our system will be "
            "working on provisioning additional capacity."
        )
        # EC2 sends this one as a server error, which is why SDKs retry it in vain.
        return ec2_error("InsufficientInstanceCapacity", message, 500)(request, _serve)

    gate.fail("RunInstances", refuse, times=None, when=is_full)
