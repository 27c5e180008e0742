"""What the site offers beside its text: search, each page's contents, and that it fits and works on every browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.checker import Checker
from browser.site import PATIENCE, ROOT, Site
from browser.test_book import PAGES, violations_of

# A browser whose owner blocks site data: even to look at the storage is an error.
BLOCKED = """
for (const area of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, area, { get() { throw new DOMException('blocked', 'SecurityError'); } });
"""
# Words of code that are split over two lines: where a line ends within letters, a flag, or a short name with hyphens.
SPLIT_WORDS = r"""
() => {
  const split = [];
  for (const code of document.querySelectorAll('main :not(pre) > code, .permissions .action')) {
    const walk = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      for (const word of node.data.matchAll(/(?<![\w-])--?[a-z]{2,}(?:-[a-z]+)?|[a-z]{2}-[a-z]+-[0-9]|[A-Za-z]{2,}/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const boxes = [...range.getClientRects()].filter(({ width }) => width > 0);
        const tops = new Set(boxes.map(({ top }) => Math.round(top)));
        if (tops.size > 1) split.push(code.textContent);
      }
    }
  }
  return split;
}
"""


def search(page: Page, words: str) -> None:
    page.get_by_role("button", name="Search").click()
    page.get_by_role("searchbox").fill(words)


def test_the_search_finds_inputs_errors_and_typos(page: Page, site: Site) -> None:
    page.goto(site.url)
    results = page.get_by_role("list", name="Results").get_by_role("link")
    for words, found in [
        ("start-timeout", "Limits"),
        ("VcpuLimitExceeded", "AWS"),
        ("organisation", "Organizations"),
        ("zram", "Storage"),
    ]:
        search(page, words)
        expect(results.filter(has_text=re.compile(found)).first).to_be_visible()
        page.keyboard.press("Escape")
    search(page, "DescribeSpotPriceHistory")
    expect(results.filter(has_text="ec2:DescribeSpotPriceHistory").first).to_be_visible()
    page.keyboard.press("Escape")
    search(page, "xyzzy")
    expect(page.get_by_text("Nothing about “xyzzy”").first).to_be_visible()


def test_the_search_by_keyboard(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("check a policy")
    results = page.get_by_role("list", name="Results").get_by_role("link")
    expect(results.first).to_contain_text("Check a policy")
    assert violations_of(page) == []
    page.keyboard.press("ArrowDown")
    expect(results.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}aws-account.html#check-a-policy")


def test_the_editor_keeps_its_slashes(checker: Checker) -> None:
    checker.write("")
    checker.editor.focus()
    checker.page.keyboard.type("a/b")
    assert checker.text() == "a/b"
    expect(checker.page.get_by_role("dialog")).to_have_count(0)


def test_every_page_lists_its_sections(page: Page, site: Site) -> None:
    page.goto(f"{site.url}spot.html")
    chapters = page.locator("#contents .chapters").get_by_role("link")
    assert chapters.count() == page.locator("main h2").count() > 2
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_text("On this page").click()
    page.get_by_role("navigation", name="On this page").get_by_role("link").last.click()
    expect(page.locator("main h2").last).to_be_in_viewport()


def test_code_is_coloured_without_a_script(site: Site) -> None:
    html = (site.files / "aws-account.html").read_text()
    for language in ("yaml", "json", "sh", "hcl"):
        assert re.search(rf'<code class="language-{language} coloured">[^`]*?<span class="', html), language


def test_pages_say_their_version_and_lead_to_their_source(page: Page, site: Site) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert version
    page.goto(f"{site.url}spot.html")
    expect(page.locator("footer")).to_contain_text(f"Sprinters {version[1]}")
    edit = page.get_by_role("link", name="Edit this page")
    expect(edit).to_have_attribute("href", "https://github.com/sprinters/action/edit/main/docs/src/spot.md")


@pytest.mark.parametrize("width", [320, 390])
def test_it_fits_on_a_phone(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    wrong = []
    for name in PAGES:
        page.goto(f"{site.url}{name}.html")
        if name == "aws-account":
            checker = Checker(page, site)
            expect(checker.banner).to_be_visible()
            checker.load("A typo and a missing permission")
            expect(checker.banner).to_contain_text("missing")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{name} is wider than {width}")
        wrong += [f"{name} splits {word}" for word in page.evaluate(SPLIT_WORDS) if width >= 390]
    assert wrong == []


# Buttons that stand on the code that they copy.
COVERED = r"""
() => [...document.querySelectorAll('main .code')].filter((box) => {
  const range = document.createRange();
  range.selectNodeContents(box.querySelector('pre code'));
  const button = box.querySelector('.copy').getBoundingClientRect();
  return [...range.getClientRects()].some(({ top, bottom, right, width }) =>
    width > 0 && top < button.bottom && bottom > button.top && right > button.left);
}).map((box) => box.textContent)
"""


def test_a_phone_shows_all_of_the_code_and_of_the_picture(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for name in ("index", "terminal", "aws-account"):
        page.goto(f"{site.url}{name}.html")
        assert page.evaluate(COVERED) == [], name
    page.goto(site.url)
    picture = page.get_by_role("img", name=re.compile("The jobs start-runner, build and stop-runner"))
    box = picture.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_tables_are_cards_on_a_phone_and_stay_tables_for_who_listens(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{site.url}inputs-and-outputs.html")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="start-timeout", exact=True))
    name, default, meaning = [cell.bounding_box() for cell in row.get_by_role("cell").all()]
    assert name and default and meaning
    assert name["y"] < default["y"] < meaning["y"], "one below the other"
    expect(page.get_by_role("columnheader", name="default").first).to_be_attached()


@pytest.fixture
def blocked(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.origin)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(BLOCKED)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert wrong == []


def test_everything_works_where_site_data_is_blocked(blocked: Page, site: Site) -> None:
    checker = Checker(blocked, site).open()
    checker.load("Allowed here, denied there")
    expect(checker.row("ec2:DescribeInstances")).to_have_attribute("data-decision", "denied")
    assert blocked.get_by_role("tabpanel").filter(visible=True).count() == 3, "one of each group is open"
    blocked.get_by_role("tab", name="Terraform").first.click()
    expect(blocked.get_by_role("tabpanel", name="Terraform").first).to_be_visible()
    blocked.get_by_role("button", name=re.compile("^Theme")).click()
    expect(blocked.get_by_role("button", name=re.compile("^Theme"))).to_have_text("Theme: light")
    blocked.reload()
    expect(checker.banner).to_be_visible()
