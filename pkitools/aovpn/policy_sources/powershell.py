"""Policies as PowerShell shows them: list text, JSON, CSV and CLIXML of Get-VpnConnection's IPsecCustomPolicy and of
Get-VpnServerIPsecConfiguration, also between headings, prompts and other objects.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, TypeVar

from pkitools.aovpn.policy import word, word_of_code
from pkitools.aovpn.policy_sources.source import PolicySource, client_default, of_policy, server_default
from pkitools.errors import FormatError
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    CipherTransformConstants,
    DHGroup,
    EncryptionMethod,
    IntegrityCheckMethod,
    IPsecPolicy,
    PfsGroup,
)
from pkitools.protocol.clixml import PsObject, looks_like_clixml, read_clixml, text_of

W = TypeVar("W", bound=Enum)

_FIELDS: Final[dict[str, type[Enum]]] = {
    "authenticationtransformconstants": AuthenticationTransformConstants,
    "ciphertransformconstants": CipherTransformConstants,
    "dhgroup": DHGroup,
    "integritycheckmethod": IntegrityCheckMethod,
    "pfsgroup": PfsGroup,
    "encryptionmethod": EncryptionMethod,
}
# Properties that show an object to be a server's configuration, and a client's connection.
_SERVER_MARKS: Final = frozenset(
    ("encryptiontype", "ikev2ports", "idledisconnect", "l2tpports", "custompolicy", "tunneltype")
)
_CLIENT_MARKS: Final = frozenset(("ipseccustompolicy", "serveraddress", "vpnconfigurationxml"))
_NAMES: Final = frozenset(_FIELDS) | _SERVER_MARKS | _CLIENT_MARKS | frozenset(("name", "connectionname"))
_LINE = re.compile(r"\s*([A-Za-z]\w{1,60})\s*(?:\((?:s|KB)\))?\s*:(?:\s(.*)|\s*)$")
_PROMPT = re.compile(r"\s*(PS\b[^>\n]*>|\w:\\[^>\n]*>|>>|#|-{3,}).*")
_MAX_OBJECTS: Final = 256
_MAX_DEPTH: Final = 12
_MAX_LINE: Final = 1000


def read_powershell(text: str, *, client: bool) -> PolicySource:
    """The policy in a PowerShell output in any of its forms.

    An output with no policy means the Windows default, which is inferred. Raises FormatError: nothing of the kind,
    several different policies, a value outside of the vocabulary.
    """
    kind, objects = _objects(text)
    policies = [item for item in objects if any(item.get(name) not in (None, "") for name in _FIELDS)]
    marks = _CLIENT_MARKS if client else _SERVER_MARKS
    if not policies:
        if objects or not _leftover(text):
            what = "no custom policy in the output" if objects else "the output is empty"
            names = [item.get("name") or item.get("connectionname") for item in objects if marks & set(item)]
            name = str(names[0]) if names and isinstance(names[0], str) else ""
            return client_default(what, name=name) if client else server_default(what)
        raise FormatError(
            "no IPsec policy found in the file",
            hint="give the output of (Get-VpnConnection NAME).IPsecCustomPolicy or Get-VpnServerIPsecConfiguration",
        )
    read = {}
    for item in policies[:_MAX_OBJECTS]:
        policy, notes = _policy(item)
        read[policy] = (notes, item)
    if len(read) > 1:
        raise FormatError(f"the file holds {len(read)} different policies", hint="keep the one that is to be compared")
    policy, (notes, item) = next(iter(read.items()))
    if len(policies) == 1 and _false(item.get("custompolicy")):
        notes = (*notes, "CustomPolicy is False: is this policy in force?")
    name = item.get("name") or item.get("connectionname") or ""
    return of_policy(policy, kind, name=name if isinstance(name, str) else "", notes=notes)


def _objects(text: str) -> tuple[str, list[dict[str, Any]]]:
    """The objects of interest, each as folded property name -> value; what form they came in."""
    if looks_like_clixml(text):
        return "PowerShell CLIXML", list(_walk(list(read_clixml(text)), set()))
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        try:
            return "PowerShell JSON", list(_walk(json.loads(stripped), set()))
        except (ValueError, RecursionError) as error:
            raise FormatError("the file begins like JSON and is none") from error
    rows = _csv_rows(stripped)
    if rows:
        return "PowerShell CSV", rows
    return "PowerShell text", _list_objects(text)


def _walk(value: Any, seen: set[int], depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every object inside that has a property of interest; a policy inside of a connection takes its name along.

    ``seen`` holds the objects that were met already: CLIXML may refer to one of them from anywhere.
    """
    if depth > _MAX_DEPTH or id(value) in seen:
        return
    seen.add(id(value))
    properties: Mapping[Any, Any] = {}
    inner: Any = value
    if isinstance(value, PsObject):
        properties, inner = value.properties, value.value
    if isinstance(inner, Mapping):  # a hashtable, or an object of JSON
        properties = {**properties, **inner}
    folded = {_fold(str(name)): item for name, item in properties.items()}
    if folded.keys() & (_NAMES - {"name"}):
        yield {name: _plain(item) for name, item in folded.items()}
    for item in folded.values():
        for found in _walk(item, seen, depth + 1) if isinstance(item, Mapping | PsObject | list | tuple) else ():
            yield {"name": _plain(folded.get("name")), **found} if "name" in folded else found
    for item in inner if isinstance(inner, list | tuple) else ():
        yield from _walk(item, seen, depth + 1)


def _plain(value: Any) -> Any:
    """Numbers stay numbers; a JSON enum object gives its name; others their text, collections their type."""
    if isinstance(value, Mapping):
        found = {str(name).casefold(): item for name, item in value.items()}
        value = found.get("value", "")
    return text_of(value) if isinstance(value, PsObject | Mapping | list | tuple) else value


def _fold(name: str) -> str:
    return re.sub(r"\((s|kb)\)$", "", name.strip().casefold()).strip()


def _csv_rows(text: str) -> list[dict[str, Any]]:
    lines = [line for line in text.splitlines() if not line.startswith("#TYPE")]
    head = next((at for at, line in enumerate(lines) if "integritycheckmethod" in line.casefold()), None)
    if head is None or not re.search(r"[,;\t]", lines[head]):
        return []
    delimiter = max(",;\t", key=lines[head].count)
    rows = csv.DictReader(io.StringIO("\n".join(lines[head:])), delimiter=delimiter)
    try:
        found = [{_fold(name): value or "" for name, value in row.items() if isinstance(name, str)} for row in rows]
    except csv.Error as error:
        raise FormatError("the CSV in the file is damaged") from error
    return [row for row in found if row.get("integritycheckmethod")]


def _list_objects(text: str) -> list[dict[str, Any]]:
    """Objects of Format-List text; a property that comes again begins the next object."""
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line.rstrip()[:_MAX_LINE])
        name = _fold(match[1]) if match else ""
        if match is None or name not in _NAMES:
            continue
        if not found or name in found[-1]:
            found.append({})
        found[-1][name] = (match[2] or "").strip()
    return [item for item in found if item.keys() & (_NAMES - {"name", "connectionname"})]


def _leftover(text: str) -> bool:
    """True when a text holds more than blank lines, prompts and rules; empty JSON is nothing too."""
    if text.strip() in ("[]", "{}", "null"):
        return False
    return any(line.strip() and not _PROMPT.fullmatch(line) for line in text.splitlines())


def _false(value: Any) -> bool:
    return value is False or (isinstance(value, str) and value.strip().casefold() == "false")


def _policy(item: Mapping[str, Any]) -> tuple[IPsecPolicy, tuple[str, ...]]:
    missing = [kind.__name__ for name, kind in _FIELDS.items() if item.get(name) in (None, "")]
    if missing:
        raise FormatError(f"the policy lacks {', '.join(missing)}", hint="copy the whole output")
    notes: list[str] = []
    return IPsecPolicy(
        _value(item, AuthenticationTransformConstants, notes),
        _value(item, CipherTransformConstants, notes),
        _value(item, DHGroup, notes),
        _value(item, IntegrityCheckMethod, notes),
        _value(item, PfsGroup, notes),
        _value(item, EncryptionMethod, notes),
    ), tuple(notes)


def _value(item: Mapping[str, Any], kind: type[W], notes: list[str]) -> W:
    raw = item[kind.__name__.casefold()]
    text = str(raw).strip()
    if not isinstance(raw, bool) and re.fullmatch(r"\d{1,3}", text, re.ASCII):
        member = word_of_code(kind, int(text))
        if member is None:
            raise FormatError(f"{kind.__name__} is the number {text}, which no enumeration of Windows names")
        notes.append(f"{kind.__name__} is the number {text}: read as {member.value}, by the SDK enumeration")
        return member
    return word(kind, text)
