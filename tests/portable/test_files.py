"""Which files the portable program may touch: those that GitHub names, and the workspace to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from portable.node import HOST, told

# Each try's result, or the error code.
TRY = """
  const { Files } = await host("wasi/files.mjs");
  const { filesystem } = await host("wasi/filesystem.mjs");
  const [env, workspace, platform] = given;
  const files = Files.of(env, workspace, platform);
  const preopens = filesystem(files)["wasi:filesystem/preopens"].getDirectories();
  const folders = Object.fromEntries(preopens.map(([folder, name]) => [name, folder]));
  const attempt = (act) => {
    try { return act() ?? "done"; } catch (error) { return typeof error === "string" ? error : String(error); }
  };
  const write = (folder, name) => attempt(() => {
    const file = folders[folder].openAt({}, name, { create: true }, { write: true });
    file.appendViaStream().write(new TextEncoder().encode("text"));
  });
  const read = (folder, name) => attempt(() => {
    const file = folders[folder].openAt({}, name, {}, { read: true });
    return new TextDecoder().decode(file.readViaStream(0n).read(100n));
  });
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "workspace" / "iam").mkdir(parents=True)
    (tmp_path / "workspace" / "iam" / "policy.json").write_text("{}")
    (tmp_path / "workspace" / "inside").symlink_to("iam/policy.json")
    (tmp_path / "workspace" / "outside").symlink_to(tmp_path / "secret")
    (tmp_path / "workspace" / "folder").symlink_to(tmp_path)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "other").write_text("of another action")
    return tmp_path


def tried(place: Path, script: str) -> object:
    env = {
        "GITHUB_EVENT_PATH": str(place / "event.json"),
        "GITHUB_OUTPUT": str(place / "output"),
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
        "RUNNER_TOOL_CACHE": str(place / "tools"),
    }
    return told(TRY + script, env, str(place / "workspace"), "linux")


def test_the_files_that_github_names_are_written(place: Path) -> None:
    (place / "output").write_text("before ")
    assert tried(place, 'tell([write("/github", "output"), write("/github", "summary")])') == ["done", "done"]
    assert (place / "output").read_text() == "before text"
    assert (place / "summary").read_text() == "text"


def test_nothing_else_is(place: Path) -> None:
    script = """tell([
      write("/github", "other"), write("/github", "../secret"), write(".", "new"), write(".", "iam/policy.json"),
      write("/tools/sprinters", "../other"), write("/tools/sprinters", "../../secret"), read("/github", "../secret"),
    ])"""
    said = tried(place, script)
    assert said == ["no-entry", "no-entry", "read-only", "read-only", "no-entry", "no-entry", "no-entry"]
    assert (place / "secret").read_text() == "secret"
    assert (place / "tools" / "other").read_text() == "of another action"
    assert not (place / "workspace" / "new").exists()


def test_the_event_is_read_and_not_written(place: Path) -> None:
    (place / "event.json").write_text("{}")
    assert tried(place, 'tell([read("/event", "event.json"), write("/event", "event.json")])') == ["{}", "read-only"]


def test_the_workspace_is_read_and_no_link_leads_out_of_it(place: Path) -> None:
    names = ["iam/policy.json", "inside", "outside", "../secret", "folder/secret", "iam/../../secret"]
    names.append(str(place / "secret"))
    script = f'tell({names}.map((name) => read(".", name)))'
    assert tried(place, script) == ["{}", "{}", "no-entry", "no-entry", "no-entry", "no-entry", "no-entry"]


def test_the_tool_cache_keeps_what_is_ours(place: Path) -> None:
    script = """
      const folder = folders["/tools/sprinters"];
      tell([attempt(() => folder.createDirectoryAt("images")), write("/tools/sprinters", "images/fresh"),
        attempt(() => folder.renameAt("images/fresh", folder, "images/noble")),
        read("/tools/sprinters", "images/noble"),
        attempt(() => folder.renameAt("images/noble", folder, "../stolen"))])
    """
    assert tried(place, script) == ["done", "done", "done", "text", "no-entry"]
    assert (place / "tools" / "sprinters" / "images" / "noble").read_text() == "text"


def test_windows_paths_never_reach_the_program(place: Path) -> None:
    env = {
        "GITHUB_OUTPUT": r"D:\a\_temp\output",
        "RUNNER_TOOL_CACHE": r"C:\hostedtoolcache\windows",
        "GITHUB_WORKSPACE": r"D:\a\app\app",
    }
    script = "tell([files.environment, files.preopens.map(([, name]) => name)])"
    environment, folders = told(TRY + script, env, str(place), "win32")
    assert environment == {
        "GITHUB_OUTPUT": "/github/output",
        "RUNNER_TOOL_CACHE": "/tools",
        "GITHUB_WORKSPACE": "/workspace",
    }
    assert folders == ["/github", "/event", "/names", "/tools/sprinters", "/workspace", "."]


def test_the_environment_is_what_github_aws_and_sprinters_name() -> None:
    script = """
      const { cli } = await host("wasi/cli.mjs");
      const interfaces = cli({ args: [], env: given[0], readsStdin: false });
      tell(Object.fromEntries(interfaces["wasi:cli/environment"].getEnvironment()));
    """
    kept = {"GITHUB_TOKEN_PATH": "a", "AWS_REGION": "b", "SPRINTERS_INPUTS": "c", "RUNNER_OS": "d", "NO_COLOR": "1"}
    others = {"NPM_TOKEN": "x", "PATH": "y", "ACTIONS_RUNTIME_TOKEN": "z", "HOME": "w"}
    assert told(script, {**kept, **others}) == kept


def test_the_names_of_actions_are_read_and_not_written(place: Path) -> None:
    """They lie in dist/policy, which is not beside portable/ in the repository."""
    said = tried(place, 'tell([read("/names", "policy.mjs"), write("/names", "actions.txt")])')
    assert said == ["no-entry", "read-only"]
    script = 'const { ACTIONS } = await host("wasi/files.mjs"); tell(ACTIONS);'
    assert Path(told(script)) == HOST.parent / "policy" / "actions.txt"
