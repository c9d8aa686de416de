"""Names of SIDs: those that are the same everywhere, then one look-up in the directory for all others."""

from __future__ import annotations

from collections.abc import Iterable

from pkitools.adcs.connection import SUBTREE, DirectoryConnection
from pkitools.errors import FormatError
from pkitools.protocol.ldap import filters
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.ldap.dn import dns_domain, is_below
from pkitools.protocol.ldap.messages import Entry
from pkitools.protocol.sid import pack_sid, rid_name, unpack_sid, well_known_name

_BUILTIN = "S-1-5-32-"


class PrincipalNames:
    """SID to ``DOMAIN\\name``. What no one knows keeps its SID, or the English name of a built-in account."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def resolve(self, directory: DirectoryConnection, sids: Iterable[str]) -> None:
        """Ask the directory for those that are not well known: one search for all, and one for the domains' names."""
        wanted = sorted({sid for sid in sids if well_known_name(sid) is None and _is_sid(sid)})
        if not wanted:
            return
        domains = _domain_names(directory)
        filter_ = filters.any_of(filters.equals("objectSid", pack_sid(sid)) for sid in wanted)
        attributes = ("objectSid", "sAMAccountName")
        for entry in directory.search(directory.principals_base, filter_, attributes, scope=SUBTREE):
            self._add(entry, domains)

    def name_of(self, sid: str) -> str:
        """The name, or what comes closest to one."""
        return well_known_name(sid) or self._names.get(sid) or rid_name(sid) or sid

    def _add(self, entry: Entry, domains: list[tuple[str, str]]) -> None:
        reader = AttributeReader(entry.attributes)
        sid, name = reader.converted("objectSid", unpack_sid), reader.text("sAMAccountName")
        if sid is None or name is None:
            return
        domain = next((netbios for dn, netbios in domains if is_below(entry.dn, dn)), dns_domain(entry.dn))
        self._names[sid] = f"BUILTIN\\{name}" if sid.startswith(_BUILTIN) else f"{domain}\\{name}"


def _domain_names(directory: DirectoryConnection) -> list[tuple[str, str]]:
    """The forest's domains, DN and NetBIOS name, the longest DN first: a child's lies below its parent's."""
    found = []
    filter_ = filters.all_of([filters.equals("objectClass", "crossRef"), filters.present("nETBIOSName")])
    base = f"CN=Partitions,{directory.config_dn}"
    for entry in directory.search(base, filter_, ("nCName", "nETBIOSName"), scope=SUBTREE):
        reader = AttributeReader(entry.attributes)
        dn, netbios = reader.text("nCName"), reader.text("nETBIOSName")
        if dn and netbios:
            found.append((dn, netbios))
    return sorted(found, key=lambda pair: -len(pair[0]))


def _is_sid(text: str) -> bool:
    try:
        pack_sid(text)
    except FormatError:
        return False
    return True
