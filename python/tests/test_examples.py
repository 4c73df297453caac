"""The examples of docs/python.md: each compiles and names only existing functions; those that need no GPU run."""

import pathlib
import re
import sys

import pytest

import weir

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"


def blocks():
    found, block = [], []
    for line in PAGE.read_text().splitlines() + ["end"]:
        if line.startswith("    ") or (block and not line):
            block.append(line[4:])
        elif block:
            found.append("\n".join(block))
            block = []
    return found


@pytest.mark.parametrize("code", blocks(), ids=lambda code: code.split("\n")[0][:30])
def test_names_are_there(code):
    compile(code, str(PAGE), "exec")
    for name in re.findall(r"\bweir\.([A-Za-z_]+)", code):
        assert hasattr(weir, name) or name in ("toml",), name


def test_there_are_examples():
    assert len(blocks()) >= 6


@pytest.mark.parametrize("code", [one for one in blocks() if "torch" not in one and "models/" not in one],
                         ids=lambda code: code.split("\n")[0][:30])
def test_they_run(machine, code):
    ran = machine.run([sys.executable, "-W", "error::SyntaxWarning", "-c", code])
    assert ran.returncode == 0, ran.stderr


ROOT = pathlib.Path(__file__).parents[2]


def test_every_test_that_a_requirement_names_is_there():
    sources = "".join(path.read_text() for folder in ("src", "tests", "python/tests")
                      for path in (ROOT / folder).rglob("*test*") if path.suffix in (".cpp", ".py"))
    defined = {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", sources, re.M)}
    defined |= set(re.findall(r"^def (test_\w+)", sources, re.M))
    defined |= {path.name for path in (ROOT / "python/tests").iterdir()}
    page = (ROOT / "docs" / "guard-rows.md").read_text()
    named = re.findall(r"`((?:[A-Z]\w+\*?\.|test_)[\w.*]+)`", page)
    assert len(named) > 50
    for name in named:
        start = name.replace("...", "").rstrip("*")
        pattern = re.compile(re.escape(start).replace(r"\*", r"\w*"))
        assert any(pattern.match(one) for one in defined), name
