"""The step's proxy and certificates go on to its instances, which most often stand in the same network."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest

from standins import images
from standins.aws import Ec2
from standins.program import Program
from standins.tls import Authority

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
PROXY = "http://ci:hush@proxy.example.com:3128"


def script(ec2: Ec2) -> str:
    """Everything that the instance is told."""
    form = ec2.gate.calls("RunInstances")[-1].request.form
    return gzip.decompress(base64.b64decode(form["UserData"])).decode()


@pytest.mark.not_portable
def test_both_are_handed_over_and_the_password_stays_out_of_the_log(
    sprinters: Program, ec2: Ec2, tmp_path: Path
) -> None:
    file = Authority(tmp_path).file
    certificate = file.read_text()
    file.write_text(f"# ours\n{certificate}")
    sprinters.environment |= {"HTTPS_PROXY": PROXY, "NO_PROXY": ".internal", "NODE_EXTRA_CA_CERTS": str(file)}
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    kept, secrets = script(ec2).split("# --- secrets: not in the copy\n")
    for name in ("https_proxy", "HTTPS_PROXY"):
        assert f'{name}="{PROXY}"\n' in secrets
    assert 'no_proxy=".internal,localhost,127.0.0.1,::1,169.254.169.254,fd00:ec2::254"\n' in secrets
    assert certificate in secrets and "# ours" not in secrets
    assert "hush" not in kept + run.log + run.summary


def test_a_proxy_on_the_step_s_own_machine_is_of_no_use_to_the_instance(sprinters: Program, ec2: Ec2) -> None:
    sprinters.environment["HTTPS_PROXY"] = "http://127.0.0.1:3128"
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    assert "points to this machine itself" in run.log
    assert "3128" not in script(ec2)


def test_without_either_the_script_does_not_mention_them(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("start", **AMI)

    assert run.code == 0, run.log
    assert "\nproxy=" not in script(ec2) and "use_proxy()" not in script(ec2)
