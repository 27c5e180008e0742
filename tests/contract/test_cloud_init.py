"""cloud-init reads the user data as what it is meant to be.

`cloud-init schema` judges `#cloud-config` alone, and Debian 12's refuses anything else; our user data is a boothook. So
cloud-init's own reader is asked instead, which is what decides on an instance whether the script runs at all. That it
runs, and what it does, tests/boot shows.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from standins.cache import cache_dir

SPEC = {
    "jit_config": "eyJqaXQiOiJjb25maWcifQ==",
    "home": None,
    "url": "https://github.com/actions/runner/releases/download/v2.330.0/actions-runner-linux-x64-2.330.0.tar.gz",
    "sha256": "0" * 64,
    "user": "runner",
    "sudo": True,
    "setup": "echo 'set up'\n",
    "start_timeout": 300,
    "idle_timeout": 600,
    "max_lifetime": 21600,
    "metadata_open": False,
    "label": "sprinters-1",
    "name": "sprinters-1-x",
}


@pytest.fixture
def user_data() -> bytes:
    """As `start` sends it to EC2."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or cache_dir() / "target")
    program = target / "debug" / "examples" / "boot-user-data"
    if not program.exists():
        pytest.skip(f"{program} is missing; run `cargo build --examples`")
    return subprocess.run([program], input=json.dumps(SPEC).encode(), stdout=subprocess.PIPE, check=True).stdout


def test_user_data_is_one_boothook(user_data: bytes, tmp_path: Path) -> None:
    package = cache_dir() / "cloud-init" / "usr" / "lib" / "python3" / "dist-packages"
    if not package.is_dir():
        pytest.skip("cloud-init is missing; run `.ci/setup cloud_init`")
    read = subprocess.run(
        ["/usr/bin/python3", Path(__file__).with_name("cloud_init_parts.py"), tmp_path],
        input=user_data,
        env={"PYTHONPATH": str(package)},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert read.stdout.decode().splitlines() == ["text/cloud-boothook"]


def test_the_script_as_instances_get_it_passes_shellcheck(user_data: bytes, tmp_path: Path) -> None:
    script = tmp_path / "user-data"
    script.write_bytes(gzip.decompress(user_data).removeprefix(b"#cloud-boothook\n"))
    # Some values are for the log or for one of several sources of the runner, and some functions are called by their
    # name from a unit.
    check = subprocess.run(
        [sys.prefix + "/bin/shellcheck", "--shell=sh", "--exclude=SC2034,SC2317,SC2329", script],
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stdout + check.stderr
