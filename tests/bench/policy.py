"""The policy checker: native, in WebAssembly and in the browser, beside the peers that the registries have."""

from __future__ import annotations

import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.table import Row, spread
from bench.world import World
from browser.checker import Checker
from browser.conftest import CHROMIUM, QUIET
from browser.site import Site
from browser.typing_keys import Typing
from standins.cache import cache_dir
from standins.program import ROOT

PEERS = ROOT / "tests" / "bench" / "peers"
SEED = ROOT / "wasm" / "tests" / "policies" / "plain_six.json"
FRAME_MS = 1000 / 60


@dataclass(frozen=True)
class Peers:
    """What is installed for this alone, in the cache directory."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def set_up(self) -> None:
        wanted = hashlib.sha256()
        for name in ("requirements.txt", "package-lock.json", "Cargo.lock", "src/main.rs"):
            wanted.update((PEERS / name).read_bytes())
        stamp = self.folder / "wanted"
        if stamp.exists() and stamp.read_text() == wanted.hexdigest():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", self.folder / "venv"], stdout=subprocess.DEVNULL, check=True)
        install: list[str | Path] = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", PEERS / "requirements.txt"], stdout=subprocess.DEVNULL, check=True)
        for name in ("package.json", "package-lock.json"):
            (self.folder / name).write_bytes((PEERS / name).read_bytes())
        subprocess.run(
            ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        build = ["cargo", "build", "--quiet", "--release", "--locked"]
        subprocess.run(
            build,
            cwd=PEERS,
            env={**os.environ, "CARGO_TARGET_DIR": str(self.folder / "target")},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        stamp.write_text(wanted.hexdigest())


def rates(world: World) -> list[Row]:
    """policies a second, native and in WebAssembly, beside the peers"""
    peers = Peers(cache_dir() / "peers")
    peers.set_up()
    large = world.folder / "six_kilobytes.json"
    example = native("--write", large)
    assert example == "", example
    ours = [dict(re.findall(r"(verdict|lint|everything) (\d+)", line)) for line in native(SEED, large).splitlines()]
    answer = output(
        "node", ROOT / "tests" / "bench" / "policy.mjs", ROOT / "dist" / "policy", peers.folder, SEED, large
    )
    web = json.loads(answer)
    verdict, lint = float(ours[0]["verdict"]), float(ours[1]["lint"])
    iam_rs = float(output(peers.folder / "target" / "release" / "peer", SEED))
    parliament = [float(output(peers.python, PEERS / "rate.py", policy)) for policy in (SEED, large)]
    rows = [
        fast("policy: verdict on the six permissions, native", 150_000, verdict),
        beside("iam-rs 0.8.0, the same twelve requests", iam_rs, verdict),
        beside("parliament 1.6.4, which gives no verdict", parliament[0], verdict),
        fast("policy: lint of 6 KB, native", 20_000, lint),
        beside("parliament 1.6.4", parliament[1], lint),
        beside("@cloud-copilot/iam-policy 0.1.109, syntax alone", web["rates"][1]["peer"], lint),
    ]
    for what, at, kind, reference in (("lint of 6 KB", 1, "lint", lint), ("verdict", 0, "verdict", verdict)):
        rate = web["rates"][at][kind]
        share = rate / reference
        rows.append(
            Row(f"policy: {what} in WebAssembly, Node", "≥ 40% of native", f"{rate:,.0f}/s: {share:.0%}", share >= 0.4)
        )
    return [*rows, cold_engine(peers, world)]


def cold_engine(peers: Peers, world: World) -> Row:
    """A new Node each time, as a workflow step has it; Node's own start is not counted."""
    bench = ROOT / "tests" / "bench" / "policy.mjs"
    runs = [
        json.loads(output("node", bench, ROOT / "dist" / "policy", peers.folder, SEED, "--cold"))
        for _ in range(world.times(20))
    ]
    took = [run["load"] + run["first"] for run in runs]
    result = spread(took, "ms", 1)
    return Row(
        "policy: the engine's cold start and first check, Node", "≤ 10 ms", result, statistics.median(took) <= 10
    )


def fast(what: str, reach: int, rate: float) -> Row:
    return Row(what, f"≥ {reach:,}/s", f"{rate:,.0f}/s", rate >= reach)


def beside(who: str, rate: float, ours: float) -> Row:
    return Row(f"  {who}", "", f"{rate:,.0f}/s: we are {ours / rate:,.1f} times as fast", None)


def native(*arguments: str | Path) -> str:
    """The bench of the crate, built as the release is."""
    cargo = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "sprinters-policy", "--example", "bench", "--"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(cache_dir() / "peers" / "target-native")}
    command = [*cargo, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def output(*command: str | Path) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def cold(world: World) -> list[Row]:
    """a whole process for one policy"""
    peers = Peers(cache_dir() / "peers")
    peers.set_up()
    ours = [milliseconds([world.binary, "policy", SEED]) for _ in range(world.times(50))]
    theirs = [milliseconds([peers.python, "-m", "parliament.cli", "--file", SEED]) for _ in range(world.times(20))]
    middle = statistics.median(ours)
    factor = statistics.median(theirs) / middle
    return [
        Row("policy: a whole process for one file", "≤ 10 ms", spread(ours, "ms", 1), middle <= 10),
        Row("  parliament", "", f"{spread(theirs, 'ms', 0)}: we are {factor:.0f} times as fast", None),
    ]


def milliseconds(command: list[str | Path]) -> float:
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (time.monotonic() - began) * 1000


def keystroke(world: World) -> list[Row]:
    """from a key to the updated verdict, in Chromium"""
    site = Site(world.folder / "site")
    try:
        with sync_playwright() as playwright:
            root = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *root])
            context = browser.new_context(viewport={"width": 1360, "height": 900})
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.origin)
            typing = Typing(Checker(context.new_page(), site).open())
            for key in "abcdefghij" * world.times(10):
                typing.press(key)
            took = typing.took()
            browser.close()
    finally:
        site.close()
    what = "policy: key → verdict and underlines, 6 KB, Chromium"
    return [Row(what, "≤ 16 ms", spread(took, "ms", 1), statistics.median(took) <= FRAME_MS)]
