"""Every command has what a user looks for: help with examples and exit codes, a schema, a page in docs."""

from __future__ import annotations

from pathlib import Path

import pytest

import pkitools
from pkitools.cli import main
from pkitools.cli.registry import COMMANDS

DOCS = Path(__file__).parents[2] / "docs"
VISIBLE = [spec for spec in COMMANDS if not spec.hidden]


@pytest.mark.parametrize("spec", VISIBLE, ids=lambda spec: spec.name)
def test_help_has_examples_and_exit_codes(spec, capfd):
    assert main.run([spec.name, "--help"]) == 0
    text = capfd.readouterr().out
    examples = text.partition("Examples:")[2]
    assert f"pkitools {spec.name}" in examples
    assert "Exit codes:" in text
    assert "--output" in text


@pytest.mark.parametrize("spec", VISIBLE, ids=lambda spec: spec.name)
def test_command_has_a_page_in_docs(spec):
    pages = [page for page in DOCS.glob("*.md") if f"pkitools {spec.name}" in page.read_text("utf-8")]
    assert pages, f"no page in docs shows 'pkitools {spec.name}'"


def test_exports_are_importable_and_pinned():
    for name in pkitools.__all__:
        assert getattr(pkitools, name) is not None
    assert set(pkitools._EXPORTS) | {"__version__"} == set(pkitools.__all__)
    with pytest.raises(AttributeError):
        pkitools.nothing  # noqa: B018


def test_names_are_unique():
    names = [spec.name for spec in COMMANDS]
    assert len(names) == len(set(names))
