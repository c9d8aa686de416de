"""What ``--expect`` names: a baseline, or a file that holds a client's or a server's policy."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from pkitools.aovpn.ike.judging import Expectation
from pkitools.aovpn.policy import BASELINES, word
from pkitools.errors import FormatError, InputError
from pkitools.files.reading import read_capped
from pkitools.files.text import decode_text
from pkitools.models.ipsec import DHGroup, EncryptionMethod, IkePolicy, IntegrityCheckMethod

W = TypeVar("W", EncryptionMethod, IntegrityCheckMethod, DHGroup)

# `Name : Value` of Format-List, `"Name": "Value"` of JSON, `<Name>Value</Name>` of a ProfileXML.
_FIELD: Final = r"(?i)\b{name}\b[\"'\s]*[:=>]\s*[\"']?([A-Za-z0-9_-]+)"


def read_expectation(text: str) -> Expectation:
    """The expectation that ``text`` names: a baseline first, else a file.

    Raises InputError (neither), FileAccessError and FormatError.
    """
    named = BASELINES.get(text.strip().lower())
    if named is not None:
        return Expectation(named.name, named.ike)
    try:
        data = read_capped(text)
    except InputError as error:
        known = ", ".join(BASELINES)
        raise InputError(
            f"{text!r} is neither a baseline nor a file that can be read: {error.message}",
            hint=f"baselines: {known}; a file holds EncryptionMethod, IntegrityCheckMethod and DHGroup",
        ) from error
    return Expectation(text, (_policy(decode_text(data), text),))


def _policy(content: str, path: str) -> IkePolicy:
    return IkePolicy(
        _field(content, EncryptionMethod, path),
        _field(content, IntegrityCheckMethod, path),
        _field(content, DHGroup, path),
    )


def _field(content: str, kind: type[W], path: str) -> W:
    values = {word(kind, value) for value in re.findall(_FIELD.format(name=kind.__name__), content)}
    if len(values) != 1:
        what = "no" if not values else "more than one"
        raise FormatError(
            f"{path!r} has {what} {kind.__name__}",
            hint="give the output of (Get-VpnConnection NAME).IPsecCustomPolicy or a ProfileXML",
        )
    return values.pop()
