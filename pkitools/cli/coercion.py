"""Values of the command line as Python values, without pydantic.

Recent Typer imports pydantic when it converts the first value, which costs more than all the rest of a short command.
Text, numbers, flags, choices and plain paths are converted here; whatever else a parameter asks for stays with Typer,
and so does everything in a Typer that has no such step.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperCommand

Convert = Callable[[Any, Any], Any]


class QuickCommand(TyperCommand):
    """A command whose parameters convert simple values themselves."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, prepared."""
        return prepared(super().get_params(ctx))


def prepared(params: list[Any]) -> list[Any]:
    """The same parameters; those of simple types no longer need pydantic."""
    for param in params:
        descriptor = getattr(param, "type_descriptor", None)
        if descriptor is None or getattr(param, "_runtime_param", param) is not None:
            continue
        convert = _converter(descriptor.annotation, descriptor.parameter_info)
        if convert is not None:
            param._runtime_param = _QuickParameter(convert)
    return params


class _QuickParameter:
    """What Typer asks for a value: see ``RuntimeParam`` there."""

    def __init__(self, convert: Convert) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value for the command's function. typer.BadParameter when it cannot be one."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        try:
            if several:
                return [self._convert(one, ctx) for one in value]
            return self._convert(value, ctx)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from error


def _converter(annotation: Any, info: Any) -> Convert | None:
    """How values of a type are converted; None when Typer shall do it."""
    if info.parser is not None or getattr(info, "click_type", None) is not None:
        return None
    if get_origin(annotation) is list and len(get_args(annotation)) == 1:
        return _converter(get_args(annotation)[0], info)
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Enum):
        return _choice(list(annotation), case_sensitive=info.case_sensitive)
    if annotation is Path:
        strict = info.exists or info.resolve_path or info.writable or not (info.file_okay and info.dir_okay)
        return None if strict or info.allow_dash else _path
    if annotation in (int, float) and not info.clamp:
        return _number(annotation, info.min, info.max)
    return {str: _text, bool: _flag}.get(annotation)


def _text(value: Any, _ctx: Any) -> str:
    return str(value)


def _path(value: Any, _ctx: Any) -> Path:
    return Path(value)


def _flag(value: Any, _ctx: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"1": True, "true": True, "t": True, "yes": True, "y": True, "on": True}
    known |= {"0": False, "false": False, "f": False, "no": False, "n": False, "off": False, "": False}
    found = known.get(str(value).strip().lower())
    if found is None:
        raise ValueError(f"{value!r} is neither true nor false.")
    return found


def _number(kind: type, least: float | None, most: float | None) -> Convert:
    name = {int: "a whole number", float: "a number"}[kind]

    def convert(value: Any, _ctx: Any) -> Any:
        try:
            number = kind(value)
        except (ValueError, OverflowError):
            raise ValueError(f"{value!r} is not {name}.") from None
        if (least is not None and not number >= least) or (most is not None and not number <= most):
            ends = f"{'' if least is None else f'{least:g} <= '}x{'' if most is None else f' <= {most:g}'}"
            raise ValueError(f"{value!r} is not in the range {ends}.")
        return number

    return convert


def _choice(members: list[Any], *, case_sensitive: bool) -> Convert:
    names = {str(member.value): member for member in members}
    folded = names if case_sensitive else {name.casefold(): member for name, member in names.items()}

    def convert(value: Any, _ctx: Any) -> Any:
        if isinstance(value, Enum):
            return value
        text = str(value)
        found = folded.get(text if case_sensitive else text.casefold())
        if found is None:
            raise ValueError(f"{text!r} is not one of {', '.join(map(repr, names))}.")
        return found

    return convert
