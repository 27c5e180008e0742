"""Canonical's public image index, and the images that the EC2 stand-in knows.

Both come from one table, so that an AMI taken from the index can be launched, in its own region only.
The file's shape is that of https://cloud-images.ubuntu.com/query/noble/server/released.current.txt: tab-separated
columns suite, stream, release type, serial, root store, architecture, region, AMI, kernel, (empty), virtualization.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass

from standins.gate import Gate
from standins.server import Outcome, Request, Response, Server

REGIONS = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]

# Of the real file: one serial a suite and, since noble, a gp3 store; older suites still list the stores of their time.
# The older serial is no part of the real "current" file; it is here because the reader must not rely on that.
ROWS = (
    ("noble", "20261014", "ebs-ssd-gp3"),
    ("noble", "20261014", "instance-store"),
    ("noble", "20260801", "ebs-ssd-gp3"),
    ("jammy", "20261009", "ebs-ssd"),
    ("jammy", "20261009", "ebs-io1"),
    ("jammy", "20260811", "ebs-ssd"),
)


@dataclass(frozen=True)
class Image:
    ami: str
    region: str
    architecture: str
    """As EC2 says it: `x86_64` or `arm64`."""
    name: str
    root_device: str = "/dev/sda1"
    root_size: int = 8


@dataclass(frozen=True)
class Row:
    suite: str
    serial: str
    store: str
    architecture: str
    region: str

    @property
    def ami(self) -> str:
        identity = "/".join((self.suite, self.serial, self.store, self.architecture, self.region))
        return "ami-0" + hashlib.sha256(identity.encode()).hexdigest()[:16]

    def line(self) -> str:
        columns = (self.suite, "server", "release", self.serial, self.store, self.architecture, self.region, self.ami)
        return "\t".join((*columns, "", "", "hvm"))


def rows(suite: str | None = None) -> list[Row]:
    return [
        Row(name, serial, store, architecture, region)
        for name, serial, store in ROWS
        for architecture in ("amd64", "arm64")
        for region in REGIONS
        if suite in (None, name)
    ]


def newest(suite: str, architecture: str, region: str) -> str:
    """The AMI that `image: ubuntu-24.04` (noble) or `ubuntu-22.04` (jammy) means."""
    store = {"noble": "ebs-ssd-gp3", "jammy": "ebs-ssd"}[suite]
    fitting = [row for row in rows(suite) if (row.architecture, row.region, row.store) == (architecture, region, store)]
    return max(fitting, key=lambda row: row.serial).ami


# Images of one's own, the same in every region for brevity.
OWN_X64 = "ami-0123456789abcdef0"
OWN_ARM64 = "ami-0a12b34c56d78e90f"
AMAZON_LINUX = "ami-0a1a2a3a4a5a6a7a8"


def known(region: str) -> list[Image]:
    """Every image that EC2 has in `region`."""
    ubuntu = [
        Image(row.ami, region, "x86_64" if row.architecture == "amd64" else "arm64", f"ubuntu-{row.suite}-{row.serial}")
        for row in rows()
        if row.region == region
    ]
    return [
        *ubuntu,
        Image(OWN_X64, region, "x86_64", "own-image-x64"),
        Image(OWN_ARM64, region, "arm64", "own-image-arm64"),
        Image(AMAZON_LINUX, region, "x86_64", "al2023-ami-2023", root_device="/dev/xvda"),
    ]


class ImageIndex:
    """Serves `/query/<suite>/server/released.current.txt`; the operation's name is `image-index`."""

    def __init__(self) -> None:
        self.gate = Gate(lambda _request: "image-index", self._serve)
        self._server = Server(self.gate)
        self.url = self._server.url

    def _serve(self, request: Request) -> Outcome:
        parts = request.path.strip("/").split("/")
        if len(parts) != 4 or parts[0] != "query" or parts[2:] != ["server", "released.current.txt"]:
            return Response(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")
        text = "".join(row.line() + "\n" for row in rows(parts[1]))
        if not text:
            return Response(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(200, headers, gzip.compress(text.encode()))
        return Response(200, {"Content-Type": "text/plain"}, text.encode())

    def close(self) -> None:
        self._server.close()
