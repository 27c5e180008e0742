"""The tables of docs/src/faults.md, out of the very kinds and calls: `python tests/faults --book` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from faults import asking, listens, meanings, plans, races, sign_ins, singles
from faults.kinds import EC2_KINDS, GITHUB_KINDS, INDEX_KINDS, LAUNCH_KINDS, TAKEN_NAME, UNKNOWN_ID, Kind, Nature

PAGE = Path(__file__).resolve().parents[2] / "docs" / "src" / "faults.md"
MARK = "<!-- What follows is written by `python tests/faults --book`. -->\n"

# What comes, in words; EC2's codes are their own words.
SAYS = {
    "reset": "the connection is reset, and nothing is done",
    "lost": "done, and a reset instead of the answer",
    "silent": "no answer ever, and nothing is done",
    "mute": "done, and no answer ever",
    "late": "the request arrives 1.5 s late",
    "garbage": "done, and the answer is neither XML nor JSON",
    "truncated": "done, and the connection ends in the middle of the answer",
    "empty": "done, and the answer has no body",
    "502-acted": "done, and HTTP 502 all the same",
    "InternalError-acted": "done, and `InternalError` all the same",
    "RequestLimitExceeded+retry-after": "`RequestLimitExceeded` with `Retry-After: 1`",
    "clock-skew": "`RequestExpired` from a server whose `Date` is days away",
    "AuthFailure+skew": "`AuthFailure` from a server whose `Date` is days away",
    "SignatureDoesNotMatch+skew": "`SignatureDoesNotMatch` from a server whose `Date` is days away",
    "secondary-limit": "403, a secondary rate limit",
    "secondary-limit+retry-after": "403, a secondary rate limit, `Retry-After: 1`",
    "rate-limit": "403, the rate limit, which is reset at once by the server's clock",
    "401": "401",
    "403": "403",
    "404": "404",
    "409": "409: the name is taken",
    "422": "422",
    "portal": "a captive portal's page with status 200",
    "cut": "done, and half of the answer, well framed",
    "oversized": "done, and an answer of 9 MiB",
    "drip": "done, and an answer that comes byte by byte, for minutes",
    "date-skewed": "the right answer from a server whose `Date` is days away",
    "hollow": "the right document with nothing in it, and nothing is done",
    "302": "a redirect with `Location`, which nobody may follow",
    "retry-after-huge": "slow down, `Retry-After: 18446744073709551615`",
    "retry-after-far": "slow down, `Retry-After` on the last day of the year 9999",
    "retry-after-negative": "slow down, `Retry-After: -1`",
    "retry-after-past": "slow down, `Retry-After` at a date that is over",
    "reset-far": "403, the rate limit, reset in the year 5138",
    "reset-huge": "403, the rate limit, reset at 18446744073709551615",
    "202": "202, and nothing is done",
    "202-acted": "done, and 202",
    "200": "200 with `{}` where 201, 204 or a document is due, and nothing is done",
    "200-acted": "done, and 200 with `{}` where 201, 204 or a document is due",
    "204": "204 where a document is due",
    "null": "done, and `null`",
    "408": "408",
    "abuse": "403 in the words of the old abuse detection",
    "shrunk": "a list with half of its entries, and the `total_count` of all",
    "404-but-there": "404 at the `DELETE` of a record that is there",
}
HOLDS = {
    Nature.PASSING: "What may pass. Once: it works all the same. For ever: it fails, names this and all that is left.",
    Nature.HARMLESS: "What is odd, and right all the same. Nothing comes of it.",
    Nature.FAR: "A wait beyond every deadline. Nobody waits until then; what ends something is asked once more.",
    Nature.FULL: "No capacity. The next candidate; exit code 3 where all are full.",
    Nature.NO_SPOT: "No spot. On-demand where that is allowed.",
    Nature.BASELINE: "No such volume. Once more with the baseline where that is another.",
    Nature.FINAL: "What will not pass. It fails at once, names this, and undoes everything.",
}
STORIES = {
    "two faults": "any two of these in one run",
    "cancelled at a call": "SIGINT as a call arrives or is answered, 7.5 s later SIGTERM, 2.5 s later SIGKILL",
    "cancelled at random": "the same at any moment, with servers that take up to 0.6 s",
    "cancelled, and a fault": "the same, and one call fails",
    "cancelled while undone": "a cancel while a failed start is undone: at a call, or while it waits for a slow launch",
    "killed at once": "SIGKILL at a call or at random; the next `stop` ends what is left",
    "instances and runners": "instances that die for each of EC2's reasons, or come late or never; records that vanish",
    "stop against stop": "two `stop` at once",
    "stop of nothing": "`stop` in a run that launched nothing",
    "stop against start": "`stop` at any moment of a `start`",
    "sweep against a job": "a job is queued at each of sweep's calls: it runs to its end",
    "a crowd": "20 runners, of which every third launch fails, or for some of which there is no room",
    "one of many": "EC2 refuses to end one of six, or does not know it: the others end, the one is named",
    "others' records": "a stranger's number in the tag, pages that shift, a wrong 404: nobody else's runner is touched",
    "GitHub lags": "records that GitHub neither gets nor lists for their first 4 s",
    "a fresh App token": "401 to an App's token in its first 4.5 s, from all of GitHub's servers or from every other",
    "EC2 lags": "instances that cannot be seen, or not by their tags, for 3 s and for 20 s",
}


def render() -> str:
    return "\n".join([MARK, *_calls(), "", *_kinds(), "", *_stories()]) + "\n"


def write() -> None:
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + render())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _calls() -> list[str]:
    single = dict.fromkeys(call for calls in singles.CALLS.values() for call in calls)
    start = [*single, *singles.LISTED]
    of_modes = {
        "`start`": [call for call in start if call not in singles.UNDOING],
        "`start`, undoing": list(singles.UNDOING),
        "`stop`, `sweep`": list(races.STOPPING),
        "`check`": list(asking.CHECKED),
        "`rerun`": list(asking.RERUN),
        "an App's sign-in": list(sign_ins.SIGNING_IN),
        "`listen`": [*listens.GITHUB_CALLS, *listens.EC2_CALLS],
    }
    rows = [(mode, ", ".join(f"`{call}`" for call in calls)) for mode, calls in of_modes.items()]
    return ["## The calls", "", *_table(("mode", "calls that are spoilt"), rows)]


def _kinds() -> list[str]:
    of_github = [kind for operation in ("delete-runner", "list-runners") for kind in meanings.of(operation)]
    services = {
        "EC2": (*EC2_KINDS, *LAUNCH_KINDS, UNKNOWN_ID, *meanings.EC2_MEANINGS),
        "GitHub": (*GITHUB_KINDS, TAKEN_NAME, *of_github),
        "image index": (*INDEX_KINDS, *meanings.INDEX_MEANINGS),
    }
    rows: dict[tuple[str, Nature], list[str]] = {}
    codes: dict[tuple[str, Nature], list[str]] = {}
    for service, kinds in services.items():
        for kind in kinds:
            if (says := _says(kind)) is None:
                codes.setdefault((service, kind.nature), []).append(f"`{kind.name}`")
            elif service not in rows.setdefault((says, kind.nature), []):
                rows[says, kind.nature].append(service)
    for (service, nature), named in codes.items():
        rows[", ".join(dict.fromkeys(named)), nature] = [service]
    lines = ["## What comes instead of the answer"]
    for nature, holds in HOLDS.items():
        of_nature = [(says, ", ".join(of)) for (says, its), of in rows.items() if its is nature]
        lines += ["", f"**{holds.replace('. ', '.** ', 1)}", "", *_table(("what comes", "from"), of_nature)]
    return lines


def _says(kind: Kind) -> str | None:
    """`None` for EC2's codes, which share a row."""
    page = re.fullmatch(r"(429|5\d\d)(\+retry-after)?", kind.name)
    if page:
        return f"HTTP {page[1]} with a page" + (", `Retry-After: 1`" if page[2] else "")
    return SAYS.get(kind.name)


def _about(count: int) -> str:
    """Two digits of it, so that a case more or less changes no page."""
    unit = 10 ** max(0, len(str(count)) - 2)
    return f"{count // unit * unit:,}"


def _stories() -> list[str]:
    cases = plans.plan(plans.FAMILIES)
    counts: dict[str, int] = {}
    for case in cases:
        family = case.family.partition(":")[0]
        counts[family] = counts.get(family, 0) + 1
    rows = [(STORIES[family], _about(count)) for family, count in counts.items() if family in STORIES]
    rows.append(
        (
            "`listen`: the kinds above, kills, two listeners, expiry, lies, lost order, no network, others' numbers",
            _about(counts["listen"]),
        )
    )
    others = sum(count for family, count in counts.items() if family not in STORIES and family != "listen")
    rows += [("each kind above at each call", _about(others)), ("all", _about(len(cases)))]
    return ["## The runs", "", *_table(("what is played", "runs"), rows)]
