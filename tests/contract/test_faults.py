"""The book's page on fault injection says what tests/faults plays."""

from __future__ import annotations

from faults import book, plans


def test_the_tables_are_those_of_the_bench() -> None:
    page = book.PAGE.read_text()

    assert page[page.index(book.MARK) :] == book.render(), "write them again: `python tests/faults --book`"


def test_every_family_has_its_row() -> None:
    families = {case.family.partition(":")[0] for case in plans.plan(plans.FAMILIES)}
    of_one_call = {"one fault", "wrong meaning", "an App that signs in", "listen"}

    assert families == {
        *book.STORIES,
        *of_one_call,
        *(f"{mode} under faults" for mode in ("stop", "sweep", "check", "rerun")),
    }
