"""The whole book: what it loads, where its links lead, who can read it, and that it promises only what there is."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

import pytest
import yaml
from playwright.sync_api import Page, expect

from browser.checker import Checker
from browser.site import ROOT, Site
from standins.cache import cache_dir

AXE = cache_dir() / "node" / "node_modules" / "axe-core" / "axe.min.js"
SOURCES = ROOT / "docs" / "src"
PAGES = ["404", "index", *re.findall(r"\((.+)\.md\)", (SOURCES / "SUMMARY.md").read_text())[1:]]
LOADED = 400 * 1024
ENGINE = 146_000


class _Anchors(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in ("href", "src") and value:
                self.links.append(value)


def test_every_page_of_the_summary_is_built(site: Site) -> None:
    assert site.pages == sorted(f"{page}.html" for page in PAGES)


def test_links_lead_somewhere(site: Site) -> None:
    anchors = {page: _Anchors((site.files / page).read_text()) for page in site.pages}
    dead = []
    for page, found in anchors.items():
        for link in found.links:
            target, fragment = urldefrag(link)
            if re.match(r"https://|data:", target) or (page == "404.html" and target.startswith("/action/")):
                continue
            target = target or page
            if not (site.files / target).exists() or (fragment and fragment not in anchors[target].ids):
                dead.append(f"{page}: {link}")
    assert dead == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_it(page: Page, site: Site, name: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{site.url}{name}.html")
    if name == "aws-account":
        checker = Checker(page, site).open()
        checker.load("A typo and a missing permission")
        checker.place.get_by_role("button", name="Make it tight").click()
    assert violations_of(page) == []


def test_everybody_can_use_it_on_a_phone(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    checker = Checker(page, site).open()
    checker.load("A trap: tagging is free for all")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, "nothing sticks out at the side"
    menu = page.get_by_role("button", name="Contents")
    menu.click()
    expect(page.get_by_role("link", name="Spot", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="GitHub", exact=True)).to_be_visible()
    assert violations_of(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Spot", exact=True)).to_be_hidden()


def violations_of(page: Page) -> list[str]:
    """What axe finds; it is evaluated, as a person's own tool would be, and not loaded as the page's script."""
    page.evaluate(AXE.read_text())
    # Lighthouse asks for targets that a finger hits; axe leaves the rule off by itself.
    found = page.evaluate("axe.run(document, { rules: { 'target-size': { enabled: true } } })")["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def test_the_first_load_is_small(page: Page, site: Site) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    Checker(page, site).open()
    sizes = {url.rpartition("/")[2]: site.gzipped(url) for url in asked}
    print(json.dumps(sizes, indent=1), sum(sizes.values()))
    assert sum(sizes.values()) <= LOADED, sizes
    assert next(size for name, size in sizes.items() if name.endswith(".wasm")) <= ENGINE


def test_a_tab_is_chosen_for_all_and_remembered(page: Page, site: Site) -> None:
    page.goto(f"{site.url}aws-account.html")
    terraform = page.get_by_role("tab", name="Terraform")
    terraform.first.click()
    assert [tab.get_attribute("aria-selected") for tab in terraform.all()] == ["true"] * 3
    page.reload()
    expect(terraform.first).to_have_attribute("aria-selected", "true")
    terraform.first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="CloudFormation").first).to_be_focused()
    expect(page.get_by_role("tabpanel", name="CloudFormation").first).to_contain_text("AWS::IAM::ManagedPolicy")


def test_the_theme_is_chosen_and_remembered(page: Page, site: Site) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.url)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    button = page.get_by_role("button", name=re.compile("^Theme"))
    button.click()
    button.click()
    expect(button).to_have_text("Theme: dark")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_code_is_copied(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.locator(".code", has_text="gh secret set AWS").get_by_role("button").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines() == ["gh secret set AWS_ACCESS_KEY_ID", "gh secret set AWS_SECRET_ACCESS_KEY"]


def steps(value: object) -> list[dict[str, object]]:
    """All steps of Sprinters' own actions anywhere in a workflow."""
    if isinstance(value, dict):
        own = [value] if str(value.get("uses", "")).startswith("sprinters/action") else []
        return own + [step for child in value.values() for step in steps(child)]
    return [step for child in value for step in steps(child)] if isinstance(value, list) else []


def test_workflows_in_the_book_use_inputs_that_exist() -> None:
    action = set(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"])
    policy = set(yaml.safe_load((ROOT / "wasm" / "action.yml").read_text())["inputs"])
    seen = 0
    for source in SOURCES.glob("*.md"):
        # A whole file that a block includes has a test of its own.
        for block in re.findall(r"```yaml\n(?!\{\{)(.*?)```", source.read_text(), re.S):
            for step in steps(yaml.load(block, Loader=_Lenient)):
                # A reusable workflow has inputs of its own, which its file declares.
                if ".yml@" in str(step["uses"]):
                    continue
                known = policy if "/wasm@" in str(step["uses"]) else action
                used = set(step.get("with", {}))  # type: ignore[call-overload]
                assert used <= known, f"{source.name} uses {used - known}"
                seen += 1
    assert seen > 5


class _Lenient(yaml.SafeLoader):
    """Reads CloudFormation's `!Ref` and the like as plain values."""


_Lenient.add_multi_constructor("!", lambda _loader, suffix, _node: suffix)


@pytest.mark.parametrize("name", ["plain_six", "published_role", "tight"])
def test_policies_are_the_ones_that_the_tests_enforce(name: str) -> None:
    enforced = Path(ROOT / "tests" / "standins" / "policies" / f"{name}.json")
    assert json.loads((SOURCES / "policies" / f"{name}.json").read_text()) == json.loads(enforced.read_text())
