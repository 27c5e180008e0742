"""What names of instance types tell the program is held against moto's list of types, which stands beside it."""

from __future__ import annotations

from moto.ec2.models.instance_types import INSTANCE_TYPES

from standins.program import ROOT

TABLE = ROOT / "src" / "tests" / "instance_types.csv"


def known() -> str:
    lines = ["type,architecture,nvme,vcpus"]
    for name, kind in sorted(INSTANCE_TYPES.items()):
        architectures = kind["ProcessorInfo"]["SupportedArchitectures"]
        if any("mac" in one for one in architectures):
            continue
        architecture = "arm64" if "arm64" in architectures else "x64"
        nvme = "yes" if kind.get("InstanceStorageInfo", {}).get("NvmeSupport") == "required" else "no"
        lines.append(f"{name},{architecture},{nvme},{kind['VCpuInfo']['DefaultVCpus']}")
    return "\n".join(lines) + "\n"


def test_the_table_is_what_moto_knows() -> None:
    assert TABLE.read_text() == known(), f"write it anew: PYTHONPATH=tests python {__file__}"


if __name__ == "__main__":
    TABLE.write_text(known())
