"""The module's parameters against PSPKI's, without a PowerShell; tests/lab asks a real one the same."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from pkitools.cli.registry import COMMANDS
from pkitools.output.records import properties
from pkitools.powershell.install import FILES, source_folder
from tests.contract.pspki_parameters import DEVIATIONS, MODULE, pspki, read_module, syntax_tree, unexplained, walk

DOCS = Path(__file__).parents[2] / "docs" / "powershell.md"


def test_the_module_parses_without_an_error():
    assert not syntax_tree().root_node.has_error
    assert not [node for node in walk(syntax_tree().root_node) if node.type == "ERROR" or node.is_missing]


def test_every_function_of_pspki_takes_its_parameters():
    assert unexplained(pspki(), read_module()) == ({}, [])


def test_deviations_are_at_most_ten_and_each_has_its_reason_in_the_docs():
    assert len(DEVIATIONS) <= 10
    headed = re.findall(r"^\d+\. \*\*(.+?)\*\*", DOCS.read_text("utf-8"), re.M)
    assert headed == [item.title for item in DEVIATIONS]


def test_the_manifest_exports_what_the_module_does():
    manifest = (source_folder() / "PkiTools.psd1").read_text("ascii")
    listed = re.search(r"FunctionsToExport\s*=\s*@\((.*?)\)", manifest, re.S)
    assert listed is not None
    exported = re.search(r"-Function (.*)", MODULE.read_text("ascii"), re.S)
    assert exported is not None
    functions = set(read_module())
    assert set(re.findall(r"'([\w-]+)'", listed[1])) == functions
    assert set(re.findall(r"[A-Z]\w+-\w+", exported[1])) == functions


@pytest.mark.parametrize("name", FILES)
def test_files_are_ascii_since_windows_powershell_reads_others_as_ansi(name):
    assert (source_folder() / name).read_bytes().isascii()


@pytest.mark.parametrize("word", ["class ", "Add-Type", "clean {"])
def test_what_fails_in_some_powershell_is_not_used(word):
    code = re.sub(r"<#.*?#>", "", MODULE.read_text("ascii"), flags=re.S)
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in lines if line.strip().startswith(word)]


def test_every_parameter_has_help_and_every_function_an_example():
    text = MODULE.read_text("ascii")
    for name, function in read_module().items():
        comment = re.search(rf"function {name} \{{\s*<#(.*?)#>", text, re.S)
        assert comment is not None, name
        described = re.findall(r"^\.PARAMETER (\w+)\n\S", comment[1], re.M)
        assert described == list(function["parameters"]), name
        assert re.search(r"^\.SYNOPSIS\n\S", comment[1], re.M), name
        assert re.search(r"^\.EXAMPLE\n\S", comment[1], re.M), name


def test_format_views_show_properties_that_the_objects_have():
    models = {getattr(kind, "PS_TYPE", ""): kind for kind in (spec.load_result() for spec in COMMANDS)}
    views = ElementTree.parse(source_folder() / "PkiTools.Format.ps1xml").getroot().iter("View")
    seen = set()
    for view in views:
        name = view.findtext("Name")
        assert name in models, name
        kinds = [item.text for item in view.iter("TypeName")]
        assert kinds == [name, f"Deserialized.{name}"]
        named = {item.text for item in view.iter("PropertyName")}
        named |= set(re.findall(r"\$_\.(\w+)\b", "".join(item.text or "" for item in view.iter("ScriptBlock"))))
        known = {item.name for item in properties(models[name])} | {"Id", "Name"}
        assert named <= known, (name, named - known)
        seen.add(name)
    assert len(seen) >= 8
