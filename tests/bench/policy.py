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

from playwright.sync_api import Page, sync_playwright

from bench import yardstick
from bench.table import Row, at_least, at_most, spread
from bench.world import World
from browser.checker import Checker
from browser.conftest import CHROMIUM, QUIET
from browser.site import Site
from browser.typing_keys import WATCH, Typing, six_kilobytes
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
    syntax = web["rates"][1]["peer"]
    iam_rs = float(output(peers.folder / "target" / "release" / "peer", SEED))
    parliament = [float(output(peers.python, PEERS / "rate.py", policy)) for policy in (SEED, large)]
    rows = [
        at_least(
            2,
            "iam-rs",
            verdict,
            iam_rs,
            what="policy: verdict on the six permissions, native",
            result=f"{verdict:,.0f}/s",
        ),
        beside("iam-rs 0.8.0, the same twelve requests", iam_rs, verdict),
        beside("parliament 1.6.4, which gives no verdict", parliament[0], verdict),
        at_least(
            1,
            "@cloud-copilot/iam-policy's syntax check",
            lint,
            syntax,
            what="policy: lint of 6 KB with the names of all services, native",
            result=f"{lint:,.0f}/s",
        ),
        beside("parliament 1.6.4", parliament[1], lint),
        beside("@cloud-copilot/iam-policy 0.1.109, syntax alone", syntax, lint),
    ]
    # The answer is written as JSON there, which the native rows leave out.
    web_verdict, web_lint = web["rates"][0]["verdict"], web["rates"][1]["lint"]
    rows += [
        at_least(
            1,
            "iam-rs, native",
            web_verdict,
            iam_rs,
            what="policy: verdict in WebAssembly, Node",
            result=f"{web_verdict:,.0f}/s, {web_verdict / verdict:.0%} of native",
        ),
        at_least(
            0.4,
            "@cloud-copilot/iam-policy's syntax check",
            web_lint,
            syntax,
            what="policy: lint of 6 KB in WebAssembly, Node",
            result=f"{web_lint:,.0f}/s, {web_lint / lint:.0%} of native",
        ),
    ]
    return [*rows, cold_engine(peers, world)]


def cold_engine(peers: Peers, world: World) -> Row:
    """A new Node each time, as a workflow step has it; Node's own start is not counted."""
    bench = ROOT / "tests" / "bench" / "policy.mjs"

    def once(how: str) -> float:
        run = json.loads(output("node", bench, ROOT / "dist" / "policy", peers.folder, SEED, how))
        return float(run["load"] + run["first"])

    pairs = [(once("--cold"), once("--alone")) for _ in range(world.times(20))]
    took, alone = ([pair[at] for pair in pairs] for at in (0, 1))
    return at_most(
        1.3,
        f"the module compiled and instantiated alone ({statistics.median(alone):.1f} ms)",
        statistics.median(took),
        statistics.median(alone),
        what="policy: the engine's cold start and first check, Node",
        result=spread(took, "ms", 1),
    )


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
    empty = yardstick.median(yardstick.empty_process, 50) * 1000
    return [
        at_most(
            3,
            f"an empty process ({empty:.1f} ms)",
            middle,
            empty,
            what="policy: a whole process for one file",
            result=spread(ours, "ms", 1),
        ),
        Row("  parliament", "", f"{spread(theirs, 'ms', 0)}: we are {factor:.0f} times as fast", None),
    ]


def milliseconds(command: list[str | Path]) -> float:
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (time.monotonic() - began) * 1000


def text_output(world: World) -> list[Row]:
    """a policy of 100 KB and one of 1 MB, which is the most, each on one line and full of mistakes"""
    took = {}
    for kilobytes in (100, 1_000):
        file = world.folder / f"{kilobytes}.json"
        file.write_text(one_line(kilobytes * 1_000))
        took[kilobytes] = min(milliseconds([world.binary, "policy", file]) for _ in range(5))
    return [
        at_most(
            1.5,
            "100 KB's time a byte",
            took[1_000] / 10,
            took[100],
            what="policy: text output of 1 MB on one line",
            result=f"{took[1_000]:.0f} ms, and {took[100]:.0f} ms for 100 KB",
        )
    ]


def one_line(length: int) -> str:
    statement = '{"Effect":"Allow","Action":["ec2:RunInstances","ec2:NoSuchAction"],"Resource":"*"}'
    statements = ",".join([statement] * (length // (len(statement) + 1)))
    return f'{{"Version":"2012-10-17","Statement":[{statements}]}}'


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
            empty = empty_editor(context.new_page(), site, world.times(100))
            browser.close()
    finally:
        site.close()
    extra = statistics.median(took) - statistics.median(empty)
    return [
        Row(
            "policy: key → verdict and underlines, 6 KB, Chromium",
            "≤ one frame more than CodeMirror alone",
            f"{spread(took, 'ms', 1)}: {extra / FRAME_MS:.2f} frames more",
            extra <= FRAME_MS,
        ),
        Row("  CodeMirror alone, with the same text", "", spread(empty, "ms", 1), None),
    ]


def empty_editor(page: Page, site: Site, keys: int) -> list[float]:
    """Milliseconds from a key to its letter in a CodeMirror without anything of ours."""
    bundle = [ROOT / "docs" / "web" / "node_modules" / ".bin" / "esbuild", ROOT / "tests" / "bench" / "codemirror.mjs"]
    options = ["--bundle", "--minify", "--log-level=error", f"--outfile={site.files / 'codemirror.js'}"]
    modules = {**os.environ, "NODE_PATH": str(ROOT / "docs" / "web" / "node_modules")}
    subprocess.run([*bundle, *options], env=modules, check=True)
    (site.files / "codemirror.html").write_text('<!doctype html><body><script src="codemirror.js"></script>')
    page.goto(f"{site.url}codemirror.html")
    page.evaluate("text => window.begin(text)", six_kilobytes())
    page.evaluate(f"{WATCH} watch(document, [document.querySelector('.cm-content')]);")
    page.locator(".cm-content").focus()
    for number in range(keys):
        page.keyboard.type("abcdefghij"[number % 10])
        page.wait_for_function("pressed => window.took.length === pressed", arg=number + 1)
    took: list[float] = page.evaluate("window.took")
    return took
