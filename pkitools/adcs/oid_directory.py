"""Display names of OIDs: those that the forest gave them (CN=OID), else Windows' own."""

from __future__ import annotations

from collections.abc import Mapping

from pkitools.models.certificate import Oid
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.oid_names import EKU_NAMES, EXTENSIONS, POLICIES

OBJECT_CLASS = "msPKI-Enterprise-Oid"
ATTRIBUTES = ("displayName", "flags", "msPKI-Cert-Template-OID")


class OidDirectory:
    """OID to name, for policies, key usages, extensions and templates."""

    __slots__ = ("_named", "_names")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._named: dict[str, Oid] = {}

    def add(self, attributes: Mapping[str, tuple[bytes, ...]]) -> None:
        """Take the name from an msPKI-Enterprise-Oid object; one without OID or name says nothing."""
        reader = AttributeReader(attributes)
        oid, name = reader.text("msPKI-Cert-Template-OID"), reader.text("displayName")
        if oid and name:
            self._names.setdefault(oid, name)
            self._named.pop(oid, None)

    def named(self, oid: str) -> Oid:
        """An OID with its name, the forest's before Windows'."""
        known = self._named.get(oid)
        if known is None:
            tables = (self._names, EKU_NAMES, POLICIES, EXTENSIONS)
            known = self._named[oid] = Oid(oid, next((table[oid] for table in tables if oid in table), ""))
        return known

    def template(self, oid: str, display_name: str) -> Oid:
        """The OID of a template: named as the template is."""
        return Oid(oid, display_name)
