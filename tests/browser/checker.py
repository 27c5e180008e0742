"""The policy checker as somebody in front of it uses it."""

from __future__ import annotations

import json

from playwright.sync_api import Locator, Page, expect

from browser.site import Site

SIX = [
    "ec2:RunInstances",
    "ec2:CreateTags",
    "ec2:DescribeInstances",
    "ec2:ModifyVolume",
    "ec2:TerminateInstances",
    "ec2:DescribeSpotPriceHistory",
]


def policy(*actions: str, version: str = "2012-10-17") -> str:
    statement = {"Sid": "sprinters", "Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": version, "Statement": [statement]}, indent=2)


class Checker:
    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.place = page.locator("#policy-checker")
        self.editor = self.place.locator(".cm-content")
        self.verdict = self.place.get_by_role("region", name="Verdict")
        self.banner = self.verdict.locator(".banner")
        self.findings = self.place.get_by_role("region", name="Findings", exact=True)

    def open(self, fragment: str = "") -> Checker:
        self.page.goto(f"{self.site.url}aws-account.html{fragment}")
        expect(self.banner).to_be_visible()
        # The names of all services' actions are the last thing that the page asks for.
        self.page.wait_for_load_state("networkidle")
        return self

    def write(self, text: str) -> None:
        """Selects all and pastes."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.editor.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Control+v" if text else "Delete")

    def text(self) -> str:
        """The whole text, also what the editor does not show at the moment."""
        return self.copied("Copy policy")

    def copied(self, button: str) -> str:
        """What a button puts into the clipboard."""
        self.page.evaluate("navigator.clipboard.writeText('nothing yet')")
        self.place.get_by_role("button", name=button).click()
        self.page.wait_for_function("async () => await navigator.clipboard.readText() !== 'nothing yet'")
        copied: str = self.page.evaluate("navigator.clipboard.readText()")
        return copied

    def decisions(self) -> dict[str, str]:
        rows = self.verdict.locator("[data-action]").all()
        return {row.get_attribute("data-action") or "": row.get_attribute("data-decision") or "" for row in rows}

    def row(self, action: str) -> Locator:
        return self.verdict.locator(f'[data-action="{action}"]')

    def finding(self, code: str) -> Locator:
        return self.findings.locator(f'[data-code="{code}"]')

    def load(self, example: str) -> None:
        self.place.get_by_label("Load an example").select_option(label=example)
