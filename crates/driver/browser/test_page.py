"""The structure of the page: short before anything is unfolded, found by links, keyboard and filters, whole in print."""

import pytest
from conftest import KINDS

SECTIONS = {
    "reproduction": ["outcome", "figures", "charts", "claims", "audit", "runs", "configuration", "provenance"],
    "deep": ["outcome", "figures", "charts", "runs", "configuration", "provenance"],
    "sweep": ["outcome", "charts", "runs", "configuration", "provenance"],
    "run": ["outcome", "charts", "runs", "provenance"],
    "fit": ["outcome", "parameters", "residuals", "figures", "provenance"],
    "beside": ["outcome", "charts", "runs", "settings"],
}


def screens(page):
    return page.evaluate("document.documentElement.scrollHeight / innerHeight")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_short(open_report, kind):
    assert screens(open_report(kind, 1280)) < 8
    assert screens(open_report(kind, 390)) < 18


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_screen_tells_the_outcome(open_report, kind):
    page = open_report(kind, 1280)
    found = page.evaluate("[...document.querySelectorAll('section[id]')].map(section => section.id)")
    assert [name for name in found if name in SECTIONS[kind]] == [name for name in found if name != "classes"]
    assert set(found) >= set(SECTIONS[kind])
    sentence = page.locator("#outcome li").first
    assert sentence.bounding_box()["y"] < 500
    assert any(sign.isdigit() for sign in sentence.inner_text())


@pytest.mark.parametrize("width", [1280, 390])
def test_the_bar_stays_and_covers_no_heading(open_report, width):
    page = open_report("reproduction", width)
    for name in SECTIONS["reproduction"]:
        page.evaluate("hash => { location.hash = hash }", f"#{name}")
        page.wait_for_timeout(700)
        bar = page.locator("nav.bar").bounding_box()
        assert bar["y"] == pytest.approx(0, abs=1) or page.evaluate("scrollY") < 400
        heading = page.locator(f"#{name} > h2").bounding_box()
        assert heading["y"] >= bar["y"] + bar["height"], name


def test_a_link_opens_what_is_folded(open_report):
    page = open_report("reproduction", 1280)
    row = "tr[id^='statement-']"
    assert not page.locator(row).first.is_visible()
    page.evaluate("location.hash = '#' + document.querySelector(\"tr[id^='statement-']\").id")
    page.wait_for_timeout(700)
    assert page.locator(row).first.is_visible()
    # As the page's own address, and with a filter that hides the row.
    name = page.evaluate("document.querySelector(\"#runs tr[id^='run-']\").id")
    fresh = open_report("reproduction", 1280, anchor=f"#{name}")
    fresh.wait_for_timeout(700)
    assert fresh.locator(f"[id='{name}']").is_visible()
    fresh.locator("[data-filter=runs]").fill("no run says this")
    assert fresh.locator("[data-count=runs]").inner_text().startswith("0 of")
    fresh.evaluate("location.hash = '#outcome'")
    fresh.evaluate("hash => { location.hash = hash }", f"#{name}")
    fresh.wait_for_timeout(700)
    assert fresh.locator(f"[id='{name}']").is_visible()


def test_tiles_and_filters_of_the_audit_agree(open_report):
    page = open_report("reproduction", 1280)
    tiles = page.locator("[data-show]")
    assert tiles.count() > 1
    for place in range(tiles.count()):
        tile = tiles.nth(place)
        number = tile.locator("strong").inner_text()
        tile.click()
        assert page.locator("[data-count=audit]").inner_text().startswith(f"{number} of ")
        shown = page.locator("table[data-table=audit] tbody tr:visible").count()
        assert shown == int(number)
    page.locator("[data-filter-verdict=audit]").select_option("")
    page.locator("[data-filter-paper=audit]").select_option("")
    # What the filter opened is folded again.
    assert page.locator("table[data-table=audit] tbody tr:visible").count() == 0


@pytest.mark.parametrize("kind", ["reproduction", "deep", "sweep"])
def test_the_filter_of_runs_opens_what_it_finds(open_report, kind):
    page = open_report(kind, 1280)
    assert page.locator("#runs tbody tr:visible").count() == 0
    page.locator("[data-filter=runs]").fill("gradient flow")
    shown = page.locator("#runs tbody tr:visible").count()
    assert page.locator("[data-count=runs]").inner_text().startswith(f"{shown} of ")
    assert shown > 0
    page.locator("[data-filter=runs]").fill("")
    assert page.locator("#runs tbody tr:visible").count() == 0


def test_the_charts_are_two_keys_away(open_report):
    page = open_report("reproduction", 1280)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#charts"
    assert page.locator(".skip:focus").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.wait_for_timeout(700)
    assert page.locator("#charts > h2").bounding_box()["y"] < 300


def test_folds_and_figures_answer_to_the_keyboard(open_report):
    page = open_report("reproduction", 1280)
    fold = page.locator("#audit details.fold").first
    fold.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("fold => fold.open")
    thumb = page.locator("#figures .thumb").first
    before = thumb.bounding_box()["width"]
    thumb.focus()
    page.keyboard.press("Enter")
    assert thumb.bounding_box()["width"] > 2 * before
    assert thumb.get_attribute("aria-expanded") == "true"


@pytest.mark.parametrize("kind", KINDS)
def test_everything_has_a_link_to_itself(open_report, kind):
    page = open_report(kind, 1280)
    without = page.evaluate(
        "[...document.querySelectorAll('section[id], main figure[id], tr[id], details[id]')]"
        ".filter(element => !element.querySelector(`a.permalink[href='#${CSS.escape(element.id)}'], a.permalink[href='#${element.id}']`))"
        ".map(element => element.id)"
    )
    assert without == []


@pytest.mark.parametrize("kind", KINDS)
def test_headings_come_in_order(open_report, kind):
    page = open_report(kind, 1280)
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => Number(heading.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(next_one <= level + 1 for level, next_one in zip(levels, levels[1:]))
    assert page.locator("main").count() == 1 and page.locator("header").count() == 1 and page.locator("nav").count() == 1


def test_print_unfolds_the_statements_and_folds_them_again(open_report):
    page = open_report("reproduction", 1280)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("table[data-table=audit] tbody tr:visible").count() > 20
    assert page.locator("#runs tbody tr:visible").count() > 10
    assert not page.locator("nav.bar").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("table[data-table=audit] tbody tr:visible").count() == 0


def test_figures_follow_the_dark_paper(open_report):
    page = open_report("reproduction", 1280, dark=True)
    image = page.locator("#figures img").first
    assert "invert" in image.evaluate("image => getComputedStyle(image).filter")
    page.emulate_media(media="print")
    assert image.evaluate("image => getComputedStyle(image).filter") == "none"


def test_a_fit_shows_its_intervals(open_report):
    page = open_report("fit", 1280)
    rows = page.locator("#parameters tbody tr")
    assert rows.count() == 3
    for place in range(rows.count()):
        value = float(rows.nth(place).locator("td").nth(1).inner_text())
        low, high = map(float, rows.nth(place).locator("td").nth(3).inner_text().split(" to "))
        assert low < value < high
