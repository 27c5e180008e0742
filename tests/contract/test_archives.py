"""What a release offers to people: archives for each system, and the one line that fetches and checks them."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from standins.program import ROOT

VERSION = "v0.1.0"
PAGE = ROOT / "docs" / "src" / "terminal.md"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / VERSION
    subprocess.run([ROOT / ".ci" / "archives", VERSION, folder], check=True, capture_output=True)
    return folder


def archives(release: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in release.iterdir() if file.name != "archives.sha256"}


def modes(name: str, content: bytes) -> dict[str, int]:
    """The files of an archive, each with its mode; Windows has none."""
    if name.endswith(".zip"):
        return dict.fromkeys(zipfile.ZipFile(io.BytesIO(content)).namelist(), 0o755)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {one.name: one.mode for one in archive}


def test_the_sums_are_right_and_the_same_every_time(release: Path, tmp_path: Path) -> None:
    sums = {hashlib.sha256(content).hexdigest() + f"  {name}" for name, content in archives(release).items()}
    assert set((release / "archives.sha256").read_text().splitlines()) == sums
    subprocess.run([ROOT / ".ci" / "archives", VERSION, tmp_path / "again"], check=True, capture_output=True)
    assert archives(tmp_path / "again") == archives(release)


def test_the_page_names_every_archive(release: Path) -> None:
    named = set(re.findall(r"`(sprinters-<version>-[\w.-]+)`", PAGE.read_text()))
    assert {name.replace("<version>", VERSION) for name in named} == set(archives(release))


def test_every_archive_is_whole(release: Path) -> None:
    for name, content in archives(release).items():
        folder = name.removesuffix(".tar.gz").removesuffix(".zip")
        files = modes(name, content)
        program = f"{folder}/sprinters.cmd" if "Windows" in name else f"{folder}/sprinters"
        assert files[program] == 0o755
        assert {f"{folder}/LICENSE-MIT", f"{folder}/LICENSE-APACHE", f"{folder}/LICENSES"} <= files.keys()
        portable = {f"{folder}/portable/sprinters.mjs", f"{folder}/policy/actions.txt"}
        assert portable & files.keys() == (set() if "Linux" in name else portable)


def test_the_line_of_the_page_fetches_checks_and_unpacks(release: Path, tmp_path: Path) -> None:
    [block] = re.findall(r"^```sh\n(version=.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    here = block.replace("https://github.com/sprinters/action/releases/download/$version", release.as_uri())
    assert here != block and f"version={VERSION}\n" in here

    def fetch() -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-euc", here], cwd=tmp_path, capture_output=True, text=True, check=False)

    run = fetch()
    assert run.returncode == 0, run.stdout + run.stderr
    [program] = tmp_path.glob("sprinters-*/sprinters")
    help_text = subprocess.run([program, "--help"], env={}, capture_output=True, text=True, check=True)
    assert "start" in help_text.stdout

    shutil.rmtree(program.parent)
    for archive in release.glob("*Linux*"):
        archive.write_bytes(archive.read_bytes() + b"\0")
    try:
        assert fetch().returncode != 0
        assert not list(tmp_path.glob("sprinters-*/sprinters")), "what does not match is not unpacked"
    finally:
        for archive in release.glob("*Linux*"):
            archive.write_bytes(archive.read_bytes()[:-1])


def test_the_portable_archive_runs_on_node_from_anywhere(release: Path, tmp_path: Path) -> None:
    name = f"sprinters-{VERSION}-Darwin-arm64"
    subprocess.run(["tar", "-xzf", release / f"{name}.tar.gz", "-C", tmp_path], check=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sprinters").symlink_to(tmp_path / name / "sprinters")
    run = subprocess.run([tmp_path / "bin" / "sprinters", "--help"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "start" in run.stdout


def test_binstall_finds_the_archives_of_linux(release: Path) -> None:
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())
    version = package["workspace"]["package"]["version"]
    overrides = package["package"]["metadata"]["binstall"]["overrides"]
    found = set()
    for target, override in overrides.items():
        known = {"repo": "R", "version": version, "target-arch": target.partition("-")[0], "bin": "sprinters"}
        for key, value in known.items():
            override = {name: text.replace(f"{{ {key} }}", value) for name, text in override.items()}
        name = override["pkg-url"].removeprefix(f"R/releases/download/v{version}/")
        found.add(name)
        assert override["bin-dir"] in modes(name, (release / name).read_bytes())
    assert found == {name for name in archives(release) if "Linux" in name}


# How tools that install from releases tell files apart: by words for the system and for the processor in the name.
# mise 2026.9 and ubi 0.13 were run against these names; this holds the names to what both go by.
SYSTEMS = {"Linux": "linux", "Darwin": "darwin|mac(?:osx?)?|osx|apple", "Windows": "win(?:32|64|dows)?"}
PROCESSORS = {
    "x86_64": "x86[_-]64|x64|amd64",
    "aarch64": "aarch_?64|arm_?64|arm",
    "others": "i?[3-6]86|x86[_-]?32|riscv(?:64)?|ppc(?:64)?(?:le)?|s390x?|mips",
}


def has_word(words: str, name: str) -> bool:
    return re.search(rf"(?i:(?:\b|_)(?:{words})(?:\b|_))", name) is not None


def offered(release: Path) -> list[str]:
    """The names of all files of a release, as the workflow gives them to it."""
    [publish] = [step["run"] for step in publish_steps() if "gh release create" in step.get("run", "")]
    given = publish.partition("--generate-notes")[2].replace("\\\n", " ").split()
    folders = {"release": release, "dist": ROOT / "dist"}
    names = []
    for word in given:
        folder, _, pattern = word.rpartition("/")
        names += [file.name for file in folders[folder].glob(pattern)] if folder else [word]
    return names


def test_installers_tell_the_archives_apart(release: Path) -> None:
    names = offered(release)
    assert {"archives.sha256", "SHA256SUMS", "sprinters.spdx.json", "sprinters-Linux-X64"} < set(names)
    found = {}
    for system, its in SYSTEMS.items():
        for processor, one in PROCESSORS.items():
            fit = [name for name in names if has_word(its, name) and has_word(one, name)]
            found[system, processor] = [name for name in fit if name.endswith((".tar.gz", ".zip"))]
            # What else fits is the same program, without an archive around it.
            bare = set(fit) - set(found[system, processor])
            assert bare <= {f"sprinters-{system}-{'X64' if processor == 'x86_64' else 'ARM64'}"}
    assert found == {
        ("Linux", "x86_64"): [f"sprinters-{VERSION}-Linux-x86_64.tar.gz"],
        ("Linux", "aarch64"): [f"sprinters-{VERSION}-Linux-aarch64.tar.gz"],
        ("Darwin", "x86_64"): [f"sprinters-{VERSION}-Darwin-x86_64.tar.gz"],
        ("Darwin", "aarch64"): [f"sprinters-{VERSION}-Darwin-arm64.tar.gz"],
        ("Windows", "x86_64"): [f"sprinters-{VERSION}-Windows-x86_64.zip"],
        ("Windows", "aarch64"): [],
        **{(system, "others"): [] for system in SYSTEMS},
    }


def test_installers_find_the_program_in_the_archive(release: Path) -> None:
    """mise takes one folder off and puts the rest on `PATH`; ubi looks for the file that `--exe` names, anywhere."""
    for name, content in archives(release).items():
        files = modes(name, content)
        assert {file.partition("/")[0] for file in files} == {name.removesuffix(".tar.gz").removesuffix(".zip")}
        programs = [file for file in files if re.fullmatch(r"[^/]+/sprinters(\.cmd)?", file)]
        assert len(programs) == 1, name
        if "Linux" in name:
            assert [file for file in files if file.endswith("/sprinters")] == programs


def publish_steps() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"][
        "publish"
    ]["steps"]
    return steps


def test_the_release_attests_and_offers_them() -> None:
    steps = publish_steps()
    assert any(step.get("with", {}).get("subject-checksums") == "release/archives.sha256" for step in steps)
    [publish] = [step["run"] for step in steps if "gh release create" in step.get("run", "")]
    assert "release/*" in publish
