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
        assert {f"{folder}/LICENSE-MIT", f"{folder}/LICENSE-APACHE"} <= files.keys()
        assert (f"{folder}/portable/sprinters.mjs" in files) == ("Linux" not in name)


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


def test_the_release_attests_and_offers_them() -> None:
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"]["publish"]["steps"]
    assert any(step.get("with", {}).get("subject-checksums") == "release/archives.sha256" for step in steps)
    [publish] = [step["run"] for step in steps if "gh release create" in step.get("run", "")]
    assert "release/*" in publish
