"""What `stop` says that it cost: outputs, one line in the log, the job summary."""

from __future__ import annotations

import pytest

from standins import images
from standins.aws import Ec2, policy_without
from standins.cloud import Behaves, Cloud
from standins.gate import Fault, stalled
from standins.github import GitHub
from standins.program import Program, Run
from standins.proxy import ec2_error
from standins.spot_prices import spot_price

AMI = {"image": images.OWN_X64, "instance-type": "m7i.xlarge"}
ON_DEMAND = 4 * 0.060375
"""m7i.xlarge in eu-central-1, dollars per hour: four times the medium's price in the table."""
HOSTED = 0.012
"""GitHub's Linux 4-core, dollars per minute."""


def cost_line(run: Run) -> str:
    [line] = [line for line in run.log.splitlines() if "cost " in line and "GitHub-hosted" in line]
    return line


def test_an_on_demand_minute(sprinters: Program) -> None:
    assert sprinters.run("start", **AMI, **{"root-size": "30"}).code == 0
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert 0 <= int(run.outputs["seconds"]) < 30
    volume = 30 * 0.0952 / 730 / 60
    cost = ON_DEMAND / 60 + volume
    assert float(run.outputs["cost-usd"]) == pytest.approx(cost, abs=1e-6), "a minute is the least that EC2 bills"
    assert float(run.outputs["saved-usd"]) == pytest.approx(HOSTED - cost, abs=2e-6)
    assert run.outputs["interrupted"] == "false"
    assert f"cost ${cost:.4f} (EC2 bills at least a minute); GitHub-hosted $0.0120 (Linux 4-core)" in cost_line(run)
    assert cost_line(run).endswith(f": saved ${HOSTED - cost:.4f}")
    # Log, output and summary say the same, and the picture has its numbers.
    assert f"| Instances and volumes | ${cost:.4f} |" in run.summary
    assert f'"this run: ${cost:.4f}"' in run.summary
    for part in ("Linux 4-core", "The same on-demand", "xychart-beta", "terminated now"):
        assert part in run.summary


def test_an_attempt_is_billed_for_its_own_instances(sprinters: Program, ec2: Ec2) -> None:
    first = sprinters.run("start", **AMI)
    ec2.power_off(first.outputs["instance-id"])
    sprinters.environment["GITHUB_RUN_ATTEMPT"] = "2"
    second = sprinters.run("start", **AMI)
    run = sprinters.run("stop")

    assert (first.code, second.code, run.code) == (0, 0, 0), run.log
    assert first.outputs["instance-id"] not in run.summary
    assert second.outputs["instance-id"] in run.summary


def test_spot_costs_what_its_zone_cost(sprinters: Program, ec2: Ec2) -> None:
    started = sprinters.run("start", **AMI, spot="true", **{"root-size": "30"})
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    hourly = float(spot_price("m7i.xlarge", started.outputs["availability-zone"]))
    expected = hourly / 60 + 30 * 0.0952 / 730 / 60
    assert f"the same on-demand ${ON_DEMAND / 60 + 30 * 0.0952 / 730 / 60:.4f}" in cost_line(run)
    assert float(run.outputs["cost-usd"]) == pytest.approx(expected, abs=1e-6)
    asked = ec2.gate.calls("DescribeSpotPriceHistory")[-1].request.form
    assert asked["StartTime"] < asked["EndTime"]
    assert "m7i.xlarge" in asked.values()


def test_on_demand_asks_for_no_spot_price(sprinters: Program, ec2: Ec2) -> None:
    sprinters.run("start", **AMI)
    sprinters.run("stop")

    assert not ec2.gate.calls("DescribeSpotPriceHistory")


@pytest.mark.policy(policy_without("ec2:DescribeSpotPriceHistory"))
def test_without_the_permission_the_cost_is_unknown_and_stop_succeeds(sprinters: Program, ec2: Ec2) -> None:
    sprinters.run("start", **AMI, spot="true")
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not ec2.living()
    assert (run.outputs["cost-usd"], run.outputs["saved-usd"]) == ("unknown", "unknown")
    assert run.outputs["seconds"].isdigit()
    assert "ec2:DescribeSpotPriceHistory" in run.log


@pytest.mark.parametrize("fault", [stalled(300), ec2_error("InternalError", "no", 500)], ids=["never answers", "fails"])
def test_prices_never_hold_up_the_end(sprinters: Program, ec2: Ec2, fault: Fault) -> None:
    sprinters.run("start", **AMI, spot="true", **{"availability-zone": "eu-central-1a"})
    ec2.gate.fail("DescribeSpotPriceHistory", fault, times=None)
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert run.seconds < 60, "it waited for an answer that never came"
    assert run.outputs["cost-usd"] == "unknown"
    assert not ec2.living()


def test_an_unlisted_type_is_called_unknown(sprinters: Program) -> None:
    sprinters.run("start", image=images.OWN_X64, **{"instance-type": "x8aedz.large"})
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert run.outputs["cost-usd"] == run.outputs["saved-usd"] == "unknown"
    assert "unknown" in cost_line(run)
    assert "unknown" in run.summary


def test_an_image_s_own_volume_is_left_out_and_that_is_said(sprinters: Program) -> None:
    sprinters.run("start", **AMI)
    run = sprinters.run("stop")

    assert float(run.outputs["cost-usd"]) == pytest.approx(ON_DEMAND / 60, abs=1e-6)
    assert "without volumes, whose price is unknown" in run.summary


def test_the_price_of_an_initialization_is_unknown_and_that_is_said(sprinters: Program) -> None:
    started = sprinters.run("start", **AMI, **{"root-size": "30", "root": "gp3/3000/125/300"})
    assert started.code == 0, started.log
    run = sprinters.run("stop")

    assert float(run.outputs["cost-usd"]) == pytest.approx(ON_DEMAND / 60 + 30 * 0.0952 / 730 / 60, abs=1e-6)
    assert "without the initialization rate, whose price is unknown" in run.summary


def test_the_end_of_a_job_counts_not_the_time_of_stop(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves
) -> None:
    started = sprinters.run("start", **AMI)
    job = github.queue_job(started.outputs["label"])
    github.runners.wait(lambda: job.status == "completed", 10, "the job's end")
    github.runners.wait(lambda: not github.records(), 10, "the runner's leaving")
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert int(run.outputs["seconds"]) < 10
    assert "at most" not in cost_line(run)


def test_an_end_that_ec2_does_not_tell_is_at_most(sprinters: Program, ec2: Ec2) -> None:
    started = sprinters.run("start", **AMI)
    ec2.power_off(started.outputs["instance-id"], transition_reason="")
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert "at most" in cost_line(run)
    assert "at most" in run.summary


def test_what_ec2_took_back_is_told(sprinters: Program, ec2: Ec2, cloud: Cloud) -> None:
    started = sprinters.run("start", **AMI, spot="true")
    cloud.interrupt(started.outputs["instance-id"])
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert run.outputs["interrupted"] == "true"
    assert "interrupted by EC2" in cost_line(run)
    assert "not charged: 1 spot instance that AWS reclaimed in its first hour" in cost_line(run)
    assert "Not charged: 1 spot instance" in run.summary
    assert float(run.outputs["cost-usd"]) == 0, "the size of its volume, which is charged, is the image's own"


def test_several_runners_add_up(sprinters: Program) -> None:
    sprinters.run("start", **AMI, count="3")
    run = sprinters.run("stop")

    assert float(run.outputs["cost-usd"]) == pytest.approx(3 * ON_DEMAND / 60, abs=1e-6)


def test_nothing_to_stop_cost_nothing(sprinters: Program) -> None:
    run = sprinters.run("stop")

    assert run.outputs == {"seconds": "0", "cost-usd": "0.000000", "saved-usd": "0.000000", "interrupted": "false"}
