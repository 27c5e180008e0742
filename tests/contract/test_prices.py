"""`.ci/prices` reads AWS's price list, held against a small one of the same form."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.program import ROOT
from standins.server import Request, Response, Server

HEAD = [
    "SKU",
    "TermType",
    "Unit",
    "PricePerUnit",
    "Currency",
    "Product Family",
    "Location Type",
    "Instance Type",
    "Tenancy",
    "Operating System",
    "CapacityStatus",
    "Pre Installed S/W",
    "operation",
    "usageType",
]
PREAMBLE = '"FormatVersion","v1.0"\n"Disclaimer","This pricing list is for informational purposes only."\n'


def instance(kind: str, usd: float, **other: str) -> dict[str, str]:
    plain = {
        "TermType": "OnDemand",
        "Unit": "Hrs",
        "PricePerUnit": f"{usd:.10f}",
        "Currency": "USD",
        "Location Type": "AWS Region",
        "Instance Type": kind,
        "Tenancy": "Shared",
        "Operating System": "Linux",
        "CapacityStatus": "Used",
        "Pre Installed S/W": "NA",
        "operation": "RunInstances",
    }
    return plain | other


def volume(usage: str, usd: float, unit: str) -> dict[str, str]:
    return {
        "TermType": "OnDemand",
        "Unit": unit,
        "PricePerUnit": str(usd),
        "Currency": "USD",
        "usageType": f"EUC1-{usage}",
    }


PRODUCTS = [
    instance("m7i.large", 0.12),
    instance("m7i.24xlarge", 5.76),
    instance("m7i.metal-24xl", 5.76),
    instance("m7i.large", 9, Tenancy="Dedicated"),
    instance("m7i.large", 9, **{"Operating System": "Windows"}),
    instance("m7i.large", 9, CapacityStatus="UnusedCapacityReservation"),
    instance("m7i.large", 9, TermType="Reserved"),
    instance("m7i.large", 9, **{"Pre Installed S/W": "SQL Std"}),
    instance("m7i.large", 9, **{"Location Type": "AWS Local Zone"}),
    instance("c7g.medium", 0.04),
    instance("c7g.xlarge", 0.20),
    instance("t3.nano", 0.006),
    instance("x9z.large", 1),
    volume("EBS:VolumeUsage.gp3", 0.1, "GB-Mo"),
    volume("EBS:VolumeP-IOPS.gp3", 0.006, "IOPS-Mo"),
    volume("EBS:VolumeP-Throughput.gp3", 49.152, "GiBps-mo"),
    volume("EBS:VolumeUsage.gp2", 9, "GB-Mo"),
]


def price_list(products: list[dict[str, str]]) -> str:
    text = io.StringIO(PREAMBLE)
    text.seek(0, io.SEEK_END)
    writer = csv.DictWriter(text, HEAD, restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(products)
    return text.getvalue()


@pytest.fixture
def aws(request: pytest.FixtureRequest) -> Iterator[Server]:
    offer = "/offers/v1.0/aws/AmazonEC2/20260301/eu-central-1/index.json"
    pages = {
        "/offers/v1.0/aws/AmazonEC2/current/region_index.json": json.dumps(
            {"regions": {"eu-central-1": {"regionCode": "eu-central-1", "currentVersionUrl": offer}}}
        ),
        offer.replace(".json", ".csv"): price_list(getattr(request, "param", PRODUCTS)),
    }

    def serve(request: Request) -> Response:
        page = pages.get(request.path)
        return Response(200, {}, page.encode()) if page else Response(404)

    server = Server(serve)
    yield server
    server.close()


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "ec2_on_demand.csv").write_text(
        "# old\nfamily,region,usd_per_hour_medium\nm7i,eu-central-1,0.05\nc7g,eu-central-1,0.03\nt3,eu-central-1,0.04\n"
    )
    (tmp_path / "ebs_gp3.csv").write_text(
        "# old\nregion,usd_per_gib_month,usd_per_iops_month,usd_per_mibps_month\neu-central-1,0.09,0.005,0.04\n"
    )
    return tmp_path


def refresh(aws: Server, tables: Path, *regions: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [
        sys.executable,
        ROOT / ".ci" / "prices",
        "--list",
        aws.url,
        "--tables",
        tables,
        *regions,
    ]
    return subprocess.run(command, capture_output=True, text=True)


def without_comments(table: Path) -> list[str]:
    return [line for line in table.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("aws", [[one for one in PRODUCTS if one.get("Instance Type") != "c7g.xlarge"]], indirect=True)
def test_plain_linux_prices_become_mediums(aws: Server, tables: Path) -> None:
    done = refresh(aws, tables)

    assert done.returncode == 0, done.stderr
    assert without_comments(tables / "ec2_on_demand.csv") == [
        "family,region,usd_per_hour_medium",
        "c7g,eu-central-1,0.04",
        "m7i,eu-central-1,0.06",
        "t3,eu-central-1,0.048",
    ]
    assert without_comments(tables / "ebs_gp3.csv")[1:] == ["eu-central-1,0.1,0.006,0.048"]
    assert "As of 20" in (tables / "ec2_on_demand.csv").read_text()


def test_a_table_that_would_shrink_is_refused_and_stays(aws: Server, tables: Path) -> None:
    """c7g's two sizes are not in proportion here, so that it is left out: a third of this little table."""
    before = (tables / "ec2_on_demand.csv").read_text()
    done = refresh(aws, tables)

    assert done.returncode == 1
    assert "c7g in eu-central-1 left out" in done.stderr
    assert "the list's form has changed" in done.stderr
    assert (tables / "ec2_on_demand.csv").read_text() == before


def test_an_unknown_region_is_named(aws: Server, tables: Path) -> None:
    done = refresh(aws, tables, "mars-north-1")

    assert done.returncode == 1
    assert "`mars-north-1`" in done.stderr


def test_our_own_tables_have_the_form_that_it_reads(aws: Server, tmp_path: Path) -> None:
    for table in (ROOT / "src" / "pricing").glob("e*.csv"):
        shutil.copy(table, tmp_path)
    done = refresh(aws, tmp_path)

    assert "AWS's price list has no region `ap-northeast-1`" in done.stderr, done.stderr
