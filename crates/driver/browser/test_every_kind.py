"""What must hold for the report of every kind of folder."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import KINDS

WIDTHS = [1280, 390]
# Seconds of the page's thread until it is loaded and drawn.
MOST_WORK = 1.5


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_the_window(open_report, kind, width):
    page = open_report(kind, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_serious_barrier(open_report, kind, dark):
    page = open_report(kind, 1280, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    found = Axe().run(page).response["violations"]
    serious = [
        (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_small_and_soon_there(open_report, folders, kind):
    page = open_report(kind, 1280)
    metrics = page.context.session.send("Performance.getMetrics")["metrics"]
    found = {metric["name"]: metric["value"] for metric in metrics}
    # The processor's seconds for parsing, layout and scripts, which do not depend on what else the machine does.
    assert 0 < found["ThreadTime"] < MOST_WORK
    assert (folders[kind] / "report.html").stat().st_size < 6_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_within_the_page_leads_somewhere(open_report, kind):
    page = open_report(kind, 1280)
    missing = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1)).filter(id => id && !id.includes('=')"
        " && !document.getElementById(decodeURIComponent(id)))"
    )
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_to_a_file_leads_to_one(open_report, folders, kind):
    page = open_report(kind, 1280)
    names = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')).filter(h => !/^(#|data:|blob:|https?:)/.test(h))"
    )
    missing = [name for name in set(names) if not (folders[kind] / name.split("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_tables_sort_in_both_directions(open_report, kind):
    page = open_report(kind, 1280)
    wrong = page.evaluate(
        """() => {
          document.querySelectorAll('details').forEach(details => details.open = true);
          const wrong = [];
          for (const table of document.querySelectorAll('table[data-sortable]')) {
            [...table.tHead.rows[0].cells].forEach((header, column) => {
              const button = header.querySelector('button');
              if (!button) return;
              const numeric = header.dataset.kind === 'number';
              const keys = () => [...table.tBodies[0].rows].map(row => sortKey(row.cells[column], numeric))
                .filter(key => !numeric || !isNaN(key));
              for (const sign of [1, -1]) {
                button.click();
                const list = keys();
                const sorted = list.every((key, place) => place === 0 || sign * (numeric ? key - list[place - 1]
                  : key.localeCompare(list[place - 1], 'en', { numeric: true })) >= 0);
                if (!sorted) wrong.push([table.id, header.textContent, sign]);
              }
            });
          }
          return wrong;
        }"""
    )
    assert wrong == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "fit"])
def test_every_chart_has_ink(open_report, kind):
    page = open_report(kind, 1280)
    inked = page.evaluate(
        """() => [...document.querySelectorAll('.plot canvas')].map(canvas => {
          const copy = document.createElement('canvas');
          [copy.width, copy.height] = [canvas.width, canvas.height];
          const context = copy.getContext('2d');
          context.drawImage(canvas, 0, 0);
          const bytes = context.getImageData(0, 0, copy.width, copy.height).data;
          return bytes.filter((value, place) => place % 4 === 3 && value).length;
        })"""
    )
    assert len(inked) >= 4 and min(inked) > 1000


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_paper_is_light_or_dark_as_the_reader_wants(open_report, dark):
    page = open_report("run", 1280, dark=dark)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red = int(colour.split("(")[1].split(",")[0])
    assert (red < 128) == dark
