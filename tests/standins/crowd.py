"""An EC2 for very many instances: it answers as EC2 does, checks nothing, and puts each runner online by itself.

moto keeps a whole model of every instance and evaluates policies for each, which takes longer than what is to be
measured with a thousand of them.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from xml.sax.saxutils import escape

from standins import images
from standins.ec2.policy import listed, tag_specifications
from standins.gate import Gate
from standins.github import GitHub
from standins.proxy import operation
from standins.server import Request, Response, Server

NAMESPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


@dataclass(frozen=True)
class Member:
    id: str
    tags: dict[str, str]
    launched: str
    is_spot: bool

    @property
    def runner(self) -> int:
        return int(self.tags["sprinters:runner-id"])

    def fits(self, filters: dict[str, list[str]]) -> bool:
        known = {"instance-id": self.id, "instance-state-name": "running"}
        known |= {f"tag:{name}": value for name, value in self.tags.items()}
        return all(known.get(name) in values for name, values in filters.items())


class Crowd:
    def __init__(
        self, github: GitHub, latency: float = 0, online_after: float = 0, job_takes: float | None = None
    ) -> None:
        """With `job_takes`, each runner takes a job, too, and its instance ends with it."""
        self._github = github
        self._latency = latency
        self._online_after = online_after
        self._job_takes = job_takes
        self._numbers = itertools.count(1)
        self._by_token: dict[str, Member] = {}
        self._lock = threading.Lock()
        self.living: dict[str, Member] = {}
        self.most_living = 0
        self.gate = Gate(operation, self._serve)
        self._server = Server(self.gate)
        self.url = self._server.url

    def _serve(self, request: Request) -> Response:
        time.sleep(self._latency)
        form = request.form
        match form.get("Action"):
            case "RunInstances":
                return _answer("RunInstances", f"<instancesSet>{_item(self._launch(form))}</instancesSet>")
            case "DescribeInstances":
                wanted = _filters(form)
                # EC2 refuses more.
                if any(len(values) > 200 for values in wanted.values()):
                    return Response(400, {"Content-Type": "text/xml"}, b"<Response/>")
                with self._lock:
                    items = "".join(_item(one) for one in self.living.values() if one.fits(wanted))
                return _answer(
                    "DescribeInstances",
                    f"<reservationSet><item><instancesSet>{items}</instancesSet></item></reservationSet>",
                )
            case _:
                ids = listed(form, "InstanceId")
                for one in ids:
                    self._end(one)
                items = "".join(f"<item><instanceId>{one}</instanceId></item>" for one in ids)
                return _answer(form.get("Action", ""), f"<instancesSet>{items}</instancesSet>")

    def _launch(self, form: dict[str, str]) -> Member:
        with self._lock:
            known = self._by_token.get(form["ClientToken"])
            if known:
                return known
            launched = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            is_spot = form.get("InstanceMarketOptions.MarketType") == "spot"
            tags = tag_specifications(form)["instance"]
            one = Member(f"i-{next(self._numbers):017x}", tags, launched, is_spot)
            self._by_token[form["ClientToken"]] = self.living[one.id] = one
            self.most_living = max(self.most_living, len(self.living))
        threading.Timer(self._online_after, self._connect, [one]).start()
        return one

    def _end(self, one: str) -> None:
        with self._lock:
            self.living.pop(one, None)

    def _connect(self, one: Member) -> None:
        runners = self._github.runners
        runner = runners.get(one.runner)
        if runner is None:
            return
        runners.connect(runner)
        if self._job_takes is not None and runners.assign(runner, 60):
            time.sleep(self._job_takes)
            runners.finish(runner, "Succeeded", "")
            self._end(one.id)

    def close(self) -> None:
        self._server.close()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answer(action: str, content: str) -> Response:
    text = f"<{action}Response {NAMESPACE}><requestId>0</requestId>{content}</{action}Response>"
    return Response(200, {"Content-Type": "text/xml;charset=UTF-8"}, text.encode())


def _filters(form: dict[str, str]) -> dict[str, list[str]]:
    names = {key.split(".")[1]: value for key, value in form.items() if re.fullmatch(r"Filter\.\d+\.Name", key)}
    return {name: listed(form, rf"Filter\.{number}\.Value") for number, name in names.items()}


def _item(one: Member) -> str:
    tags = "".join(f"<item><key>{escape(k)}</key><value>{escape(v)}</value></item>" for k, v in one.tags.items())
    return (
        f"<item><instanceId>{one.id}</instanceId><imageId>{images.OWN_X64}</imageId>"
        "<instanceState><code>16</code><name>running</name></instanceState><instanceType>m7i.large</instanceType>"
        f"<launchTime>{one.launched}</launchTime>"
        + ("<instanceLifecycle>spot</instanceLifecycle>" if one.is_spot else "")
        + "<placement><availabilityZone>eu-central-1a</availabilityZone></placement>"
        f"<rootDeviceName>/dev/sda1</rootDeviceName><tagSet>{tags}</tagSet></item>"
    )
