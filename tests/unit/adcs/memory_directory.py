"""A directory in memory that answers filters as a server does, and counts what it was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pkitools.protocol.ldap.messages import Entry
from tests.lab.pki_directory import DirectoryObject, forest
from tests.lab.sddl import sid_bytes

CONFIG = "CN=Configuration,DC=ad,DC=example,DC=test"
DOMAIN = "DC=ad,DC=example,DC=test"
SID = "S-1-5-21-1-2-3"
USER_TOKEN = (f"{SID}-1104", f"{SID}-513", "S-1-1-0", "S-1-5-11")

Attributes = Mapping[str, tuple[bytes, ...]]


class MemoryDirectory:
    """Holds (dn, attributes) pairs; ``searches`` are the bases and filters that were asked."""

    config_dn = CONFIG
    accounts_dn = DOMAIN

    def __init__(self, objects: Iterable[DirectoryObject] | None = None, token: Sequence[str] = USER_TOKEN) -> None:
        self.entries: list[tuple[str, Attributes]] = []
        for item in forest() if objects is None else objects:
            self.entries.append((item.dn(CONFIG), item.raw(SID)))
        self.token_groups = tuple(sid_bytes(sid) for sid in token)
        for name, dn in (("AD", DOMAIN), ("Enterprise Configuration", CONFIG)):
            extra = {"nETBIOSName": name} if name == "AD" else {}
            self.add(f"CN={name},CN=Partitions,{CONFIG}", objectClass="crossRef", nCName=dn, **extra)
        for rid, name in ((512, "Domänen-Admins"), (513, "Domain Users"), (515, "Domain Computers")):
            self.add(f"CN={name},CN=Users,{DOMAIN}", objectSid=sid_bytes(f"{SID}-{rid}"), sAMAccountName=name)
        self.searches: list[tuple[str, str]] = []

    def add(self, dn: str, **attributes: str | bytes | list[bytes]) -> None:
        values = {
            name: tuple(value) if isinstance(value, list) else (value if isinstance(value, bytes) else value.encode(),)
            for name, value in attributes.items()
        }
        self.entries.append((dn, values))

    def search(self, base: str, query: str, attributes: Sequence[str], *, descriptors: bool = False) -> Iterator[Entry]:
        self.searches.append((base, query))
        matches = parse(query)
        wanted = {name.lower() for name in attributes}
        for dn, values in self.entries:
            inside = dn.lower().endswith(base.lower())
            if inside and matches(values):
                shown = {name: value for name, value in values.items() if name.lower() in wanted}
                if not descriptors:
                    shown.pop("nTSecurityDescriptor", None)
                yield Entry(dn, shown)


def parse(text: str):  # noqa: ANN201
    """An LDAP filter as a predicate over attributes: &, |, equality, presence, substrings."""
    predicate, rest = _parse(text)
    assert rest == "", rest
    return predicate


def _parse(text: str):  # noqa: ANN202
    assert text[0] == "(", text
    if text[1] in "&|":
        parts, rest = [], text[2:]
        while rest[0] == "(":
            part, rest = _parse(rest)
            parts.append(part)
        combine = all if text[1] == "&" else any
        return (lambda values: combine(part(values) for part in parts)), rest[1:]
    end = text.index(")")
    name, _, value = text[1:end].partition("=")
    pattern = re.compile(b".*".join(_literal(part) for part in value.split("*")), re.IGNORECASE | re.DOTALL)

    def matches(values: Attributes) -> bool:
        found = next((items for key, items in values.items() if key.lower() == name.lower()), ())
        return any(pattern.fullmatch(item) for item in found)

    return matches, text[end + 1 :]


def _literal(text: str) -> bytes:
    raw = re.sub(rb"\\([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())
    return re.escape(raw)
