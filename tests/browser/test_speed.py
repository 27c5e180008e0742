"""What follows a key: in the very next frame, or a person would see the page lag. How fast, `make bench` tells."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.checker import Checker
from browser.typing_keys import Typing, six_kilobytes


def test_verdict_and_list_follow_every_key(checker: Checker) -> None:
    assert 6_000 <= len(six_kilobytes()) <= 7_500
    typing, written = Typing(checker), "ec2:RunInstances"
    for key in "abcdefghij":
        typing.press(key)
        written += key
        name = written.partition(":")[2]
        mistyped = checker.finding("INVALID_ACTION").filter(has_text=f"has no action {name}")
        expect(mistyped).to_have_count(1)
        expect(checker.row("ec2:RunInstances")).to_have_attribute("data-decision", "missing")
    for _ in "abcdefghij":
        checker.page.keyboard.press("Backspace")
    expect(checker.finding("INVALID_ACTION").filter(has_text="RunInstances")).to_have_count(0)
    expect(checker.row("ec2:RunInstances")).to_have_attribute("data-decision", "granted")
