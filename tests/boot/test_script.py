"""The script itself: shells and linters accept it, and it stays small."""

from __future__ import annotations

import gzip
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SETUP = '#!/bin/sh\necho "it\'s here"\n'
BODY = Path(__file__).parents[2] / "src" / "boot" / "boothook.sh"


ALL = {
    "temp": "gp3",
    "temp_gib": 64,
    "swap_gib": 4,
    "job_started": SETUP,
    "job_completed": SETUP,
    "https_proxy": "http://ci:hush@proxy.example.com:3128",
    "http_proxy": "http://ci:hush@proxy.example.com:3128",
    "no_proxy": ".example.com,10.0.0.0/8",
    # A certificate is about as long, and hardly compresses.
    "certificates": secrets.token_urlsafe(1500),
}


@pytest.fixture(params=[{}, ALL], ids=["plain", "with everything"])
def script(render: Callable[..., bytes], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The script as cloud-init runs it: without its first line."""
    first, _, rest = gzip.decompress(render(setup=SETUP, **request.param)).decode().partition("\n")
    assert first == "#cloud-boothook"
    path = tmp_path / "part-001"
    path.write_text(rest)
    return path


def need(program: str) -> str:
    found = shutil.which(program)
    if not found:
        missing = f"needs {program}: `apt-get install {program}`"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


# sh is dash on Debian and Ubuntu and bash on Amazon Linux.
@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["bash"]], ids=" ".join)
def test_each_distribution_s_shell_parses_it(script: Path, shell: list[str]) -> None:
    subprocess.run([need(shell[0]), *shell[1:], "-n", str(script)], check=True)


def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    done = subprocess.run([need("shellcheck"), "--norc", "--shell=sh", str(script)], stdout=subprocess.PIPE, text=True)
    assert done.stdout == ""


def test_it_fits_with_room_to_spare(render: Callable[..., bytes]) -> None:
    # GitHub's JIT configs hold an RSA key: about 5,000 characters, of which gzip saves a quarter.
    sent = render(jit_config=secrets.token_urlsafe(3750))
    plain = render()
    everything = render(jit_config=secrets.token_urlsafe(3750), **ALL)
    print(f"user data: {len(plain)} bytes without a JIT config, {len(everything)} with everything; the limit is 16384")
    assert len(plain) <= 6_144
    assert len(everything) <= 15_360
    print(
        f"user data: {len(sent)} bytes; the limit is 16384, the goal 12288; {len(BODY.read_text().splitlines())} lines"
    )
    assert len(sent) <= 12_288
