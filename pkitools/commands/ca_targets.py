"""CAs as arguments, or from standard input as ``get-ca`` and PowerShell write them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from pkitools.errors import FormatError, InputError

MAX_STDIN = 64 * 1024 * 1024
_PROPERTY = "configstring"
_HINT = "pipe get-ca -o json into it"


def read_targets(arguments: Sequence[str]) -> list[str] | None:
    """The arguments with ``-`` replaced by the config strings that stand on standard input.

    An empty list means all CAs; None that standard input held none, so that there is nothing to ask.
    """
    if "-" not in arguments:
        return list(arguments)
    data = sys.stdin.buffer.read(MAX_STDIN + 1)
    if len(data) > MAX_STDIN:
        raise InputError(f"standard input holds more than {MAX_STDIN} bytes")
    found: list[str] = []
    for argument in arguments:
        found += config_strings(data) if argument == "-" else [argument]
    return found or None


def config_strings(data: bytes) -> list[str]:
    """ConfigString of every record in JSON (an array, one object, or one a line) or in CLIXML.

    Raises FormatError: neither, or a record without one.
    """
    from pkitools.files.text import decode_text
    from pkitools.protocol.clixml import looks_like_clixml, read_clixml

    text = decode_text(data)
    if not text.strip():
        return []
    values = _unrolled(read_clixml(text)) if looks_like_clixml(text) else _json_values(text)
    return [_config_string(value) for value in values]


def _unrolled(values: Sequence[Any]) -> Iterator[Any]:
    """The objects of a CLIXML document: ``Export-Clixml -InputObject`` writes several as one list."""
    for value in values:
        inner = getattr(value, "value", value)
        if isinstance(inner, list | tuple):
            yield from inner
        else:
            yield value


def _json_values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    rest = text.strip().removeprefix("\ufeff")
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError) as error:
            raise FormatError(
                "standard input is neither JSON nor CLIXML", hint="pipe get-ca -o json into it"
            ) from error
        yield from value if isinstance(value, list) else [value]
        rest = rest[end:].lstrip()


def _config_string(value: Any) -> str:
    from pkitools.protocol.clixml import PsObject

    if isinstance(value, str):
        return value
    found: Any = None
    if isinstance(value, dict):
        found = next((item for key, item in value.items() if str(key).lower() == _PROPERTY), None)
    elif isinstance(value, PsObject):
        found = _config_string(value.value) if isinstance(value.value, dict | str) else value.get("ConfigString")
    if not isinstance(found, str) or not found:
        raise FormatError("a record on standard input has no ConfigString", hint=_HINT)
    return found
