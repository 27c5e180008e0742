"""Somebody who has never seen Sprinters: from the README's links to a policy that works and the files to copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urldefrag

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.checker import SIX, Checker, policy
from browser.site import PATIENCE, ROOT, Site
from browser.test_book import _Anchors, violations_of
from browser.test_site import BLOCKED

PUBLISHED = "https://sprinters.github.io/action/"
README = (ROOT / "README.md").read_text()
PHONE = {"width": 390, "height": 844}


def link_of_the_readme(site: Site, words: str) -> str:
    """Where the README's link with these words leads, on the site under test."""
    found = re.search(rf"\[\**{re.escape(words)}\**\]\({re.escape(PUBLISHED)}([^)]*)\)", README)
    assert found, f"the README has no link `{words}` to the site"
    return site.url + found[1]


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone whose browser keeps no site data, in each theme."""
    context = browser.new_context(viewport=PHONE, color_scheme=request.param, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.origin)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(BLOCKED)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def test_every_link_of_the_readme_leads_somewhere(site: Site) -> None:
    links = re.findall(rf"\]\({re.escape(PUBLISHED)}([^)]*)\)", README)
    assert len(links) > 10
    dead = []
    for link in links:
        target, fragment = urldefrag(link or "index.html")
        page = site.files / target
        if not page.exists() or (fragment and fragment not in _Anchors(page.read_text()).ids):
            dead.append(link)
    files = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    dead += [file for file in files if not (ROOT / file).exists()]
    assert dead == []


def test_on_a_phone_to_a_policy_that_works(phone: Page, site: Site) -> None:
    phone.goto(link_of_the_readme(site, "Check your IAM policy"))
    checker = Checker(phone, site)
    expect(checker.banner).to_contain_text("Sprinters can work with this policy")
    checker.load("A typo and a missing permission")
    expect(checker.row("ec2:ModifyVolume")).to_have_attribute("data-decision", "missing")
    checker.finding("INVALID_ACTION").get_by_role("button", name="Write ec2:RunInstances").tap()
    expect(checker.row("ec2:RunInstances")).to_have_attribute("data-decision", "granted")
    checker.place.get_by_role("button", name="Make it tight").tap()
    checker.place.get_by_label("Regions", exact=True).fill("eu-central-1")
    checker.place.get_by_label("Account id").fill("111122223333")
    checker.place.get_by_role("button", name="Use this policy").tap()
    expect(checker.banner).to_contain_text("Sprinters can work with this policy")
    assert violations_of(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_on_a_phone_from_the_start_to_the_files(phone: Page, site: Site) -> None:
    phone.goto(link_of_the_readme(site, "Quick start"))
    phone.get_by_role("main").get_by_role("link", name="AWS account", exact=True).first.tap()
    expect(phone.get_by_role("heading", level=1)).to_have_text("AWS account")
    phone.get_by_text("On this page", exact=True).tap()
    phone.get_by_role("navigation", name="On this page").get_by_role("link", name="4. Prove it").tap()
    expect(phone.get_by_role("heading", name="4. Prove it")).to_be_in_viewport()
    expect(phone.get_by_role("img", name=re.compile("a tick before every line"))).to_be_visible()
    phone.get_by_role("tab", name="CloudFormation").first.tap()
    template = phone.get_by_role("link", name="template.yaml").first.get_attribute("href")
    assert (site.files / str(template)).read_text().startswith("AWSTemplateFormatVersion")


def test_by_keyboard_with_the_search_to_a_policy_that_works(page: Page, site: Site) -> None:
    page.goto(link_of_the_readme(site, "Quick start"))
    page.keyboard.press("/")
    page.keyboard.type("check a policy")
    first = page.get_by_role("list", name="Results").get_by_role("link").first
    expect(first).to_contain_text("Check a policy")
    page.keyboard.press("Enter")
    checker = Checker(page, site)
    expect(checker.banner).to_be_visible()
    expect(page.get_by_role("heading", name="Check a policy")).to_be_in_viewport()
    checker.write(policy("ec2:RunInstance"))
    fix = checker.finding("INVALID_ACTION").get_by_role("button", name="Write ec2:RunInstances")
    for _ in range(60):
        if fix.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(checker.row("ec2:RunInstances")).to_have_attribute("data-decision", "granted")
    checker.place.get_by_role("button", name="Make it tight").focus()
    page.keyboard.press("Enter")
    checker.place.get_by_role("button", name="Use this policy").focus()
    page.keyboard.press("Enter")
    expect(checker.banner).to_contain_text("Sprinters can work with this policy")
    assert checker.decisions() == dict.fromkeys(SIX, "granted")
    assert json.loads(checker.text())["Version"] == "2012-10-17"


def test_what_is_copied_has_the_readers_own_names(page: Page, site: Site) -> None:
    page.goto(f"{site.url}aws-account.html")
    page.get_by_label("Your repository").fill("acme/build.tools")
    page.get_by_label("Your AWS region").fill("us-west-2")
    page.get_by_label("Your AWS account").fill("444455556666")
    workflow = page.locator(".code", has_text="name: Check Sprinters")
    workflow.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "aws-role-arn: arn:aws:iam::444455556666:role/sprinters-role\n" in copied
    assert "aws-region: us-west-2\n" in copied
    secret = page.get_by_role("link", name=re.compile("New secret"))
    expect(secret).to_have_attribute("href", "https://github.com/acme/build.tools/settings/secrets/actions/new")
    page.get_by_role("tab", name="AWS CLI").first.click()
    expect(page.locator("pre", has_text="create-open-id-connect-provider")).to_contain_text(
        "repository=acme/build.tools # yours"
    )
    assert "octo" not in page.locator("pre", has_text="create-open-id-connect-provider").inner_text()

    page.reload()
    expect(workflow).to_contain_text("us-west-2")
    page.get_by_label("Your AWS region").fill('us"; rm -rf /')
    expect(workflow).to_contain_text("aws-region: eu-central-1")


def test_the_start_names_the_file_of_each_workflow() -> None:
    text = (ROOT / "docs" / "src" / "index.md").read_text()
    before = [part.rpartition("\n## ")[2] for part in text.split("```yaml\non:")[:-1]]
    assert len(before) == 3
    assert [part for part in before if not re.search(r"`\.github/workflows/[\w-]+\.yml`", part)] == []


def test_the_page_tells_all_that_is_needed() -> None:
    """What somebody who only copies must find: each secret, each file's name, how to run it, what green looks like."""
    text = (ROOT / "docs" / "src" / "aws-account.md").read_text()
    for needed in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "SPRINTERS_TOKEN",
        ".github/workflows/sprinters-check.yml",
        ".github/workflows/build.yml",
        "gh workflow run sprinters-check.yml",
        "gh run watch",
        'data-drawing="check-log"',
        'data-drawing="start-summary"',
    ):
        assert needed in text, needed
    consoles = re.findall(r'<a class="go" href="https://[\w.-]*console\.aws\.amazon\.com[^"]*"', text)
    assert len(consoles) >= 5, "each step of the console has its button"
