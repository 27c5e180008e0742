"""What the book says of trust: who may take the role, what a public repository needs, who reads user data."""

from __future__ import annotations

import json
import re

from standins.program import ROOT

BOOK = ROOT / "docs" / "src"
# A subject of GitHub's OIDC tokens, with the owner's and the repository's ids or with their names alone.
SUBJECT = re.compile(r"repo:(?:[^\s\"'`,:]*):[^\s\"'`,|]+")


def test_subjects_with_ids_come_first() -> None:
    """A name can come to somebody else, an id never does."""
    rows = [line for line in (BOOK / "aws-account.md").read_text().splitlines() if line.startswith("| ")]
    forms = [found for line in rows if len(found := SUBJECT.findall(line)) > 1]
    assert len(forms) >= 4
    assert all("@" in ids and "@" not in names for ids, names in forms)
    kinds = [ids.rsplit("app@1296269:")[1] for ids, _ in forms]
    assert kinds[0].startswith("environment:") and kinds[1].startswith("ref:") and kinds[-1] == "*"
    for file in (BOOK / "setup" / "role").iterdir():
        subjects = SUBJECT.findall(file.read_text())
        assert subjects and "@" in subjects[0], file.name


def test_public_repositories_have_a_page() -> None:
    assert "(public-repositories.md)" in (BOOK / "SUMMARY.md").read_text()
    page = (BOOK / "public-repositories.md").read_text()
    for needed in (
        "Require approval for all external contributors",
        "runner-group:",
        "No `instance-profile`",
        "sudo: false",
        "A subnet of its own",
        "`sweep`",
    ):
        assert needed in page
    for other in ("security.md", "listen.md", "organizations.md"):
        assert "public-repositories.md" in (BOOK / other).read_text()


def test_the_readers_of_user_data_are_named_and_denied() -> None:
    page = (BOOK / "security.md").read_text()
    for policy in ("ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess"):
        assert policy in page
    assert "{{#include policies/no_user_data.json}}" in page
    [statement] = json.loads((BOOK / "policies" / "no_user_data.json").read_text())["Statement"]
    assert statement["Effect"] == "Deny"
    assert set(statement["Action"]) == {"ec2:DescribeInstanceAttribute", "ec2:GetLaunchTemplateData"}
