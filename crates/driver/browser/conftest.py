"""Folders of every kind with their report.html, and pages of headless Chromium that must stay silent on the console."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = os.environ.get("GAUSSFLOW", str(ROOT / "target/release/gaussflow"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
KINDS = ["reproduction", "deep", "sweep", "run", "fit", "beside"]

BASE = """
[data]
samples = 60
[network]
hidden = 4
[dynamics]
horizon = 1.0
[record]
every = 5
"""
SWEEP = BASE + """
[sweep]
seeds = 3
"dynamics.scaling" = [8.0, 32.0]
[[sweep.cases]]
dynamics.preconditioner = "gauss-newton"
[[sweep.cases]]
dynamics = { preconditioner = "gradient", integrator = "stiff" }
"""


def make(kind: str, folder: pathlib.Path) -> None:
    """Write the folder of one kind."""

    def gaussflow(*arguments: object) -> None:
        subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True)

    if kind == "reproduction":
        gaussflow("reproduce", "--quick", "--quiet", "--out", folder)
    elif kind == "deep":
        gaussflow("reproduce", "--deep", "--quick", "--quiet", "--out", folder)
    elif kind == "fit":
        gaussflow("fit", ROOT / "crates/driver/examples/decay.toml", "--out", folder, "--quiet")
    elif kind == "beside":
        folder.mkdir(parents=True)
        (folder / "small.toml").write_text(BASE)
        for scaling in (8, 32):
            gaussflow("run", folder / "small.toml", "--set", f"dynamics.scaling={scaling}", "--out", folder / str(scaling), "--quiet")
        gaussflow("report", folder / "8", folder / "32", "--out", folder, "--quiet")
        return
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        configuration = folder.with_suffix(".toml")
        configuration.write_text(SWEEP if kind == "sweep" else BASE)
        gaussflow(kind, configuration, "--out", folder, "--quiet")
    gaussflow("report", folder, "--quiet")


@pytest.fixture(scope="session")
def folders():
    """Kind -> folder, made where it is first asked for."""
    kept = os.environ.get("GAUSSFLOW_FOLDERS")
    root = pathlib.Path(kept or tempfile.mkdtemp())

    class Folders(dict):
        def __missing__(self, kind: str) -> pathlib.Path:
            folder = root / kind
            if not (folder / "report.html").is_file():
                make(kind, folder)
            self[kind] = folder
            return folder

    yield Folders()
    if not kept:
        shutil.rmtree(root)


@pytest.fixture(scope="session")
def browser():
    """The browser of all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_report(browser, folders):
    """``open_report(kind, width, touch=False, dark=False, anchor="")`` gives a loaded page of the report of that kind.

    The test fails where a page says anything on the console, throws, or asks for anything but its own file.
    """
    contexts, said = [], []

    def open_one(kind, width, touch=False, dark=False, anchor=""):
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 600 else 844},
            has_touch=touch,
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        address = (folders[kind] / "report.html").as_uri()
        page.on("console", lambda message: said.append(f"{kind}, {width} px: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"{kind}, {width} px: {error}"))
        page.on(
            "request",
            lambda request: said.append(f"{kind} asks for {request.url}")
            if not request.url.startswith((address, "data:", "blob:"))
            else None,
        )
        page.context.session = page.context.new_cdp_session(page)
        page.context.session.send("Performance.enable")
        page.goto(address + anchor)
        page.wait_for_load_state("load")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert said == []
