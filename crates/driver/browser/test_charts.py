"""The interactive charts: values by finger and keyboard, ends, ranges, links, files, seeds and baselines, against the data."""

import csv
import io
import json
import re
import struct

import pytest

START = "#charts:by=start"


def data_of(page):
    """The data that the page holds for its charts."""
    return json.loads(page.evaluate("document.getElementById('chart-data').textContent"))


def name_of(group):
    return f"{group['method']}, {group['label']}"


def state(page):
    """What the charts show, as the page itself keeps it."""
    return page.evaluate(
        "({...charts.state, modes: charts.all.map(chart => chart.mode), times: charts.all.map(chart => chart.times)})"
    )


def chart(page, name):
    return page.locator(f"[data-chart='{name}']")


def plot(page, name):
    found = chart(page, name).locator(".plot")
    found.evaluate("plot => plot.scrollIntoView({block: 'center', behavior: 'instant'})")
    return found


def press_end(page, name):
    """The readout of a chart at the last time shown, by keyboard."""
    plot(page, name).focus()
    page.keyboard.press("End")
    return rows(page, name)


def rows(page, name):
    """Name -> text of the rows of a readout, with its title under the key None."""
    box = chart(page, name).locator(".readout")
    found = {None: box.locator("b").inner_text()}
    for row in box.locator("div").all():
        found[row.locator("span").nth(0).inner_text()] = row.locator(".value").inner_text()
    return found


def number(text):
    return float(re.match(r"-?[\d.]+(e-?\d+)?", text)[0])


def show_only(page, *groups):
    page.evaluate("groups => charts.change({shown: charts.groups.map((_, index) => groups.includes(index))})", list(groups))


def touch(session, kind, x, y):
    points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_shows_values_and_a_tap_elsewhere_hides_them(open_report):
    page = open_report("reproduction", 390, touch=True)
    box = plot(page, "loss").bounding_box()
    readout = chart(page, "loss").locator(".readout")
    middle = box["y"] + 0.4 * box["height"]
    page.touchscreen.tap(box["x"] + 0.5 * box["width"], middle)
    page.wait_for_timeout(400)
    assert readout.is_visible() and re.match(r"t = [\d.]+", rows(page, "loss")[None])
    tapped = rows(page, "loss")[None]
    # Held and moved sideways, the values follow.
    session = page.context.new_cdp_session(page)
    touch(session, "touchStart", box["x"] + 0.5 * box["width"], middle)
    for part in (0.55, 0.6, 0.7, 0.8):
        touch(session, "touchMove", box["x"] + part * box["width"], middle)
    assert readout.is_visible() and rows(page, "loss")[None] != tapped
    touch(session, "touchEnd", 0, 0)
    page.wait_for_timeout(400)
    assert readout.is_visible()
    page.locator("#chart-controls .hint:not([role])").scroll_into_view_if_needed()
    hint = page.locator("#chart-controls .hint:not([role])").bounding_box()
    page.touchscreen.tap(hint["x"] + 5, hint["y"] + 5)
    assert readout.is_hidden()


def test_a_finger_that_moves_up_scrolls_the_page(open_report):
    page = open_report("reproduction", 390, touch=True)
    box = plot(page, "loss").bounding_box()
    before = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)
    x, y = box["x"] + 150, box["y"] + 200
    touch(session, "touchStart", x, y)
    for step in range(1, 12):
        touch(session, "touchMove", x, y - 25 * step)
        page.wait_for_timeout(16)
    touch(session, "touchEnd", x, y)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") > before + 200


def test_a_curve_that_has_ended_says_so(open_report):
    page = open_report("reproduction", 1280)
    data = data_of(page)
    loss = data["charts"][0]
    last = max(series["t"][-1] for series in loss["series"])
    ended = [series for series in loss["series"] if series["t"][-1] < last]
    assert ended, "the adaptive flow at alpha = 0.125 leaves its domain early"
    found = press_end(page, "loss")
    assert number(found[None].removeprefix("t = ")) == last
    for series in loss["series"]:
        group = data["groups"][series["group"]]
        if group["off"]:
            assert name_of(group) not in found
        elif series in ended:
            assert found[name_of(group)] == f"ended at t = {series['t'][-1]:g}"
        else:
            assert number(found[name_of(group)]) == pytest.approx(series["y"][-1], rel=1e-4)


def test_the_smallest_eigenvalues_are_within_the_axis_or_in_words(open_report):
    page = open_report("reproduction", 1280)
    data = data_of(page)
    low, high = page.evaluate("(({min, max}) => [min, max])(charts.all.find(chart => chart.id === 'nu').uplot.scales.y)")
    said = chart(page, "nu").locator(".beyond").inner_text()
    negative = 0
    for series in next(one for one in data["charts"] if one["id"] == "nu")["series"]:
        group = data["groups"][series["group"]]
        if group["off"]:
            continue
        for value in (min(series["y"]), max(series["y"])):
            assert low <= value <= high or name_of(group) in said, (name_of(group), value, low, high, said)
        negative += min(series["y"]) < 0 and low <= min(series["y"])
    assert negative >= 3
    # Logarithmic values cut nothing off.
    menu = chart(page, "nu").locator(".menu")
    menu.locator("summary").click()
    menu.locator("select").select_option("log")
    least = min(min(s["y"]) for c in data["charts"] if c["id"] == "nu" for s in c["series"] if not data["groups"][s["group"]]["off"])
    assert page.evaluate("charts.all.find(chart => chart.id === 'nu').uplot.scales.y.min") <= least
    assert chart(page, "nu").locator(".beyond").inner_text() == ""


def test_a_link_opens_the_charts_as_they_were(open_report):
    page = open_report("reproduction", 1280)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".legend input").nth(1).click()
    page.get_by_role("button", name="Logarithmic time").click()
    page.get_by_role("button", name="Bands").click()
    page.get_by_label("Seeds", exact=True).select_option("seed 1")
    page.get_by_label("Divide by", exact=True).select_option("its own value at the start")
    chart(page, "gradient").locator("summary").click()
    chart(page, "gradient").locator("select").select_option("linear")
    page.evaluate("charts.zoom([0.25, 1.5])")
    before = state(page)
    assert before["shown"][1] is False and before["seed"] == 1 and before["baseline"] == "start"
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url and "#charts:" in link
    anchor = "#" + link.split("#")[1]
    other = open_report("reproduction", 1280, anchor=anchor)
    assert state(other) == before
    assert other.locator(".legend input").nth(1).is_checked() is False
    assert other.get_by_label("Divide by", exact=True).input_value() == "start"
    assert abs(other.evaluate("document.getElementById('charts').getBoundingClientRect().top")) < 900
    # A change of the address alone restores too, and what it does not name is as on a fresh page.
    other.evaluate("location.hash = '#charts:show=0&by=2'")
    other.wait_for_function("charts.state.baseline === 2")
    assert state(other)["shown"] == [index == 0 for index in range(len(before["shown"]))]
    assert state(other)["seed"] is None and state(other)["range"] is None
    # An anchor of the page leaves the charts alone.
    other.evaluate("location.hash = '#runs'")
    other.wait_for_timeout(100)
    assert state(other)["baseline"] == 2
    # Nonsense is passed over.
    for nonsense in ("#charts:show=99.x&by=77&seed=12345&zoom=3_1&log=nothing", "#charts:%", "#charts:zoom=a_b&by=-1"):
        worn = open_report("sweep", 1280, anchor=nonsense)
        assert state(worn)["baseline"] is None and state(worn)["range"] is None and state(worn)["seed"] is None


def saved(page, name, what):
    menu = chart(page, name).locator(".menu")
    menu.locator("summary").click()
    with page.expect_download() as download:
        menu.get_by_role("button", name=f"Save as {what}").click()
    assert menu.get_attribute("open") is None
    with open(download.value.path(), "rb") as file:
        return download.value.suggested_filename, file.read()


def test_the_files_hold_what_is_shown(open_report):
    page = open_report("sweep", 1280)
    data = data_of(page)
    show_only(page, 0, 2)
    name, content = saved(page, "loss", "CSV")
    assert name == "loss.csv"
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    loss = data["charts"][0]
    for series in loss["series"]:
        group = data["groups"][series["group"]]
        own = [line for line in lines if (line["method"], line["configuration"]) == (group["method"], group["label"])]
        if series["group"] not in (0, 2):
            assert own == []
            continue
        assert [float(line["t"]) for line in own] == series["t"]
        assert [float(line["value"]) for line in own] == series["y"]
        assert [float(line["lower_quartile"]) for line in own] == series["lo"]
        assert {line["seed"] for line in own} == {"median"} and {line["quantity"] for line in own} == {"Empirical loss"}
    name, content = saved(page, "loss", "SVG")
    drawing = content.decode()
    assert name == "loss.svg" and page.evaluate(
        "text => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror') === null", drawing
    )
    assert name_of(data["groups"][0]) in drawing and name_of(data["groups"][1]) not in drawing
    assert drawing.count("stroke-width=\"1.8\"") == 2 and drawing.count("fill-opacity") == 2 and "NaN" not in drawing
    name, content = saved(page, "loss", "PNG")
    assert name == "loss.png" and content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    assert width == 1520 and height > 800 and len(content) > 10_000
    # All charts in one file, zoomed: no time outside.
    page.evaluate("charts.zoom([0.25, 0.75])")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save values").click()
    with open(download.value.path(), encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert download.value.suggested_filename == "traces.csv"
    assert {line["quantity"] for line in lines} == {one["title"] for one in data["charts"]}
    assert all(0.25 <= float(line["t"]) <= 0.75 for line in lines)


def test_one_seed_is_that_run(open_report, folders):
    page = open_report("sweep", 1280)
    page.get_by_label("Seeds", exact=True).select_option("seed 2")
    found = press_end(page, "loss")
    data = data_of(page)
    manifest = json.loads((folders["sweep"] / "manifest.json").read_text())
    checked = 0
    for run in manifest["runs"]:
        folder = folders["sweep"] / run["path"]
        configuration = (folder / "config.toml").read_text()
        if "\nseed = 2\n" not in configuration:
            continue
        flow = "Gradient flow" if 'preconditioner = "gradient"' in configuration else "Gauss-Newton"
        alpha = re.search(r"\nscaling = ([\d.]+)\n", configuration)[1].removesuffix(".0")
        [name] = [name_of(g) for g in data["groups"] if g["method"].startswith(flow) and g["label"] == f"α = {alpha}"]
        with open(folder / "trace.csv", encoding="utf-8") as file:
            last = list(csv.DictReader(file))[-1]
        assert number(found[name]) == pytest.approx(float(last["loss"]), rel=1e-3)
        # A single run has no band.
        assert "[" not in found[name]
        checked += 1
    assert checked == len(data["groups"]) == len(found) - 1


def test_ratios_to_a_baseline_are_those_of_the_data(open_report):
    page = open_report("sweep", 1280)
    data = data_of(page)
    loss = {series["group"]: series for series in data["charts"][0]["series"]}
    page.get_by_label("Divide by", exact=True).select_option("its own value at the start")
    found = press_end(page, "loss")
    for group, series in loss.items():
        assert number(found[name_of(data["groups"][group])]) == pytest.approx(series["y"][-1] / series["y"][0], rel=1e-4)
    assert chart(page, "loss").locator(".unit").inner_text().endswith("divided by its own value at the start")
    # The deviation starts at 0: it stays as it is, and the page says why.
    deviation = data["charts"][1]["series"][0]
    assert number(press_end(page, "deviation")[name_of(data["groups"][0])]) == pytest.approx(deviation["y"][-1], rel=1e-4)
    assert "Not divided: its own value at the start is 0." in chart(page, "deviation").locator(".beyond").inner_text()
    base = name_of(data["groups"][1])
    page.get_by_label("Divide by", exact=True).select_option(base)
    found = press_end(page, "loss")
    for group, series in loss.items():
        expected = series["y"][-1] / loss[1]["y"][-1]
        assert number(found[name_of(data["groups"][group])]) == pytest.approx(expected, rel=1e-4)
    assert chart(page, "loss").locator(".unit").inner_text().endswith(f"divided by {base}")


def test_ratios_between_times_are_interpolated(open_report):
    page = open_report("run", 1280)
    values = "[chartValues.valueAt([0, 1, 3], [2, 4, 8], 1.5), chartValues.valueAt([0, 1, 3], [2, 4, 8], 3), chartValues.valueAt([0, 1], [2, 4], 1.5)]"
    assert page.evaluate(values) == [5, 8, None]


def test_the_keyboard_reads_values_with_few_stops(open_report):
    page = open_report("reproduction", 1280)
    assert page.evaluate("document.querySelectorAll('.legend input:not([tabindex=\"-1\"])').length") == 1
    page.locator(".legend input").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.group") == "1"
    # The legend is one stop, the tools above the charts eleven, each chart two: the plot and its menu.
    stops = 0
    while not page.evaluate("document.activeElement.matches('[data-chart=loss] .plot')"):
        page.keyboard.press("Tab")
        stops += 1
        assert stops <= 14
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    readout = chart(page, "loss").locator(".readout")
    time = lambda: number(rows(page, "loss")[None].removeprefix("t = "))
    page.keyboard.press("Home")
    assert readout.is_visible() and time() == 0
    page.keyboard.press("ArrowRight")
    second = time()
    page.keyboard.press("ArrowRight")
    assert 0 < second < time()
    page.keyboard.press("End")
    assert time() == state(page)["times"][0][1]
    page.keyboard.press("ArrowLeft")
    assert time() < state(page)["times"][0][1]
    page.keyboard.press("Escape")
    assert readout.is_hidden()
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('[data-chart=deviation] *')")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_open_menus_and_readouts_fit_a_phone(open_report, dark):
    page = open_report("reproduction", 390, touch=True, dark=dark, anchor=START)
    for name in ("loss", "nu"):
        box = plot(page, name).bounding_box()
        page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + 100)
        readout = chart(page, name).locator(".readout")
        assert readout.is_visible()
        shown = readout.bounding_box()
        assert shown["x"] >= 0 and shown["x"] + shown["width"] <= 390
        chart(page, name).locator("summary").click()
        shown = chart(page, name).locator(".menu > div").bounding_box()
        assert shown["x"] >= 0 and shown["x"] + shown["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390
