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

    __slots__ = ("_known", "_names")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._known: dict[tuple[str, str], Oid] = {}

    def add(self, attributes: Mapping[str, tuple[bytes, ...]]) -> None:
        """Take the name from an msPKI-Enterprise-Oid object; one without OID or name says nothing."""
        reader = AttributeReader(attributes)
        oid, name = reader.text("msPKI-Cert-Template-OID"), reader.text("displayName")
        if oid and name:
            self._names.setdefault(oid, name)

    def named(self, oid: str) -> Oid:
        """An OID with its name, the forest's before Windows'."""
        tables = (self._names, EKU_NAMES, POLICIES, EXTENSIONS)
        return self._shared(oid, next((table[oid] for table in tables if oid in table), ""))

    def template(self, oid: str, display_name: str) -> Oid:
        """The OID of a template: named as the template is."""
        return self._shared(oid, display_name)

    def _shared(self, oid: str, name: str) -> Oid:
        return self._known.setdefault((oid, name), Oid(oid, name))
