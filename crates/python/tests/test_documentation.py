"""What is documented: examples run, the README prints what it says, the stub is that of the compiled module."""

import ast
import contextlib
import doctest
import importlib
import inspect
import io
import pathlib
import pkgutil
import re

import gaussflow as gf
import pytest

README = pathlib.Path(__file__).parents[1] / "README.md"
ROOT_README = README.parents[2] / "README.md"
MODULES = [name for _, name, _ in pkgutil.iter_modules(gf.__path__) if name != "_core"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name):
    found = doctest.testmod(importlib.import_module(f"gaussflow.{name}"))
    assert found.failed == 0


def test_everything_public_is_documented():
    for name in gf.__all__:
        thing = getattr(gf, name)
        assert inspect.getdoc(thing), name
        if inspect.isfunction(thing):
            documented = inspect.getdoc(thing)
            for parameter in inspect.signature(thing).parameters:
                assert parameter in documented or parameter == "kwargs", f"{name}: {parameter}"


@pytest.mark.parametrize("path", [README, ROOT_README], ids=["package", "workspace"])
def test_programs_of_the_readme_print_what_it_says(path):
    programs = re.findall(r"```python\n(.*?)```\n+(?:[^`\n][^\n]*\n+)?```text\n(.*?)```", path.read_text(), flags=re.S)
    assert programs
    for program, expected in programs:
        if "jax" in program:
            pytest.importorskip("jax")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, str(path), "exec"), {})
        assert printed.getvalue() == expected


def test_the_stub_is_that_of_the_compiled_module():
    stub = ast.parse((pathlib.Path(gf.__path__[0]) / "_core.pyi").read_text())
    core = importlib.import_module("gaussflow._core")
    said = {node.name: node for node in stub.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert {name for name in dir(core) if not name.startswith("_")} == set(said)
    for name, node in said.items():
        if isinstance(node, ast.ClassDef):
            methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)} - {"__new__"}
            assert {each for each in dir(getattr(core, name)) if not each.startswith("_")} == methods
        else:
            parameters = [each.arg for each in node.args.args]
            assert parameters == list(inspect.signature(getattr(core, name)).parameters), name
