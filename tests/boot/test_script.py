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
    assert len(plain) <= 6_400
    assert len(everything) <= 15_360
    print(
        f"user data: {len(sent)} bytes; the limit is 16384, the goal 12288; {len(BODY.read_text().splitlines())} lines"
    )
    assert len(sent) <= 12_288


def counters(cpu: str, *waited: int) -> str:
    lines = [f"cpu  {cpu}", *(f"some avg10=0.00 avg60=0.00 avg300=0.00 total={total}" for total in waited)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("instance", "after", "told"),
    [
        (
            "m7i.xlarge in eu-central-1a",
            # Of 4 x 100 s: 44 s busy.
            counters("2000 0 2000 34800 500 200 200 300", 3_000_000, 0, 12_000_000),
            "used at most 3.0 of 16.0 GiB of memory and 0.5 of 2.0 GiB of swap, on average 11 % of 4 CPUs; "
            "waited 3 % of the time for a CPU, 0 % for memory, 12 % for disks: "
            "m7i.large has half of it, at half the price",
        ),
        (
            "g6.xlarge in eu-central-1a",  # half of it would have half a GPU
            counters("2000 0 2000 34800 500 200 200 300"),
            "used at most 3.0 of 16.0 GiB of memory and 0.5 of 2.0 GiB of swap, on average 11 % of 4 CPUs",
        ),
        (
            "c7g.8xlarge in eu-central-1a",
            counters("30000 0 2000 8000 0 0 0 0"),
            "used at most 3.0 of 16.0 GiB of memory and 0.5 of 2.0 GiB of swap, on average 80 % of 4 CPUs",
        ),
    ],
    ids=["small", "gpu", "busy"],
)
def test_what_the_job_used(script: Path, tmp_path: Path, instance: str, after: str, told: str) -> None:
    """With the kernel's numbers given."""
    folder = tmp_path / "run"
    folder.mkdir()
    before = counters("0 0 0 0 0 0 0 0", *([0, 0, 0] if "some" in after else []))
    for name, text in {
        "before": before,
        "after": after,
        "least": f"least {13 << 20} {3 << 19}",
        "meminfo": f"MemTotal: {16 << 20} kB\nSwapTotal: {2 << 20} kB",
        "instance": f"{instance}, on-demand, image ami-0",
    }.items():
        (folder / name).write_text(text + "\n")
    copy, _, _ = script.read_text().partition("\n# --- secrets")
    for theirs, ours in {
        "\ndir=/run/sprinters": f"\ndir={folder}",
        "/proc/meminfo; }": f"{folder}/meminfo; }}",
        "; counters; ": f"; cat {folder}/after; ",
        "$(nproc)": "4",
    }.items():
        assert copy.count(theirs) == 1, theirs
        copy = copy.replace(theirs, ours)
    done = subprocess.run(
        ["sh", "-c", copy, "sh", "used"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout == f"::notice title=Sprinters::{told}\n"
