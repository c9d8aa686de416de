"""The JSON Schemas in the package are those of the models; run scripts/schema after a change."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from pkitools.cli.registry import COMMANDS
from pkitools.output.json_format import JsonFormat
from pkitools.output.jsonschema import command_schema
from tests.unit.cli.sample import Sample, _one


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_checked_in_schema_is_that_of_the_model(spec):
    stored = files("pkitools.output").joinpath(f"schema/{spec.name}.json").read_text("ascii")
    assert json.loads(stored) == json.loads(json.dumps(command_schema(spec.name, spec.load_result())))


def test_records_obey_the_schema():
    form = JsonFormat(Sample)
    outcomes = [item for name in ("x", "dead", "expired") for item in _one(name, False)]
    text = form.begin() + "".join(form.outcome(item) for item in outcomes) + form.end()
    schema = command_schema("sample", Sample)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(text), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"DisplayName": 1}], schema)
