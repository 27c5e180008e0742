"""action.yml, the program's flags and the book say the same; and the README's workflow is the one that is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import tables
from standins.program import ROOT

LAUNCHES = ("start", "check")


def plain(text: str) -> str:
    """Without marks of code and stress, which the places write differently."""
    return text.replace("`", "").replace("*", "").replace("\\|", "|")


@pytest.fixture(scope="module")
def flags(binary: Path) -> dict[str, dict[str, tables.Input]]:
    return {mode: tables.flags(binary, mode) for mode in tables.MODES}


def test_every_flag_is_an_input_and_every_input_a_flag(flags: dict[str, dict[str, tables.Input]]) -> None:
    of_the_program = {name for mode in flags.values() for name in mode}
    assert of_the_program == set(tables.action_inputs()) - {"mode"}


@pytest.mark.parametrize("mode", tables.MODES)
def test_flags_say_what_action_yml_says(flags: dict[str, dict[str, tables.Input]], mode: str) -> None:
    declared = tables.action_inputs()
    assert flags[mode], f"`sprinters {mode} --help` lists no flags"
    for name, flag in flags[mode].items():
        assert plain(flag.meaning) == plain(declared[name].meaning), name
        assert plain(flag.default) == plain(declared[name].default), name


def test_modes_take_the_inputs_that_the_contract_gives_them(flags: dict[str, dict[str, tables.Input]]) -> None:
    everywhere = {
        "github-token",
        "github-app-id",
        "github-app-private-key",
        "github-app-installation-id",
        "scope",
        "aws-access-key-id",
        "aws-secret-access-key",
        "aws-session-token",
        "aws-role-arn",
        "aws-region",
        "runner",
        "profiles",
    }
    narrowing = {"label", "instance-id", "force"}
    pairing = {"group"}
    judging = {"run-id", "max-attempts"}
    baking = {"image-name", "keep"}
    instance = {
        *("image", "instance-type", "spot", "availability-zone", "subnet", "security-group", "instance-profile"),
        *("root", "root-size", "tags", "setup", "runner-user", "start-timeout", "public-ip"),
    }
    checking = {"policy", "require", "target", "format"}
    listening = {"max-runners", "min-runners", "for", "public"}
    assert set(flags["stop"]) == everywhere | narrowing | pairing
    assert set(flags["sweep"]) == everywhere | {"max-attempts"}
    assert set(flags["rerun"]) == everywhere | judging
    assert set(flags["policy"]) == checking
    assert set(flags["bake"]) == everywhere | instance | baking
    launching = set(tables.action_inputs()) - narrowing - judging - baking - checking - listening - {"mode"}
    assert set(flags["listen"]) == (launching | listening) - {"count", "group", "fallback", "fallback-on"}
    for mode in LAUNCHES:
        assert set(flags[mode]) == launching


def test_action_yml_leaves_the_defaults_to_the_program() -> None:
    assert [name for name, item in tables.action()["inputs"].items() if "default" in item] == []


def test_every_output_comes_from_the_one_step() -> None:
    [step] = tables.action()["runs"]["steps"]
    for name, output in tables.action()["outputs"].items():
        assert output["value"] == f"${{{{ steps.{step['id']}.outputs.{name} }}}}"


def test_the_book_lists_the_inputs_of_action_yml() -> None:
    rows = tables.documented("input")
    documented = {plain(name): tables.Input(plain(meaning), plain(default)) for name, default, meaning in rows}
    declared = {
        name: tables.Input(plain(item.meaning), plain(item.default)) for name, item in tables.action_inputs().items()
    }
    assert len(rows) == len(documented), "each stands in one group alone"
    assert documented == declared


@pytest.mark.parametrize("mode", tables.MODES)
def test_the_help_has_the_book_s_groups(binary: Path, mode: str) -> None:
    """`--help` and the page name the same inputs under the same headings, in one order of headings."""
    shown = tables.headings(binary, mode)
    grouped = tables.groups()
    assert shown == {
        heading: taken
        for heading, names in grouped.items()
        if (taken := {name for name in names if name in set().union(*shown.values())})
    }
    assert list(shown) == [heading for heading in grouped if heading in shown]


def test_the_book_lists_the_outputs_of_action_yml() -> None:
    documented = {plain(name): plain(meaning) for name, meaning in tables.documented("output")}
    declared = {name: plain(item["description"]) for name, item in tables.action()["outputs"].items()}
    assert list(documented) == list(declared)
    assert documented == declared


def test_readme_shows_the_workflow_that_is_tested() -> None:
    assert tables.readme_workflow() == (ROOT / "tests" / "action" / "workflow.yml").read_text()
