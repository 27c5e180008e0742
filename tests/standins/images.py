"""Canonical's public image index, and the images that the EC2 stand-in knows.

Both come from one table, so that an AMI taken from the index can be launched, in its own region only.
The file's shape is that of https://cloud-images.ubuntu.com/query/noble/server/released.current.txt: tab-separated
columns suite, purpose, release type, serial, root store, architecture, region, AMI, kernel, (empty), virtualization.
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
# Minimal images have an index of their own, and only some suites have it.
ROWS = (
    ("resolute", "server", "20261102", "ebs-ssd-gp3"),
    ("resolute", "minimal", "20261102", "ebs-ssd-gp3"),
    ("noble", "server", "20261014", "ebs-ssd-gp3"),
    ("noble", "server", "20261014", "instance-store"),
    ("noble", "server", "20260801", "ebs-ssd-gp3"),
    ("noble", "minimal", "20261015", "ebs-ssd-gp3"),
    ("jammy", "server", "20261009", "ebs-ssd"),
    ("jammy", "server", "20261009", "ebs-io1"),
    ("jammy", "server", "20260811", "ebs-ssd"),
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
    owner: str | None = None
    """Another account than the caller's."""
    created: str = "2026-10-01"


@dataclass(frozen=True)
class Row:
    suite: str
    purpose: str
    serial: str
    store: str
    architecture: str
    region: str

    @property
    def ami(self) -> str:
        identity = "/".join((self.suite, self.purpose, self.serial, self.store, self.architecture, self.region))
        return "ami-0" + hashlib.sha256(identity.encode()).hexdigest()[:16]

    def line(self) -> str:
        columns = (self.suite, self.purpose, "release", self.serial, self.store, self.architecture, self.region)
        return "\t".join((*columns, self.ami, "", "", "hvm"))


def rows(suite: str | None = None, purpose: str | None = None) -> list[Row]:
    return [
        Row(name, stream, serial, store, architecture, region)
        for name, stream, serial, store in ROWS
        for architecture in ("amd64", "arm64")
        for region in REGIONS
        if suite in (None, name) and purpose in (None, stream)
    ]


def newest(suite: str, architecture: str, region: str, purpose: str = "server") -> str:
    """The AMI that a name such as `ubuntu-24.04` (noble) means."""
    store = {"jammy": "ebs-ssd"}.get(suite, "ebs-ssd-gp3")
    fitting = [
        row
        for row in rows(suite, purpose)
        if (row.architecture, row.region, row.store) == (architecture, region, store)
    ]
    return max(fitting, key=lambda row: row.serial).ami


# Images of one's own, the same in every region for brevity.
OWN_X64 = "ami-0123456789abcdef0"
OWN_ARM64 = "ami-0a12b34c56d78e90f"
AMAZON_LINUX = "ami-0a1a2a3a4a5a6a7a8"
DEBIAN = "ami-0d1d2d3d4d5d6d7d8"
# Public parameters of AWS and Debian, which EC2 reads where an image is `resolve:ssm:` and a name.
PARAMETERS = {
    "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64": AMAZON_LINUX,
    "/aws/service/debian/release/13/latest/amd64": DEBIAN,
}
XEN = "ami-0b1b2b3b4b5b6b7b8"
# RunsOn's public images: two builds of one, and one that cannot boot a runner.
RUNS_ON = "135269210855"
RUNS_ON_OLDER = "ami-0c1c2c3c4c5c6c7c1"
RUNS_ON_NEWER = "ami-0c1c2c3c4c5c6c7c2"
RUNS_ON_26 = "ami-0c1c2c3c4c5c6c7c3"


def runs_on(ami: str, region: str, release: str, created: str) -> Image:
    name = f"runs-on-v2.2-ubuntu{release}-full-x64-{created.replace('-', '')}"
    return Image(ami, region, "x86_64", name, root_size=40, owner=RUNS_ON, created=created)


def known(region: str) -> list[Image]:
    """Every image that EC2 has in `region`."""
    processors = {"amd64": "x86_64", "arm64": "arm64"}
    ubuntu = [
        Image(row.ami, region, processors[row.architecture], f"ubuntu-{row.suite}-{row.purpose}-{row.serial}")
        for row in rows()
        if row.region == region
    ]
    return [
        *ubuntu,
        Image(OWN_X64, region, "x86_64", "own-image-x64"),
        Image(OWN_ARM64, region, "arm64", "own-image-arm64"),
        Image(AMAZON_LINUX, region, "x86_64", "al2023-ami-2023", root_device="/dev/xvda"),
        Image(DEBIAN, region, "x86_64", "debian-13-amd64", root_device="/dev/xvda"),
        Image(XEN, region, "x86_64", "from-elsewhere", root_device="/dev/sda"),
        runs_on(RUNS_ON_NEWER, region, "24", "2026-11-03"),
        runs_on(RUNS_ON_OLDER, region, "24", "2026-10-20"),
        runs_on(RUNS_ON_26, region, "26", "2026-11-10"),
    ]


class ImageIndex:
    """Serves `/query/<suite>/<purpose>/released.current.txt`; the operation's name is `image-index`."""

    def __init__(self) -> None:
        self.gate = Gate(lambda _request: "image-index", self._serve)
        self._server = Server(self.gate)
        self.url = self._server.url

    def _serve(self, request: Request) -> Outcome:
        parts = request.path.strip("/").split("/")
        if len(parts) != 4 or (parts[0], parts[3]) != ("query", "released.current.txt"):
            return Response(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")
        text = "".join(row.line() + "\n" for row in rows(parts[1], parts[2]))
        if not text:
            return Response(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return Response(200, headers, gzip.compress(text.encode()))
        return Response(200, {"Content-Type": "text/plain"}, text.encode())

    def close(self) -> None:
        self._server.close()
