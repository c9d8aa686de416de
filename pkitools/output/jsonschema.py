"""JSON Schema of a command's records, made from the result's class. ``scripts/schema`` writes them to ``schema/``."""

from __future__ import annotations

import types
import typing
from datetime import date, datetime, timedelta
from enum import Enum, Flag
from typing import Any

from pkitools.output.records import Property, enum_name, outcome_properties, properties

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def command_schema(name: str, model: type) -> dict[str, Any]:
    """The schema of what ``pkitools NAME -o json`` writes: an array of records."""
    definitions: dict[str, Any] = {}
    item = _object(outcome_properties(model), definitions)
    return {
        "$schema": DIALECT,
        "title": f"pkitools {name} -o json",
        "type": "array",
        "items": item,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(items: tuple[Property, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {item.name: _nullable(_schema(item.type, definitions)) for item in items},
        "required": [item.name for item in items],
        "additionalProperties": False,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """A target without an answer has null everywhere, so every property may be null at the top."""
    return (
        schema
        if schema == {"type": "null"} or "null" in str(schema.get("anyOf"))
        else {"anyOf": [schema, {"type": "null"}]}
    )


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(item, definitions) for item in typing.get_args(hint)]}
    if origin in (tuple, list, frozenset, set):
        return {"type": "array", "items": _schema(typing.get_args(hint)[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(typing.get_args(hint)[1], definitions)}
    if origin is typing.Literal:
        return {"enum": list(typing.get_args(hint))}
    if isinstance(hint, type):
        return _class_schema(hint, definitions)
    return {}


_SIMPLE: dict[Any, dict[str, Any]] = {
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    timedelta: {"type": "number"},
    bytes: {"type": "string", "contentEncoding": "base64"},
}


def _class_schema(hint: type, definitions: dict[str, Any]) -> dict[str, Any]:
    simple = _SIMPLE.get(hint)
    if simple is not None:
        return dict(simple)
    if issubclass(hint, Flag):
        return {"type": "string", "description": "names of " + ", ".join(str(item.name) for item in hint)}
    if issubclass(hint, Enum):
        return {"enum": [enum_name(item) for item in hint]}
    if hasattr(hint, "__dataclass_fields__"):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # stands first, so that a class may contain itself
            model: Any = hint
            definitions[hint.__name__] = _object(properties(model), definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    raise TypeError(f"no schema for {hint!r}")
