"""Whatever is pasted, the page answers with words, and goes on working."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from browser.checker import SIX, Checker, policy

TERRAFORM = 'resource "aws_iam_policy" "sprinters" {\n  name = "sprinters-policy"\n}\n'
YAML = 'Version: "2012-10-17"\nStatement:\n  - Effect: Allow\n    Action: ec2:RunInstances\n    Resource: "*"\n'
CLOUDFORMATION = """\
Resources:
  SprintersPolicy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: []
"""


def works_on(checker: Checker) -> None:
    checker.write(policy(*SIX))
    expect(checker.banner).to_contain_text("Sprinters can work with this policy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The box is empty"),
        (" \n\t ", "The box is empty"),
        ("hello", "JSON"),
        ("null", "polic"),
        ("{}", "Statement"),
        ("[1, 2", "JSON"),
        (TERRAFORM, "Terraform"),
        (YAML, "YAML"),
        (CLOUDFORMATION, "CloudFormation"),
    ],
)
def test_what_is_no_policy(checker: Checker, text: str, said: str) -> None:
    checker.write(text)
    expect(checker.verdict).to_contain_text(said)
    works_on(checker)


def test_a_byte_order_mark(checker: Checker) -> None:
    checker.write("\ufeff" + policy(*SIX))
    expect(checker.findings.locator("li").first).to_be_visible()
    works_on(checker)


def test_half_a_character(checker: Checker) -> None:
    # A lone surrogate cannot come by the keyboard; a script or a broken clipboard can bring it.
    text = policy(*SIX).replace('"sprinters"', '"\\uD800"').replace("\\uD800", "\ud800")
    checker.page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData('text/plain', text);
          const editor = document.querySelector('.checker-host').shadowRoot.querySelector('.cm-content');
          editor.focus();
          getSelection().selectAllChildren(editor);
          editor.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        json.loads(json.dumps(text)),
    )
    expect(checker.findings.locator("li").first).to_be_visible()
    works_on(checker)


@pytest.mark.parametrize("depth", [300, 5_000, 100_000])
def test_deep_nesting(checker: Checker, depth: int) -> None:
    checker.write("[" * depth)
    expect(checker.banner).to_be_visible()
    checker.write('{"Version": "2012-10-17", "Statement": ' + "[" * depth + "]" * depth + "}")
    expect(checker.findings.locator("li").first).to_be_visible()
    works_on(checker)


def test_a_megabyte_stays_responsive(checker: Checker) -> None:
    statement = {"Effect": "Allow", "Action": SIX, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement] * 5_400}, indent=1)
    assert len(text) > 1_000_000
    checker.write(text)
    expect(checker.finding("SPRINTERS_POLICY_TOO_LARGE")).to_have_count(1)
    checker.page.keyboard.type("x")
    assert checker.page.evaluate("1 + 1") == 2
    works_on(checker)


def test_a_megabyte_on_one_line(checker: Checker) -> None:
    checker.write("x" * 1_100_000)
    expect(checker.banner).to_contain_text("JSON")
    works_on(checker)
