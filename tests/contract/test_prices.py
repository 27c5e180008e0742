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
    "Region Code",
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
        "Location Type": "AWS Region",
        "usageType": f"EUC1-{usage}",
    }


HAMBURG = {"Location Type": "AWS Local Zone", "Region Code": "eu-central-1-ham-1"}
GERMANY = [
    instance("m7i.large", 0.12),
    instance("m7i.24xlarge", 5.76),
    instance("m7i.metal-24xl", 6.336),
    instance("m7i.large", 9, Tenancy="Dedicated"),
    instance("m7i.large", 9, **{"Operating System": "Windows"}),
    instance("m7i.large", 9, CapacityStatus="UnusedCapacityReservation"),
    instance("m7i.large", 9, TermType="Reserved"),
    instance("m7i.large", 9, **{"Pre Installed S/W": "SQL Std"}),
    instance("m7i.large", 0.15, **HAMBURG),
    instance("m7i.large", 9, **{"Location Type": "AWS Outposts"}),
    instance("c7g.medium", 0.04),
    instance("c7g.xlarge", 0.16),
    instance("t3.nano", 0.006),
    volume("EBS:VolumeUsage.gp3", 0.1, "GB-Mo"),
    volume("EBS:VolumeP-IOPS.gp3", 0.006, "IOPS-Mo"),
    volume("EBS:VolumeP-Throughput.gp3", 49.152, "GiBps-mo"),
    volume("EBS:VolumeUsage.gp2", 9, "GB-Mo"),
]
# A region and a family that the tables do not have yet. Here, c7g's medium costs more than a quarter of its xlarge.
SWEDEN = [
    instance("g6.xlarge", 0.8),
    instance("g6.2xlarge", 1.0),
    instance("g6.24xlarge", 7.2),
    instance("g6.48xlarge", 14.4),
    instance("m7i.large", 0.11),
    instance("c7g.medium", 0.045),
    instance("c7g.xlarge", 0.16),
    volume("EBS:VolumeUsage.gp3", 0.09, "GB-Mo"),
]
LISTS = {"eu-central-1": GERMANY, "eu-north-1": SWEDEN}


def price_list(products: list[dict[str, str]]) -> str:
    text = io.StringIO(PREAMBLE)
    text.seek(0, io.SEEK_END)
    writer = csv.DictWriter(text, HEAD, restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(products)
    return text.getvalue()


@pytest.fixture
def aws(request: pytest.FixtureRequest) -> Iterator[Server]:
    lists: dict[str, list[dict[str, str]]] = getattr(request, "param", LISTS)
    offers = {region: f"/offers/v1.0/aws/AmazonEC2/20260301/{region}/index.json" for region in lists}
    index = {region: {"regionCode": region, "currentVersionUrl": offer} for region, offer in offers.items()}
    pages = {offers[region].replace(".json", ".csv"): price_list(products) for region, products in lists.items()}
    pages["/offers/v1.0/aws/AmazonEC2/current/region_index.json"] = json.dumps({"regions": index})

    def serve(request: Request) -> Response:
        page = pages.get(request.path)
        return Response(200, {}, page.encode()) if page else Response(404)

    server = Server(serve)
    yield server
    server.close()


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "ec2_on_demand.ini").write_text(
        "# old\n[sizes]\nm7i.metal-24xl=96\n[eu-central-1]\nc7g=0.03\nm7i=0.05\nt3=0.04\n"
    )
    (tmp_path / "ebs_gp3.csv").write_text(
        "# old\nregion,usd_per_gib_month,usd_per_iops_month,usd_per_mibps_month\neu-central-1,0.09,0.005,0.04\n"
    )
    return tmp_path


def refresh(aws: Server, tables: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, ROOT / ".ci" / "prices", "--list", aws.url, "--tables", tables]
    return subprocess.run(command, capture_output=True, text=True)


def without_comments(table: Path) -> list[str]:
    return [line for line in table.read_text().splitlines() if not line.startswith("#")]


def test_the_tables_grow_with_the_list(aws: Server, tables: Path) -> None:
    done = refresh(aws, tables)

    assert done.returncode == 0, done.stderr
    assert without_comments(tables / "ec2_on_demand.ini") == [
        "[sizes]",
        "g6.2xlarge=13.3333",
        "g6.xlarge=10.6667",
        "m7i.metal-24xl=105.6",
        "[eu-central-1]",
        "c7g=0.04",
        "m7i=0.06",
        "t3=0.048",
        "[eu-central-1-ham-1]",
        "m7i=0.075",
        "[eu-north-1]",
        "c7g=0.04",
        "c7g.medium=0.045",
        "g6=0.075",
        "m7i=0.055",
    ]
    assert without_comments(tables / "ebs_gp3.csv")[1:] == ["eu-central-1,0.1,0.006,0.048", "eu-north-1,0.09,,"]
    assert "As of 20" in (tables / "ec2_on_demand.ini").read_text()


@pytest.mark.parametrize("aws", [{"eu-central-1": GERMANY[:1]}], indirect=True)
def test_a_table_that_would_shrink_is_refused_and_stays(aws: Server, tables: Path) -> None:
    before = (tables / "ec2_on_demand.ini").read_text()
    done = refresh(aws, tables)

    assert done.returncode == 1
    assert "the list's form has changed" in done.stderr
    assert (tables / "ec2_on_demand.ini").read_text() == before


def test_our_own_tables_have_the_form_that_it_reads(aws: Server, tmp_path: Path) -> None:
    for table in (ROOT / "src" / "pricing").glob("e*"):
        shutil.copy(table, tmp_path)
    done = refresh(aws, tmp_path)

    assert done.returncode == 1
    had = int(done.stderr.split("the table has ")[1].split(":")[0])
    assert had > 2_500, done.stderr
