"""swanctl.conf of strongSwan, and ipsec.conf of strongSwan and Libreswan: the proposals of one connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pkitools.aovpn.policy_sources.source import PolicySource
from pkitools.aovpn.policy_sources.words import collect
from pkitools.aovpn.proposals import ChildProposal, IkeProposal
from pkitools.errors import FormatError, InputError

_MAX_DEPTH: Final = 16
_MAX_PROPOSALS: Final = 512
_MAX_ALSO: Final = 32
_TOKEN = re.compile(r"#[^\n]*|[{}\n]|\"(?:[^\"\\]|\\.)*\"|[^\s{}#\"][^\n{}#]*|[^\S\n]+")
_DEFAULT_NOTE = "the default proposals depend on the plugins that charon has loaded: they are not visible in the file"

Section = dict[str, "str | Section"]


def looks_like_swanctl(text: str) -> bool:
    """True when a text has a ``connections {`` section."""
    return re.search(r"^[ \t]*connections\s*\{", text, re.MULTILINE) is not None


def looks_like_ipsec_conf(text: str) -> bool:
    """True when a text has a ``conn NAME`` section."""
    return re.search(r"^conn\s+\S+", text, re.MULTILINE) is not None


def read_swanctl(text: str, connection: str | None = None) -> PolicySource:
    """The proposals of a connection in swanctl.conf: the named one, or the only one.

    Raises FormatError (syntax, an algorithm that is not known) and InputError (which connection).
    """
    root = _sections(text)
    connections = root.get("connections")
    found = (
        {name: item for name, item in connections.items() if isinstance(item, dict)}
        if isinstance(connections, dict)
        else {}
    )
    name = _choose(found, connection)
    chosen = found[name]
    ike_text = chosen.get("proposals", "default")
    children = chosen.get("children")
    texts = [
        item.get("esp_proposals", "default")
        for item in (children.values() if isinstance(children, dict) else ())
        if isinstance(item, dict)
    ]
    ike, ike_default = _ike(ike_text if isinstance(ike_text, str) else "default")
    child_texts = [item for item in texts if isinstance(item, str)]
    return _source("swanctl.conf", name, ike, ike_default, child_texts)


def read_ipsec_conf(text: str, connection: str | None = None) -> PolicySource:
    """The ``ike=`` and ``esp=`` of a connection in ipsec.conf, with what ``%default`` and ``also`` add.

    Raises FormatError and InputError like ``read_swanctl``.
    """
    sections = dict(_conns(text))
    found = {name: item for name, item in sections.items() if name != "%default"}
    name = _choose(found, connection)
    values = _with_also(sections, name)
    ike, ike_default = _ike(values.get("ike", "default"))
    esp = values.get("esp") or values.get("phase2alg") or "default"
    return _source("ipsec.conf", name, ike, ike_default, [esp], strict=values.get("ike", "").rstrip().endswith("!"))


def _source(
    kind: str, name: str, ike: tuple[IkeProposal, ...], ike_default: bool, esp: list[str], *, strict: bool = True
) -> PolicySource:
    child: list[ChildProposal] = []
    child_default = not esp
    for text in dict.fromkeys(esp):
        for proposal in _proposals(text):
            if proposal == "default":
                child_default = True
            else:
                child += collect(_names(proposal)).child()
    notes = [_DEFAULT_NOTE] if ike_default or child_default else []
    if not strict and not ike_default:
        notes.append("ike= has no '!' at its end: strongSwan takes its default proposals too, Libreswan does not")
    if not ike:
        raise FormatError(f"the connection {name} names no IKE proposals", hint=_DEFAULT_NOTE)
    return PolicySource(
        f"{kind}, connection {name}",
        ike,
        None if child_default and not child else tuple(child),
        name=name,
        strongswan=True,
        open_ended=ike_default or not strict,
        notes=tuple(notes),
    )


def _choose(found: dict[str, Section] | dict[str, dict[str, str]], connection: str | None) -> str:
    if connection is not None and connection in found:
        return connection
    if connection is None and len(found) == 1:
        return next(iter(found))
    names = ", ".join(list(found)[:10]) or "none"
    raise InputError(
        f"there is no connection {connection!r}" if connection else f"which of {len(found)} connections?",
        hint=f"give --connection; the file has: {names}",
    )


def _ike(text: str) -> tuple[tuple[IkeProposal, ...], bool]:
    found: list[IkeProposal] = []
    default = False
    for proposal in _proposals(text):
        if proposal == "default":
            default = True
        else:
            found += collect(_names(proposal)).ike()
    return tuple(found), default


def _proposals(text: str) -> list[str]:
    items = (item.strip() for item in text.strip().strip('"').rstrip("! ").split(","))
    found = list(dict.fromkeys(item for item in items if item))
    if len(found) > _MAX_PROPOSALS:
        raise FormatError(f"a connection has more than {_MAX_PROPOSALS} proposals")
    return found


def _names(proposal: str) -> list[str]:
    """``aes256-sha256-modp2048`` and Libreswan's ``aes_gcm256-sha2_512+sha2_256;dh14``.

    A hash beside a GCM cipher names the PRF.
    """
    names = [name for name in re.split(r"[-;+]", proposal) if name.strip()]
    gcm = any(re.match(r"aes.*(gcm|ccm)|chacha", name.strip(), re.IGNORECASE) for name in names)
    hashes = r"(md5|sha\d*(_\d+)?)"
    return [
        f"prf{name.strip()}" if gcm and re.fullmatch(hashes, name.strip(), re.IGNORECASE) else name for name in names
    ]


def _sections(text: str) -> Section:
    root: Section = {}
    stack = [root]
    pending = ""
    for match in _TOKEN.finditer(text):
        token = match[0].strip(" \t")
        if token.startswith("#"):
            continue
        if token == "{":
            section: Section = {}
            stack[-1][pending.strip() or "?"] = section
            stack.append(section)
            pending = ""
            if len(stack) > _MAX_DEPTH:
                raise FormatError("the configuration is nested too deep")
        elif token in ("\n", "}", "\r\n"):
            _store(stack[-1], pending)
            pending = ""
            if token == "}":
                stack.pop()
                if not stack:
                    raise FormatError("the configuration has a '}' too many")
        else:
            pending += " " + token
    _store(stack[-1], pending)
    if len(stack) != 1:
        raise FormatError("the configuration lacks a '}'")
    return root


def _store(section: Section, text: str) -> None:
    key, equals, value = text.partition("=")
    if equals and key.strip():
        section[key.strip()] = value.strip().strip('"')


def _conns(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    name: str | None = None
    values: dict[str, str] = {}
    for line in text.splitlines():
        head = re.match(r"(conn|config|ca)\s+(\S+)", line)
        if head or (line[:1].strip() and not line.startswith("#")):
            if name is not None:
                yield name, values
            name, values = (head[2] if head and head[1] == "conn" else None), {}
            continue
        key, equals, value = re.sub(r"(^|\s)#.*", "", line).partition("=")
        if equals:
            old = values.get("also")
            values[key.strip()] = (
                f"{old} {value.strip()}" if key.strip() == "also" and old else value.strip().strip('"')
            )
    if name is not None:
        yield name, values


def _with_also(sections: dict[str, dict[str, str]], name: str) -> dict[str, str]:
    values = dict(sections.get("%default", {}))
    queue = [name]
    seen: list[str] = []
    while queue and len(seen) < _MAX_ALSO:
        here = queue.pop(0)
        if here in seen:
            continue
        seen.append(here)
        queue += sections.get(here, {}).get("also", "").split()
    for item in reversed(seen):
        values |= sections.get(item, {})
    return values
