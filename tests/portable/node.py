"""Runs a piece of JavaScript with the modules of portable/, as Node 20 sees them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from standins import builds
from standins.program import ROOT

HOST = ROOT / "portable"


def node() -> str:
    return builds.portable("20")[0]


def told(script: str, *arguments: object) -> Any:
    """What the script hands to `tell`; `host(name)` imports a module of portable/, `given` are the arguments."""
    before = f"""
      const host = (name) => import({json.dumps(HOST.as_uri())} + "/" + name);
      const given = JSON.parse(process.argv[1]);
      const tell = (value) => console.log(JSON.stringify(value));
    """
    command = [node(), "--input-type=module", "--eval", before + script, json.dumps(arguments)]
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
