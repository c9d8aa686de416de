"""Name constraints (RFC 5280 4.2.1.10): do the names below a CA lie in what it may certify?"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pkitools.errors import FormatError
from pkitools.models.certificate import NameKind
from pkitools.models.trust import ChainFlag
from pkitools.protocol.names import Attribute, GeneralName, read_general_name, read_rdns
from pkitools.protocol.strict_der import Reader, Value
from pkitools.protocol.x509_extensions import read_names_extension
from pkitools.trust.members import Member

NAME_CONSTRAINTS_OID, SAN_OID, EMAIL_OID = "2.5.29.30", "2.5.29.17", "1.2.840.113549.1.9.1"
MAX_COMPARISONS = 20_000
_SUPPORTED = (NameKind.DNS, NameKind.EMAIL, NameKind.URI, NameKind.IP, NameKind.DIRECTORY)


@dataclass(frozen=True, slots=True)
class NameConstraints:
    """The subtrees of one CA certificate; ``partial`` when one has a minimum or maximum, which RFC 5280 forbids."""

    permitted: tuple[GeneralName, ...]
    excluded: tuple[GeneralName, ...]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class NameViolation:
    """The flag that Windows sets, and the name it is about."""

    flag: ChainFlag
    name: str


def read_name_constraints(member: Member) -> NameConstraints | None:
    """The name constraints of a CA, None when there are none. FormatError when they cannot be read."""
    extension = member.model.extension(NAME_CONSTRAINTS_OID)
    if extension is None:
        return None
    outer = Reader(extension.raw_data)
    reader = outer.sequence()
    outer.require_end()
    permitted, excluded = reader.optional(0xA0), reader.optional(0xA1)
    reader.require_end()
    trees = [[_subtree(tree) for tree in part.children().rest()] if part else [] for part in (permitted, excluded)]
    partial = any(odd for part in trees for _, odd in part)
    return NameConstraints(tuple(n for n, _ in trees[0]), tuple(n for n, _ in trees[1]), partial)


def _subtree(value: Value) -> tuple[GeneralName, bool]:
    reader = value.children()
    name = read_general_name(reader.read())
    minimum, maximum = reader.optional(0x80), reader.optional(0x81)
    reader.require_end()
    return name, maximum is not None or (minimum is not None and minimum.small() != 0)


def names_of(member: Member, *, common_name: bool) -> tuple[GeneralName, ...]:
    """All names of a certificate that constraints bind: subject, mail addresses in it, alternative names.

    With ``common_name`` the common name counts as a DNS name where there is no dNSName, since Windows matches it then.
    """
    extension = member.model.extension(SAN_OID)
    names = list(read_names_extension(extension.raw_data)) if extension else []
    rdns = read_rdns(Reader(member.subject).sequence())
    kinds = {name.kind for name in names}
    if rdns:
        names.append(GeneralName(NameKind.DIRECTORY, member.model.subject, None, member.subject))
    for attribute in (item for rdn in rdns for item in rdn):
        if attribute.oid == EMAIL_OID and NameKind.EMAIL not in kinds:
            names.append(GeneralName(NameKind.EMAIL, attribute.value, None, b""))
        if common_name and attribute.oid == "2.5.4.3" and NameKind.DNS not in kinds and "." in attribute.value:
            names.append(GeneralName(NameKind.DNS, attribute.value, None, b""))
    return tuple(names)


def violations(constraints: NameConstraints, names: tuple[GeneralName, ...]) -> Iterator[NameViolation]:
    """What is against the constraints, in the order of the names."""
    trees = len(constraints.permitted) + len(constraints.excluded)
    if constraints.partial or trees * len(names) > MAX_COMPARISONS:
        yield NameViolation(ChainFlag.HasNotSupportedNameConstraint, "minimum, maximum or too many subtrees")
        return
    for name in names:
        permitted = [tree for tree in constraints.permitted if _same_kind(tree, name)]
        excluded = [tree for tree in constraints.excluded if _same_kind(tree, name)]
        if (permitted or excluded) and name.kind not in _SUPPORTED:
            yield NameViolation(ChainFlag.HasNotSupportedNameConstraint, name.text)
        elif any(_within(name, tree) for tree in excluded):
            yield NameViolation(ChainFlag.HasExcludedNameConstraint, name.text)
        elif permitted and not any(_within(name, tree) for tree in permitted):
            yield NameViolation(ChainFlag.HasNotPermittedNameConstraint, name.text)


def _same_kind(tree: GeneralName, name: GeneralName) -> bool:
    return tree.kind is name.kind or (tree.oid is not None and tree.oid == name.oid)


def _within(name: GeneralName, tree: GeneralName) -> bool:
    text, base = name.text.lower(), tree.text.lower()
    match name.kind:
        case NameKind.DNS:
            text, base = text.removesuffix("."), base.removesuffix(".")
            return not base or text == base or text.endswith(base if base.startswith(".") else "." + base)
        case NameKind.EMAIL:
            host = text.rpartition("@")[2]
            return text == base if "@" in base else _host_within(host, base)
        case NameKind.URI:
            return _host_within(_uri_host(text), base)
        case NameKind.IP:
            return _ip_within(name.content, tree.content)
        case _:
            return _directory_within(name.content, tree.content)


def _host_within(host: str, base: str) -> bool:
    """Hosts of mail addresses and URIs: the very host, or with a leading dot any host below."""
    return not base or (host.endswith(base) if base.startswith(".") else host == base)


def _uri_host(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def _ip_within(address: bytes, subtree: bytes) -> bool:
    if len(subtree) != 2 * len(address):
        return False
    base, mask = subtree[: len(address)], subtree[len(address) :]
    return all(a & m == b & m for a, b, m in zip(address, base, mask, strict=True))


def _directory_within(name: bytes, tree: bytes) -> bool:
    try:
        mine, base = _comparable(name), _comparable(tree)
    except FormatError:
        return False
    return mine[: len(base)] == base


def _comparable(encoded: bytes) -> tuple[frozenset[Attribute], ...]:
    """RDNs for comparison (RFC 5280 7.1): case and runs of blanks do not count."""
    return tuple(
        frozenset(
            Attribute(item.oid, " ".join(unicodedata.normalize("NFKC", item.value).casefold().split())) for item in rdn
        )
        for rdn in read_rdns(Reader(encoded).sequence())
    )
