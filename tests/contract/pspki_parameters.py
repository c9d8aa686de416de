"""The parameters of PSPKI's functions as data, those of our module read in two ways, and how they differ.

``tests/data/pspki/parameters.json`` is what PowerShell's Get-Command says of PSPKI 4.3.0 (its ``source`` tells which
commit, and how it was obtained). ``GET_COMMAND`` asks a PowerShell the same about our module, ``read_module`` takes it
from the syntax tree of the psm1, without a PowerShell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_pwsh

from pkitools.powershell.install import source_folder

DATA = Path(__file__).parent.parent / "data" / "pspki" / "parameters.json"
MODULE = source_folder() / "PkiTools.psm1"
Flat = dict[str, Any]


@dataclass(frozen=True)
class Deviation:
    """Where the module differs on purpose. ``title`` heads the reason in docs/powershell.md; ``paths`` are patterns."""

    title: str
    paths: tuple[str, ...] = ()


DEVIATIONS = (
    Deviation(
        "More parameters",
        (
            "*/Server", "*/Domain", "*/Credential", "*/UseKerberos", "Convert-PemToPfx/KeyPassword",
            "Test-WebServerSSL/Sstp", "Test-WebServerSSL/CAFile", "Test-WebServerSSL/Revocation",
        ),
    ),
    Deviation("-InputPath and -OutputPath", ("Convert-PfxToPem/*putFile/aliases",)),
    Deviation("-WhatIf, -Confirm and -Force", ("Convert-P*/supports_should_process", "Convert-P*/Force")),
    Deviation("Whatever names a CA", ("*/CertificationAuthority/type",)),
    Deviation("-KeySpec", ("Convert-PemToPfx/KeySpec/type", "Convert-PemToPfx/KeySpec/validate_set")),
    Deviation("-ErrorCode", ("Get-ErrorMessage/ErrorCode/type",)),
    Deviation("Declared output types", ("Test-WebServerSSL/output_type", "Convert-PemToPfx/output_type")),
    Deviation("Results that PSPKI loses"),
    Deviation("No key in the pipeline"),
    Deviation("No certificate store"),
)  # fmt: skip
"""Every difference of the tables belongs to one of these; the last ones are of behaviour alone."""

GET_COMMAND = """
Import-Module PkiTools
$table = [ordered]@{}
foreach ($command in Get-Command -Module PkiTools -CommandType Function) {
    $parameters = [ordered]@{}
    $common = [Management.Automation.PSCmdlet]::CommonParameters +
        [Management.Automation.PSCmdlet]::OptionalCommonParameters
    foreach ($parameter in $command.Parameters.Values | Where-Object Name -notin $common) {
        $sets = [ordered]@{}
        foreach ($name in $parameter.ParameterSets.Keys) {
            $set = $parameter.ParameterSets[$name]
            $sets[$(if ($name -eq '__AllParameterSets') { '*' } else { $name })] = [ordered]@{
                mandatory = $set.IsMandatory; pipeline_by_value = $set.ValueFromPipeline
                pipeline_by_property_name = $set.ValueFromPipelineByPropertyName
                position = if ($set.Position -lt 0) { $null } else { $set.Position } }
        }
        $choice = $parameter.Attributes | Where-Object { $_ -is [ValidateSet] }
        $range = $parameter.Attributes | Where-Object { $_ -is [ValidateRange] }
        $parameters[$parameter.Name] = [ordered]@{ aliases = @($parameter.Aliases); sets = $sets
            switch = $parameter.SwitchParameter; type = $parameter.ParameterType.FullName
            validate_set = if ($choice) { @($choice.ValidValues) } else { $null }
            validate_range = if ($range) { @($range.MinRange, $range.MaxRange) } else { $null } }
    }
    $table[$command.Name] = [ordered]@{ parameters = $parameters
        aliases = @(Get-Alias -Definition $command.Name -ErrorAction Ignore | ForEach-Object Name | Sort-Object)
        default_parameter_set = $command.DefaultParameterSet; output_type = @($command.OutputType | ForEach-Object Name)
        supports_should_process = $command.Parameters.ContainsKey('WhatIf') }
}
$table | ConvertTo-Json -Depth 8 -Compress
"""

# PowerShell's short names of the types that the module's parameters have
TYPES = {
    "string": "System.String",
    "int": "System.Int32",
    "long": "System.Int64",
    "object": "System.Object",
    "switch": "System.Management.Automation.SwitchParameter",
    "pscredential": "System.Management.Automation.PSCredential",
}


def pspki() -> dict[str, Any]:
    """PSPKI's functions by name."""
    functions: dict[str, Any] = json.loads(DATA.read_text("utf-8"))["functions"]
    return functions


def bindings() -> list[dict[str, str]]:
    """Lines and how PSPKI binds their parameters."""
    found: list[dict[str, str]] = json.loads(DATA.read_text("utf-8"))["binding"]
    return found


def flat(function: dict[str, Any]) -> Flat:
    """A function's table as one value per path, such as ``URL/sets/*/position``; defaults are text and stay out.

    A parameter of every set stands in each of them, since both ways of declaring it mean the same.
    """
    parameters = function["parameters"]
    named = {key for item in parameters.values() for key in item["sets"]} - {"*"}
    expanded = {
        name: {**item, "sets": {key: item["sets"].get(key, item["sets"].get("*")) for key in named or {"*"}}}
        for name, item in parameters.items()
    }
    return {key: value for key, value in _flat("", {**function, "parameters": expanded}) if value not in (None, "")}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "default":
                yield from _flat(f"{path}/{key}".removeprefix("/parameters").removeprefix("/"), inner)
    else:
        yield path, value


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Path to (PSPKI's value, ours) for every function of PSPKI in ``theirs``, in both directions.

    A parameter that one side lacks is one difference.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name, function in theirs.items():
        left, right = function["parameters"], ours[name]["parameters"]
        for parameter in left.keys() ^ right.keys():
            found[f"{name}/{parameter}"] = (parameter in left, parameter in right)
        shared = left.keys() & right.keys()
        flats = [
            flat({**side, "parameters": {key: value for key, value in side["parameters"].items() if key in shared}})
            for side in (function, ours[name])
        ]
        for path in flats[0].keys() | flats[1].keys():
            values = flats[0].get(path), flats[1].get(path)
            if values[0] != values[1]:
                found[f"{name}/{path}"] = values
    return found


def unexplained(theirs: dict[str, Any], ours: dict[str, Any]) -> tuple[dict[str, tuple[Any, Any]], list[str]]:
    """The differences that no deviation covers, and the patterns of deviations that cover none."""
    found = differences(theirs, ours)
    patterns = [pattern for item in DEVIATIONS for pattern in item.paths]
    left = {path: pair for path, pair in found.items() if not any(fnmatchcase(path, one) for one in patterns)}
    return left, [one for one in patterns if not any(fnmatchcase(path, one) for path in found)]


@cache
def syntax_tree() -> tree_sitter.Tree:
    """The psm1 as tree-sitter-pwsh reads it."""
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language()))
    return parser.parse(MODULE.read_bytes())


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Every node, from the top."""
    yield node
    for child in node.children:
        yield from walk(child)


def read_module() -> dict[str, Any]:
    """Every exported function of the psm1 in the form of ``pspki()``, from the syntax tree."""
    root = syntax_tree().root_node
    aliases = dict(re.findall(rb"New-Alias -Name (\S+) -Value (\S+)", root.text or b""))
    table = {}
    for node in walk(root):
        if node.type != "function_statement" or not (block := _first(node, "param_block")):
            continue
        name = _text(_first(node, "function_name"))
        attributes = {_text(_first(item, "attribute_name")): item for item in _own_attributes(block)}
        if "CmdletBinding" in attributes:
            table[name] = _function(attributes, block)
            table[name]["aliases"] = sorted(key.decode() for key, value in aliases.items() if value.decode() == name)
    return table


def _function(attributes: dict[str, tree_sitter.Node], block: tree_sitter.Node) -> dict[str, Any]:
    binding = _arguments(attributes["CmdletBinding"])
    output = attributes.get("OutputType")
    parameters: dict[str, Any] = {}
    for node in walk(block):
        if node.type == "script_parameter":
            parameters.update(_parameter(node))
    _number_positions(parameters)
    return {
        "parameters": parameters,
        "default_parameter_set": binding.get("DefaultParameterSetName"),
        "output_type": _strings(output) if output else [],
        "supports_should_process": binding.get("SupportsShouldProcess", False),
    }


def _parameter(node: tree_sitter.Node) -> Iterator[tuple[str, dict[str, Any]]]:
    own: dict[str, Any] = {"aliases": [], "sets": {}, "validate_set": None, "validate_range": None}
    for item in _own_attributes(node):
        literal = next((child for child in item.children if child.type == "type_literal"), None)
        if literal is not None:
            own["type"] = _type_name(_text(literal)[1:-1])
            continue
        kind = _text(_first(item, "attribute_name"))
        if kind == "Parameter":
            arguments = _arguments(item)
            own["sets"][arguments.get("ParameterSetName", "*")] = {
                "mandatory": arguments.get("Mandatory", False),
                "pipeline_by_value": arguments.get("ValueFromPipeline", False),
                "pipeline_by_property_name": arguments.get("ValueFromPipelineByPropertyName", False),
                "position": arguments.get("Position"),
            }
        elif kind == "Alias":
            own["aliases"] = _strings(item)
        elif kind == "ValidateSet":
            own["validate_set"] = _strings(item)
        elif kind == "ValidateRange":
            own["validate_range"] = [int(number) for number in re.findall(r"\d+", _text(item))]
    yield _finished(_text(next(child for child in node.children if child.type == "variable"))[1:], own)
    # the grammar takes '= 1, [switch] $Next' for a default that is a list
    for cast in (item for item in walk(node) if item.type == "cast_expression"):
        match = re.fullmatch(r"\[([\w.\[\]]+)\]\s*\$(\w+)", _text(cast))
        if match:
            plain = {"aliases": [], "sets": {}, "validate_set": None, "validate_range": None}
            yield _finished(match[2], {**plain, "type": _type_name(match[1])})


def _finished(name: str, own: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    own["switch"] = own["type"] == TYPES["switch"]
    if not own["sets"]:
        plain = {"mandatory": False, "pipeline_by_value": False, "pipeline_by_property_name": False, "position": None}
        own["sets"]["*"] = plain
    return name, own


def _number_positions(parameters: dict[str, Any]) -> None:
    """PowerShell numbers all that are no switches, unless one parameter names a position or a set."""
    sets = [item for parameter in parameters.values() for item in parameter["sets"].items()]
    if any(key != "*" or value["position"] is not None for key, value in sets):
        return
    plain = [parameter for parameter in parameters.values() if not parameter["switch"]]
    for number, parameter in enumerate(plain):
        parameter["sets"]["*"]["position"] = number


def _type_name(written: str) -> str:
    element, brackets = re.fullmatch(r"([\w.]+)((?:\[\])?)", written).groups()  # type: ignore[union-attr]
    return TYPES.get(element.lower(), element) + brackets


def _own_attributes(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    lists = [child for child in node.children if child.type == "attribute_list"]
    return [item for found in lists for item in found.children if item.type == "attribute"]


def _arguments(attribute: tree_sitter.Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in (node for node in walk(attribute) if node.type == "attribute_argument"):
        name, _, value = (part.strip() for part in _text(item).partition("="))
        found[name] = {"$true": True, "$false": False}.get(value, int(value) if value.isdigit() else value.strip("'"))
    return found


def _strings(attribute: tree_sitter.Node) -> list[str]:
    return re.findall(r"'([^']*)'", _text(attribute))


def _first(node: tree_sitter.Node, kind: str) -> tree_sitter.Node | None:
    return next((item for item in walk(node) if item.type == kind), None)


def _text(node: tree_sitter.Node | None) -> str:
    assert node is not None and node.text is not None
    return node.text.decode("ascii")
