"""Runs many cases at once: most of a run's time is waiting."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from faults.case import Case, Verdict
from faults.world import DAYS, world
from standins.aws import Moto

AT_ONCE = 5
"""Runs under way in one process."""
PART = 150
"""Runs that one moto serves."""


@dataclass(frozen=True)
class Job:
    number: int
    case: Case


class _Worker:
    """A process with a moto of its own."""

    def __init__(self, moto: Moto, command: Sequence[str], patient: bool = False) -> None:
        self._moto = moto
        self._command = command
        self._patient = patient

    def warm_up(self) -> None:
        """A fresh moto takes seconds for its first calls, which would be a fault that no run asked for."""
        with world(self._moto, self._command, DAYS["ladder"], 0) as stage:
            for _ in range(2):
                stage.step.run("start", **{**stage.day.inputs, "start-timeout": "30s"})
            stage.step.run("stop")

    def play(self, job: Job) -> Verdict:
        try:
            with world(self._moto, self._command, DAYS[job.case.day], job.number, self._patient) as stage:
                return job.case.play(stage)
        except TimeoutError as problem:
            verdict = Verdict(job.case.name, job.case.family, -1, 60, story=str(problem))
            verdict.late.append("it had not ended after a minute")
            return verdict
        except Exception as problem:
            return Verdict(job.case.name, job.case.family, -1, 0, [f"the bench itself failed: {problem!r}"])


def _serve(cases: Sequence[Job], verdicts: Any, command: Sequence[str]) -> None:
    waiting = iter(cases)
    taking = threading.Lock()
    with Moto() as moto:
        worker = _Worker(moto, command)
        worker.warm_up()

        def follow() -> None:
            while True:
                with taking:
                    job = next(waiting, None)
                if job is None:
                    return
                verdicts.put(worker.play(job))

        threads = [threading.Thread(target=follow) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # Threads that hold an answer back for ever are not worth waiting for.
    verdicts.close()
    verdicts.join_thread()
    os._exit(0)


def play_all(cases: Sequence[Case], processes: int, command: Sequence[str]) -> Iterator[Verdict]:
    """Verdicts in the order in which runs end, from so many processes, each with a moto and some runs at once."""
    # Forked, so that faults, which are functions, need not travel.
    context = multiprocessing.get_context("fork")
    verdicts = context.Queue()
    jobs = [Job(number, case) for number, case in enumerate(cases)]
    # Every so often a fresh moto: it keeps what was once there, and becomes slow.
    parts = [jobs[start : start + PART] for start in range(0, len(jobs), PART)]
    working: list[Any] = []
    heard = 0
    while heard < len(jobs):
        working = [worker for worker in working if worker.is_alive()]
        while parts and len(working) < processes:
            worker = context.Process(target=_serve, args=(parts.pop(0), verdicts, command))
            worker.start()
            working.append(worker)
        with contextlib.suppress(queue.Empty):
            yield verdicts.get(timeout=0.5)
            heard += 1


def play_here(cases: Iterable[Case], command: Sequence[str], at_once: int = 3) -> list[Verdict]:
    """For pytest, whose workers are processes of their own and share the machine with other tests: fewer at once."""
    jobs = [Job(number, case) for number, case in enumerate(cases)]
    with Moto() as moto:
        worker = _Worker(moto, command, patient=True)
        worker.warm_up()
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(worker.play, jobs))
