"""The programs in Python that the documents show run, and print what the page says that they print.

The fences are those of crates/driver/tests/driver/documents.rs: all ``python`` fences of a page run in order as one program, in a
folder with the page's files; a ``text`` fence below ``<!-- prints -->`` that follows one of them is part of what that fence printed.
"""

import contextlib
import io
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("crates/*/README.md")])
FENCE = re.compile(r"(?:<!-- *(?P<comment>[^\n]*?) *-->\n)?```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)


def fences(page):
    """(comment, language, text) of each fence."""
    for found in FENCE.finditer(page.read_text()):
        yield found["comment"] or "", found["language"], found["text"]


def runs(page):
    """Whether a page has a program of ours."""
    return any(language == "python" and not comment.startswith("not run") for comment, language, _ in fences(page))


@pytest.mark.parametrize("page", list(filter(runs, PAGES)), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_programs_of_a_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("crates", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    names, printed = {"__name__": "__main__"}, None
    for comment, language, text in fences(page):
        if comment.startswith("file:"):
            (tmp_path / comment.removeprefix("file:").strip()).write_text(text)
        elif language == "python" and not comment.startswith("not run"):
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(text, str(page), "exec"), names)
            printed = " ".join(output.getvalue().split())
        elif comment == "prints" and printed is not None:
            for line in filter(str.strip, text.splitlines()):
                assert " ".join(line.split()) in printed
        elif language == "sh":
            printed = None


def test_there_are_programs():
    assert len([page for page in PAGES if runs(page)]) >= 2
