"""An EC2 for very many instances: it answers as EC2 does, checks nothing, and puts each runner online by itself.

moto keeps a whole model of every instance and evaluates policies for each, which takes longer than what is to be
measured with a thousand of them.
"""

from __future__ import annotations

import itertools
import threading
import time
from types import TracebackType

from standins import images
from standins.ec2.policy import listed, tag_specifications
from standins.gate import Gate
from standins.github import GitHub
from standins.proxy import operation
from standins.server import Request, Response, Server

NAMESPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


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
        self._by_token: dict[str, str] = {}
        self._lock = threading.Lock()
        self.living: dict[str, str] = {}
        """Instance id → runner id."""
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
                wanted = set(listed(form, r"Filter\.1\.Value")) or set(self.living)
                # EC2 refuses more.
                if len(wanted) > 200:
                    return Response(400, {"Content-Type": "text/xml"}, b"<Response/>")
                items = "".join(_item(one) for one in self.living if one in wanted)
                return _answer(
                    "DescribeInstances",
                    f"<reservationSet><item><instancesSet>{items}</instancesSet></item></reservationSet>",
                )
            case _:
                for one in listed(form, "InstanceId"):
                    self.living.pop(one, None)
                return _answer(form.get("Action", ""), "<instancesSet/>")

    def _launch(self, form: dict[str, str]) -> str:
        with self._lock:
            known = self._by_token.get(form["ClientToken"])
            if known:
                return known
            one = f"i-{next(self._numbers):017x}"
            self._by_token[form["ClientToken"]] = one
            self.living[one] = tag_specifications(form)["instance"]["sprinters:runner-id"]
        threading.Timer(self._online_after, self._connect, [one]).start()
        return one

    def _connect(self, one: str) -> None:
        runners = self._github.runners
        runner = runners.get(int(self.living.get(one, "0")))
        if runner is None:
            return
        runners.connect(runner)
        if self._job_takes is not None and runners.assign(runner, 60):
            time.sleep(self._job_takes)
            runners.finish(runner, "Succeeded", "")
            self.living.pop(one, None)

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


def _item(one: str) -> str:
    return (
        f"<item><instanceId>{one}</instanceId><imageId>{images.OWN_X64}</imageId>"
        "<instanceState><code>16</code><name>running</name></instanceState><instanceType>m7i.large</instanceType>"
        "<placement><availabilityZone>eu-central-1a</availabilityZone></placement>"
        "<rootDeviceName>/dev/sda1</rootDeviceName></item>"
    )
