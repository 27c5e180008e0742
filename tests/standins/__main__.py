"""`python -m standins`: all stand-ins by hand, until Ctrl-C. Prints the environment for the binary, as shell exports.

cd tests && ~/.cache/sprinters/venv/bin/python -m standins > /tmp/standins.env &
source /tmp/standins.env && sprinters start --instance-type m7i.large
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading

from standins.aws import Ec2, Moto
from standins.cloud import Behaves, Cloud, simulated
from standins.github import GitHub, Kind
from standins.images import ImageIndex


def main() -> None:
    options = parsed()
    with Moto() as moto, Ec2(moto, options.policy) as ec2, GitHub() as github:
        images = ImageIndex()
        with Cloud(ec2, github, simulated(Behaves(online_after=options.online_after, job_takes=2))):
            token = github.add_token(Kind[options.token])
            environment = {
                **ec2.environment,
                "GITHUB_API_URL": github.url,
                "GITHUB_SERVER_URL": github.server_url,
                "GITHUB_REPOSITORY": "octo/app",
                "GITHUB_RUN_ID": "4242",
                "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_JOB": "start-runner",
                "SPRINTERS_TOKEN": token.value,
                "SPRINTERS_IMAGE_INDEX_URL": images.url,
            }
            for name, value in environment.items():
                sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
            sys.stdout.flush()
            follow(ec2, github)
        images.close()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m standins", description=__doc__.splitlines()[0])
    parser.add_argument("--policy", default="plain_six", help="plain_six, published_role or tight")
    parser.add_argument("--token", default="WRITE", choices=[kind.name for kind in Kind], help="what the token may do")
    parser.add_argument(
        "--online-after", type=float, default=3, help="seconds from launch to the runner's being online"
    )
    return parser.parse_args()


def follow(ec2: Ec2, github: GitHub) -> None:
    """Tells every exchange on standard error until Ctrl-C (or SIGTERM)."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    told: dict[str, int] = {"EC2": 0, "GitHub": 0, "violations": 0}
    while not over.wait(0.2):
        for name, lines in (
            ("EC2", [str(one) for one in ec2.gate.exchanges]),
            ("GitHub", [str(one) for one in github.gate.exchanges]),
            ("violations", github.violations),
        ):
            for line in lines[told[name] :]:
                sys.stderr.write(f"{name}: {line}\n")
            told[name] = len(lines)


if __name__ == "__main__":
    main()
