"""What the page says while somebody writes a policy."""

from __future__ import annotations

import base64
import json
import re
import zlib

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.checker import SIX, Checker, policy
from browser.site import ROOT, Site

POLICIES = ROOT / "docs" / "src" / "policies"


def test_it_begins_with_the_six_permissions(checker: Checker) -> None:
    assert checker.decisions() == dict.fromkeys(SIX, "granted")
    expect(checker.banner).to_have_text(re.compile("Sprinters can work with this policy"))


def test_the_verdict_follows_the_typing(checker: Checker) -> None:
    checker.write(policy(*SIX[:-1], "ec2:DescribeSpotPriceHistor"))
    expect(checker.row("ec2:DescribeSpotPriceHistory")).to_have_attribute("data-decision", "missing")
    expect(checker.banner).to_have_text(re.compile("of 6 permissions, 1 is missing"))
    checker.place.get_by_text('"ec2:DescribeSpotPriceHistor"').click()
    checker.page.keyboard.press("End")
    checker.page.keyboard.press("ArrowLeft")
    checker.page.keyboard.type("y")
    expect(checker.banner).to_have_text(re.compile("Sprinters can work with this policy"))


def test_typing_over_a_selection(checker: Checker) -> None:
    checker.editor.focus()
    checker.page.keyboard.press("Control+a")
    checker.page.keyboard.type("{")
    assert checker.text() == "{"
    checker.place.get_by_role("button", name="Undo").click()
    assert checker.decisions() == dict.fromkeys(SIX, "granted")


def test_a_fix_is_applied_and_undone(checker: Checker) -> None:
    checker.write(policy("ec2:RunInstance", *SIX[1:]))
    expect(checker.row("ec2:RunInstances")).to_have_attribute("data-decision", "missing")
    checker.finding("INVALID_ACTION").get_by_role("button", name="Write ec2:RunInstances").click()
    assert checker.decisions()["ec2:RunInstances"] == "granted"
    assert '"ec2:RunInstances"' in checker.text()
    expect(checker.finding("INVALID_ACTION")).to_have_count(0)
    checker.place.get_by_role("button", name="Undo").click()
    assert '"ec2:RunInstance"' in checker.text()
    checker.place.get_by_role("button", name="Redo").click()
    assert '"ec2:RunInstances"' in checker.text()


def test_hovering_shows_the_finding_and_its_fix(checker: Checker) -> None:
    checker.write(policy("ec2:RunInstance", *SIX[1:]))
    checker.place.locator(".cm-lintRange-error", has_text="ec2:RunInstance").last.hover()
    tooltip = checker.place.locator(".cm-tooltip")
    expect(tooltip).to_contain_text("INVALID_ACTION")
    tooltip.get_by_role("button", name="Write ec2:RunInstances").click()
    assert checker.decisions()["ec2:RunInstances"] == "granted"


def test_a_finding_leads_to_its_line(checker: Checker) -> None:
    checker.write(policy("ec2:RunInstance", *SIX[1:]))
    checker.finding("INVALID_ACTION").get_by_role("button", name="line 8").click()
    expect(checker.editor).to_be_focused()
    checker.page.keyboard.insert_text('"ec2:RunInstances"')
    assert checker.decisions()["ec2:RunInstances"] == "granted"


def test_a_row_leads_to_the_statement_that_denies(checker: Checker) -> None:
    checker.load("Allowed here, denied there")
    row = checker.row("ec2:DescribeInstances")
    expect(row).to_have_attribute("data-decision", "denied")
    row.get_by_role("button", name="statement 2").click()
    checker.page.keyboard.press("Control+c")
    copied = json.loads(checker.page.evaluate("navigator.clipboard.readText()"))
    assert copied["Sid"] == "NoDescribe"


@pytest.mark.parametrize(
    ("label", "action"),
    [
        ("Instance profile", "iam:PassRole"),
        ("Spot's service-linked role", "iam:CreateServiceLinkedRole"),
        ("Image from SSM", "ssm:GetParameters"),
        ("Log of an instance that failed", "ec2:GetConsoleOutput"),
    ],
)
def test_a_feature_asks_for_its_permission(checker: Checker, label: str, action: str) -> None:
    box = checker.place.get_by_role("checkbox", name=label)
    box.check()
    expect(checker.row(action)).to_have_attribute("data-decision", "missing")
    box.uncheck()
    expect(checker.row(action)).to_have_count(0)


def test_the_kind_of_policy_decides_its_size(checker: Checker) -> None:
    long = policy(*SIX, *[f"ec2:Describe{'X' * 40}{n}*" for n in range(40)])
    checker.write(long)
    expect(checker.finding("SPRINTERS_POLICY_TOO_LARGE")).to_have_count(0)
    checker.place.get_by_label("Kind of policy").select_option("inline-user")
    expect(checker.finding("SPRINTERS_POLICY_TOO_LARGE")).to_have_count(1)


def test_make_it_tight(checker: Checker) -> None:
    checker.place.get_by_role("button", name="Make it tight").click()
    checker.place.get_by_label("Regions", exact=True).fill("us-east-1")
    checker.place.get_by_label("Account id").fill("111122223333")
    changes = checker.place.get_by_role("group", name="What would change")
    expect(changes.locator(".added").first).to_be_visible()
    expect(changes.locator(".removed").first).to_be_visible()
    checker.place.get_by_role("button", name="Use this policy").click()
    assert json.loads(checker.text()) == json.loads((POLICIES / "tight.json").read_text())
    expect(checker.banner).to_have_text(re.compile("Sprinters can work with this policy"))
    expect(checker.findings).to_contain_text("No findings")
    checker.place.get_by_role("button", name="Undo").click()
    assert json.loads(checker.text()) == json.loads((POLICIES / "plain_six.json").read_text())


def test_a_wrong_word_writes_no_policy(checker: Checker) -> None:
    checker.place.get_by_role("button", name="Make it tight").click()
    take = checker.place.get_by_role("button", name="Use this policy")
    for label, wrong, right in (
        ("Regions", "eu_central", "eu-central-1"),
        ("Account id", "1111-2222-3333", "111122223333"),
        ("Subnets", "subnet-x", "subnet-0123456789abcdef0"),
        ("Instance types", "m7i.large, mac2.metal", "m7i.large, u-6tb1.metal"),
    ):
        field = checker.place.get_by_label(label, exact=True)
        field.fill(wrong)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(checker.place.get_by_text(f"{label}: “{wrong.split()[-1]}” is not one")).to_be_visible()
        expect(take).to_be_disabled()
        field.fill(right)
        expect(take).to_be_enabled()


def test_a_link_carries_the_policy(checker: Checker, context: BrowserContext, site: Site) -> None:
    text = policy("ec2:RunInstances", "é€😀")
    checker.write(text)
    link = checker.copied("Copy link")
    assert link.startswith(f"{site.url}aws-account.html#policy=")
    other = Checker(context.new_page(), site).open(link.removeprefix(f"{site.url}aws-account.html"))
    assert other.text() == text


def test_a_link_carries_what_the_policy_is_for_and_opens_at_the_checker(
    checker: Checker, context: BrowserContext, site: Site
) -> None:
    checker.place.get_by_label("Kind of policy").select_option("inline-role")
    checker.place.get_by_role("checkbox", name="Instance profile").check()
    checker.place.get_by_role("button", name="Make it tight").click()
    checker.place.get_by_label("Regions", exact=True).fill("eu-west-1")
    checker.place.get_by_label("Role of the instance profile").fill("build-role")
    link = checker.copied("Copy link")
    assert link.endswith("&target=inline-role&require=instance-profile&regions=eu-west-1&role=build-role")

    other = Checker(context.new_page(), site).open(link.removeprefix(f"{site.url}aws-account.html"))

    expect(other.place).to_be_in_viewport()
    assert other.place.bounding_box()["y"] < 400  # type: ignore[index]
    expect(other.place.get_by_label("Kind of policy")).to_have_value("inline-role")
    expect(other.row("iam:PassRole")).to_have_attribute("data-decision", "missing")
    other.place.get_by_role("button", name="Make it tight").click()
    expect(other.place.get_by_label("Regions", exact=True)).to_have_value("eu-west-1")
    expect(other.place.get_by_label("Role of the instance profile")).to_have_value("build-role")


def test_the_focus_stays_in_the_list_after_a_fix(checker: Checker) -> None:
    checker.write(policy("ec2:RunInstance", "ec2:CreateTag", *SIX[2:]))
    fixes = checker.findings.locator("button.fix")
    before = fixes.count()
    fixes.first.focus()
    checker.page.keyboard.press("Enter")
    # What followed from the same cause goes with it.
    expect(fixes).not_to_have_count(before)
    expect(fixes.first).to_be_focused()
    while fixes.count() > 0:
        checker.page.keyboard.press("Enter")
    assert checker.findings.evaluate("place => place.contains(document.activeElement)")


@pytest.mark.parametrize("width", [390, 1280])
def test_undo_and_redo_stand_side_by_side(checker: Checker, width: int) -> None:
    checker.page.set_viewport_size({"width": width, "height": 900})
    pair = [checker.place.get_by_role("button", name=name).bounding_box() for name in ("Undo", "Redo")]
    assert pair[0] and pair[1]
    assert pair[0]["y"] == pair[1]["y"]


def test_a_damaged_link_says_so(page: Page, site: Site) -> None:
    checker = Checker(page, site).open("#policy=AAAA!")
    expect(checker.banner).to_contain_text("The policy in this link is damaged")
    assert json.loads(checker.text())["Statement"][0]["Sid"] == "sprinters"


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 200 * 1024 * 1024])
def test_a_link_that_unpacks_to_more_than_any_policy_is_refused(page: Page, site: Site, size: int) -> None:
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(b" " * size) + packer.flush()
    word = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    checker = Checker(page, site).open(f"#policy={word}")
    expect(checker.banner).to_contain_text("The policy in this link has more than 1 MB, which no policy has")
    assert json.loads(checker.text())["Statement"][0]["Sid"] == "sprinters"


def test_a_reload_keeps_the_text(checker: Checker) -> None:
    text = policy("ec2:RunInstances")
    checker.write(text)
    checker.page.reload()
    expect(checker.row("ec2:CreateTags")).to_have_attribute("data-decision", "missing")
    assert checker.text() == text


def test_offline_everything_goes_on(checker: Checker, context: BrowserContext) -> None:
    asked: list[str] = []
    checker.page.on("request", lambda request: asked.append(request.url))
    context.set_offline(True)
    checker.write(policy(*SIX, "s3:GetObjekt"))
    expect(checker.finding("INVALID_ACTION")).to_contain_text("s3")
    checker.place.get_by_role("button", name="Make it tight").click()
    checker.place.get_by_label("Regions", exact=True).fill("eu-central-1")
    checker.place.get_by_role("button", name="Use this policy").click()
    assert checker.decisions() == dict.fromkeys(SIX, "granted")
    checker.load("Allowed here, denied there")
    assert checker.decisions()["ec2:DescribeInstances"] == "denied"
    assert asked == [], "after loading, the page asks for nothing"


def test_by_keyboard_alone(checker: Checker) -> None:
    keyboard = checker.page.keyboard
    checker.write(policy("ec2:RunInstance", *SIX[1:]))
    keyboard.press("F8")
    keyboard.press("Control+Shift+KeyM")
    panel = checker.place.get_by_role("listbox")
    expect(panel).to_be_focused()
    keyboard.press("Escape")
    expect(checker.editor).to_be_focused()
    tight = checker.place.get_by_role("button", name="Make it tight")
    for _ in range(6):
        keyboard.press("Tab")
        if tight.evaluate("element => element === document.activeElement"):
            break
    expect(tight).to_be_focused()
    fix = checker.finding("INVALID_ACTION").get_by_role("button", name="Write ec2:RunInstances")
    for _ in range(30):
        if fix.evaluate("element => element === document.activeElement"):
            break
        keyboard.press("Tab")
    keyboard.press("Enter")
    assert checker.decisions()["ec2:RunInstances"] == "granted"


@pytest.mark.parametrize("name", ["plain_six", "published_role", "tight"])
def test_policies_that_work_have_no_error(checker: Checker, name: str) -> None:
    checker.write((POLICIES / f"{name}.json").read_text())
    assert checker.decisions() == dict.fromkeys(SIX, "granted")
    expect(checker.findings.locator(".is-error")).to_have_count(0)
