"""Names of SIDs: those that are the same everywhere, then one look-up in the directory for all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pkitools.adcs.connection import DirectoryConnection
from pkitools.protocol.ldap import filters
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.ldap.dn import dns_domain, is_below
from pkitools.protocol.ldap.messages import Entry
from pkitools.protocol.sid import pack_sid, rid_name, unpack_sid, well_known_name

CROSS_REFERENCE = "crossRef"
ATTRIBUTES = ("nCName", "nETBIOSName")
_BUILTIN = "S-1-5-32-"


class PrincipalNames:
    """SID to ``DOMAIN\\name``. What no one knows keeps its SID, or the English name of a built-in account."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._domains: list[tuple[str, str]] = []

    def add_domain(self, attributes: Mapping[str, tuple[bytes, ...]]) -> None:
        """Take a domain's DN and NetBIOS name from a crossRef object; one without both says nothing."""
        reader = AttributeReader(attributes)
        dn, netbios = reader.text("nCName"), reader.text("nETBIOSName")
        if dn and netbios:
            self._domains.append((dn, netbios))

    def resolve(self, directory: DirectoryConnection, sids: Iterable[str]) -> None:
        """Ask the directory for those that are not well known: one search for all of them."""
        wanted = sorted(sid for sid in set(sids) if well_known_name(sid) is None)
        if not wanted:
            return
        query = filters.any_of(filters.equals("objectSid", pack_sid(sid)) for sid in wanted)
        # the longest DN first: a child domain's lies below its parent's
        domains = sorted(self._domains, key=lambda pair: -len(pair[0]))
        for entry in directory.search(directory.accounts_dn, query, ("objectSid", "sAMAccountName")):
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
