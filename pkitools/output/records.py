"""One mapping from models to property names and values; every format goes through it.

A model's field becomes the PascalCase of its name, or the name in ``field(metadata={"name": ...})`` where PSPKI's name
is another. The record of an outcome is its value's properties in their order, then Target, Status and Reason.
"""

from __future__ import annotations

import base64
import dataclasses
import sys
import types
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum, Flag
from functools import cache
from typing import Any

from pkitools.models.outcome import Outcome, Reason, Status

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@dataclasses.dataclass(frozen=True, slots=True)
class Property:
    """One property of a model class: its field, its name in every output, and its declared type."""

    field: str
    name: str
    type: Any


@cache
def properties(model: type) -> tuple[Property, ...]:
    """The properties of a model class, in PSPKI's order."""
    late_types = getattr(sys.modules[model.__module__], "late_types", dict)
    hints = typing.get_type_hints(model, localns=late_types())
    return tuple(
        Property(item.name, item.metadata.get("name", pascal_case(item.name)), hints[item.name])
        for item in dataclasses.fields(model)
        if not item.metadata.get("hidden")
    )


def pascal_case(name: str) -> str:
    """``not_before`` -> ``NotBefore``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


@cache
def outcome_properties(model: type) -> tuple[Property, ...]:
    """The properties of an outcome record whose value is of class ``model``."""
    return (
        *properties(model),
        Property("target", "Target", str),
        Property("status", "Status", Status),
        Property("reason", "Reason", Reason | None),
    )


def outcome_values(outcome: Outcome[Any], model: type) -> Iterator[tuple[Property, Any]]:
    """Every property of an outcome with its Python value; without a value all of the value's are None."""
    for item in properties(model):
        yield item, None if outcome.value is None else getattr(outcome.value, item.field)
    for item in outcome_properties(model)[len(properties(model)) :]:
        yield item, getattr(outcome, item.field)


def outcome_record(outcome: Outcome[Any], model: type) -> dict[str, Plain]:
    """The record of an outcome in plain values."""
    return {item.name: plain(value) for item, value in outcome_values(outcome, model)}


def record(value: Any) -> dict[str, Plain]:
    """The record of a model instance in plain values."""
    model: type = type(value)
    return {item.name: plain(getattr(value, item.field)) for item in properties(model)}


def plain(value: Any) -> Plain:
    """A value as JSON knows it: times in ISO 8601 with ``+00:00``, bytes in base64, enums by Windows' name, flags as
    names joined with a comma, durations in seconds."""
    convert = _BY_TYPE.get(type(value))
    if convert is None:
        convert = _BY_TYPE[type(value)] = _converter(type(value))
    return convert(value)


_BY_TYPE: dict[type, Callable[[Any], Plain]] = {}
"""The function for each type seen: a record holds hundreds of values of a dozen types."""


def _converter(kind: type) -> Callable[[Any], Plain]:
    if kind is type(None) or issubclass(kind, bool | str | float) or kind is int:
        return _as_it_is
    if dataclasses.is_dataclass(kind):
        return record
    if issubclass(kind, Enum):
        return enum_name
    return next((convert for types, convert in _CONVERTERS if issubclass(kind, types)), _refuse)


def _as_it_is(value: Any) -> Plain:
    plain_already: Plain = value
    return plain_already


def _refuse(value: Any) -> Plain:
    raise TypeError(f"no plain form for {type(value).__name__}")


_CONVERTERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Plain]], ...] = (
    (int, int),
    (datetime, lambda value: value.astimezone(UTC).isoformat()),
    (date, lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (bytes, lambda value: base64.b64encode(value).decode("ascii")),
    (dict, lambda value: {str(key): plain(item) for key, item in value.items()}),
    ((list, tuple, frozenset, set), lambda value: [plain(item) for item in value]),
)


def enum_name(value: Enum) -> str:
    """Windows' name of an enum member; several flags as .NET writes them: ``A, B``; no flag: ``None``."""
    if isinstance(value, Flag):
        return (value.name or ("None" if not value.value else str(value.value))).replace("|", ", ")
    return value.value if isinstance(value.value, str) else value.name


def unwrap_optional(hint: Any) -> Any:
    """``X | None`` -> ``X``; other types as they are."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [item for item in typing.get_args(hint) if item is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return hint
