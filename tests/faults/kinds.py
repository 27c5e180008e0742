"""What can go wrong with one call, and what should come of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from standins.ec2.xml import error_xml
from standins.gate import Fault, acted_but, answer, garbage, late, lost, reset, truncated
from standins.server import Cut, Handler, Outcome, Request, Response

SILENCE = 60.0
"""Longer than any run here may take: who waits for the answer waits in vain."""


class Nature(Enum):
    PASSING = "the same call succeeds a little later"
    HARMLESS = "odd, and right all the same"
    FAR = "the server names a time that lies beyond every deadline"
    FULL = "another rung of the ladder may do, and this one later"
    NO_SPOT = "spot is out of reach, on-demand is not"
    BASELINE = "the default volume may do"
    FINAL = "no call of this kind will succeed"


@dataclass(frozen=True)
class Kind:
    name: str
    fault: Fault
    nature: Nature
    words: tuple[str, ...]
    """A message names the true cause if one of these stands in it."""

    def __str__(self) -> str:
        return self.name

    @property
    def waits(self) -> bool:
        """Whether it keeps the caller waiting for longer than a moment, even once."""
        return self.nature is Nature.FAR or self.name in ("silent", "mute", "drip")


def silent(_request: Request, _serve: Handler) -> Outcome:
    """No answer ever comes, and nothing was done."""
    threading.Event().wait(SILENCE)
    return Cut()


def mute(request: Request, serve: Handler) -> Outcome:
    """The stand-in acts, and no answer ever comes."""
    serve(request)
    threading.Event().wait(SILENCE)
    return Cut()


def empty(request: Request, serve: Handler) -> Outcome:
    """The stand-in acts, and its answer has its status and no body."""
    outcome = serve(request)
    return Response(outcome.status, outcome.headers) if isinstance(outcome, Response) else outcome


NO_ANSWER = ("got no answer", "did not answer", "unreadable")
BROKEN_CONNECTIONS = (
    Kind("reset", reset, Nature.PASSING, NO_ANSWER),
    Kind("lost", lost, Nature.PASSING, NO_ANSWER),
    Kind("silent", silent, Nature.PASSING, NO_ANSWER),
    Kind("mute", mute, Nature.PASSING, NO_ANSWER),
    Kind("late", late(1.5), Nature.PASSING, NO_ANSWER),
    Kind("garbage", garbage, Nature.PASSING, NO_ANSWER),
    Kind("truncated", truncated, Nature.PASSING, NO_ANSWER),
    Kind("empty", empty, Nature.PASSING, NO_ANSWER),
)

PAGE = b"<html><body><h1>Something went wrong</h1></body></html>"


def page(status: int, **headers: str) -> Response:
    return Response(status, {"Content-Type": "text/html", **headers}, PAGE)


def http_statuses() -> Iterator[Kind]:
    """What a proxy or a load balancer says, in no API's words."""
    for status in (429, 500, 502, 503):
        words = (f"HTTP {status}", f"answered {status}", "slow down")
        yield Kind(f"{status}", answer(page(status)), Nature.PASSING, words)
        waiting = answer(page(status, **{"Retry-After": "1"}))
        yield Kind(f"{status}+retry-after", waiting, Nature.PASSING, words)
    yield Kind("502-acted", acted_but(page(502)), Nature.PASSING, ("HTTP 502", "answered 502"))


def ec2_answer(code: str, status: int, **headers: str) -> Response:
    body = error_xml(code, "injected by the stand-in").encode()
    return Response(status, {"Content-Type": "text/xml;charset=UTF-8", **headers}, body)


def coded(code: str, status: int, nature: Nature, *words: str) -> Kind:
    return Kind(code, answer(ec2_answer(code, status)), nature, (code, *words))


SKEWED = answer(ec2_answer("RequestExpired", 400, Date="Sun, 22 Nov 2026 03:04:05 GMT"))

# What any call to EC2 can meet.
EC2_KINDS = (
    *BROKEN_CONNECTIONS,
    *http_statuses(),
    coded("RequestLimitExceeded", 503, Nature.PASSING),
    coded("Throttling", 400, Nature.PASSING),
    coded("InternalError", 500, Nature.PASSING),
    coded("InternalFailure", 500, Nature.PASSING),
    coded("Unavailable", 503, Nature.PASSING),
    coded("ServiceUnavailable", 503, Nature.PASSING),
    Kind(
        "InternalError-acted",
        acted_but(ec2_answer("InternalError", 500)),
        Nature.PASSING,
        ("InternalError",),
    ),
    Kind(
        "RequestLimitExceeded+retry-after",
        answer(ec2_answer("RequestLimitExceeded", 503, **{"Retry-After": "1"})),
        Nature.PASSING,
        ("RequestLimitExceeded",),
    ),
    coded("UnauthorizedOperation", 403, Nature.FINAL, "AWS refused `ec2:"),
    coded("RequestExpired", 400, Nature.FINAL, "expired"),
    Kind("clock-skew", SKEWED, Nature.FINAL, ("clock",)),
    coded("AuthFailure", 401, Nature.FINAL),
    coded("InvalidClientTokenId", 403, Nature.FINAL),
    coded("SignatureDoesNotMatch", 403, Nature.FINAL),
    coded("OptInRequired", 401, Nature.FINAL),
)

# What RunInstances alone can meet.
LAUNCH_KINDS = (
    *(
        coded(code, status, Nature.FULL)
        for code, status in (
            ("InsufficientInstanceCapacity", 500),
            ("InsufficientHostCapacity", 500),
            ("InsufficientReservedInstanceCapacity", 400),
            ("UnfulfillableCapacity", 400),
            ("SpotMaxPriceTooLow", 400),
            ("Unsupported", 400),
            ("InsufficientFreeAddressesInSubnet", 400),
            ("VcpuLimitExceeded", 400),
            ("InstanceLimitExceeded", 400),
        )
    ),
    coded("MaxSpotInstanceCountExceeded", 400, Nature.NO_SPOT),
    coded("AuthFailure.ServiceLinkedRoleCreationNotPermitted", 403, Nature.NO_SPOT),
    coded("MaxIOPSLimitExceeded", 400, Nature.BASELINE),
    coded("VolumeLimitExceeded", 400, Nature.BASELINE),
    *(
        coded(code, 400, Nature.FINAL)
        for code in (
            "InvalidParameterValue",
            "InvalidParameterCombination",
            "InvalidAMIID.NotFound",
            "InvalidAMIID.Malformed",
            "InvalidSubnetID.NotFound",
            "InvalidGroup.NotFound",
            "InvalidUserData.Malformed",
            "IdempotentParameterMismatch",
        )
    ),
)

# An id that EC2's parts have not all heard of yet.
UNKNOWN_ID = coded("InvalidInstanceID.NotFound", 400, Nature.PASSING)


def github_answer(status: int, text: str, **headers: str) -> Response:
    body = {"message": text, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Response.of_json(status, body, **headers)


LIMITED = ("slow down",)
GITHUB_KINDS = (
    *BROKEN_CONNECTIONS,
    *http_statuses(),
    Kind(
        "secondary-limit",
        answer(github_answer(403, "You have exceeded a secondary rate limit.")),
        Nature.PASSING,
        LIMITED,
    ),
    Kind(
        "secondary-limit+retry-after",
        answer(github_answer(403, "You have exceeded a secondary rate limit.", **{"Retry-After": "1"})),
        Nature.PASSING,
        LIMITED,
    ),
    Kind(
        "rate-limit",
        # Long over by this machine's clock: only the answer's own date tells how long is left.
        answer(
            github_answer(
                403,
                "API rate limit exceeded",
                Date="Mon, 05 Jan 2026 10:00:00 GMT",
                **{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767607201"},
            )
        ),
        Nature.PASSING,
        LIMITED,
    ),
    Kind("401", answer(github_answer(401, "Bad credentials")), Nature.FINAL, ("answered 401",)),
    Kind(
        "403",
        answer(github_answer(403, "Resource not accessible by personal access token")),
        Nature.FINAL,
        ("answered 403",),
    ),
    Kind("404", answer(github_answer(404, "Not Found")), Nature.FINAL, ("answered 404", "vanished")),
    Kind("422", answer(github_answer(422, "Validation Failed")), Nature.FINAL, ("answered 422", "still runs a job")),
)
TAKEN_NAME = Kind("409", answer(github_answer(409, "Already exists")), Nature.PASSING, ("answered 409",))

INDEX_KINDS = (
    *BROKEN_CONNECTIONS,
    *http_statuses(),
    Kind("404", answer(page(404)), Nature.FINAL, ("image index",)),
)
