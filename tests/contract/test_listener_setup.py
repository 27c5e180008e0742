"""What docs/src/listen.md hands out for a listener that runs for good: systemd's unit, and the container's file."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from contract import tables
from standins.program import ROOT

LISTENER = ROOT / "docs" / "src" / "setup" / "listener"
UNIT = LISTENER / "sprinters-listen.service"
CONTAINERFILE = LISTENER / "Containerfile"


def unit() -> dict[str, dict[str, list[str]]]:
    """Sections and what each key is set to, as systemd.syntax(7) has it."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in UNIT.read_text().splitlines():
        if not line or line.startswith(("#", ";")):
            continue
        if section := re.fullmatch(r"\[(\w+)\]", line):
            current = sections.setdefault(section[1], {})
            continue
        key, equals, value = line.partition("=")
        assert equals and re.fullmatch(r"[A-Z]\w+", key), line
        current.setdefault(key, []).append(value)
    return sections


def test_the_unit_waits_for_readiness_and_is_watched() -> None:
    service = unit()["Service"]
    assert service["Type"] == ["notify"] and service["NotifyAccess"] == ["main"]
    assert int(service["WatchdogSec"][0]) > 0
    assert service["Restart"] == ["always"]
    # A listener has 6.8 s for closing its sessions, and another 0.6 s for signing out.
    assert int(service["TimeoutStopSec"][0]) > 8
    assert service["ExecStart"] == ["/usr/local/bin/sprinters listen"]
    assert unit()["Install"] == {"WantedBy": ["multi-user.target"]}


def test_the_unit_gives_it_nothing_that_it_does_not_need() -> None:
    service = unit()["Service"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["ProtectSystem"] == ["strict"] and service["DynamicUser"] == ["yes"]
    for key in ("NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectHome", "RestrictNamespaces"):
        assert service[key] == ["yes"], key
    assert not {"User", "ReadWritePaths", "StateDirectory", "AmbientCapabilities"} & set(service)


def test_secrets_are_in_a_file_of_root_s_alone() -> None:
    assert unit()["Service"]["EnvironmentFile"] == ["/etc/sprinters/listen.env"]
    assert "Environment" not in unit()["Service"]
    page = (ROOT / "docs" / "src" / "listen.md").read_text()
    assert "`/etc/sprinters/listen.env` (mode 0600)" in page


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "sprinters"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / UNIT.name
    file.write_text(UNIT.read_text().replace("/usr/local/bin/sprinters", str(program)))
    verify = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", file],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in verify.stderr.splitlines() if UNIT.name in line]
    assert verify.returncode == 0 and not said, verify.stderr


def test_systemd_finds_the_unit_safe() -> None:
    """Of ten points of exposure, what `systemd-analyze security` calls OK is below five."""
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(UNIT)]
    security = subprocess.run(command, capture_output=True, text=True, check=False)
    assert security.returncode == 0, security.stdout[-300:] + security.stderr


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    parts = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in parts]


def stages() -> list[list[tuple[str, str]]]:
    stages: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest))
    return stages


def test_the_container_has_the_binary_and_the_certificates_alone() -> None:
    last = stages()[-1]
    assert last[0] == ("FROM", "scratch")
    assert [rest.split()[-1] for name, rest in last if name == "COPY"] == [
        "/etc/ssl/certs/ca-certificates.crt",
        "/sprinters",
    ]
    assert {name for name, _ in last} == {"FROM", "COPY", "USER", "ENTRYPOINT"}


def test_the_container_is_not_root_and_writes_nowhere() -> None:
    last = dict(stages()[-1])
    user, group = last["USER"].split(":")
    assert int(user) > 0 and int(group) > 0, "a number, which needs no /etc/passwd"
    assert json.loads(last["ENTRYPOINT"]) == ["/sprinters", "listen"]
    run = next(line for line in CONTAINERFILE.read_text().splitlines() if "podman run" in line)
    assert "--read-only" in run and "--cap-drop all" in run


def test_the_container_takes_the_programs_as_they_are_called() -> None:
    first = stages()[0]
    copied = [rest.split()[0] for name, rest in first if name == "COPY"]
    assert copied == ["sprinters-Linux-X64", "sprinters-Linux-ARM64"]
    assert all((ROOT / "dist" / one).exists() for one in copied)


def test_the_page_hands_every_file_out() -> None:
    page = (ROOT / "docs" / "src" / "listen.md").read_text()
    handed = set(re.findall(r"\]\(setup/listener/([\w.-]+)\)", page))
    assert handed == {file.name for file in LISTENER.iterdir()}
    assert tables.MODES.count("listen") == 1
