"""msPKI-RA-Application-Policies: either plain OIDs or name`type`value` triplets (MS-CRTD 2.23.1, 2.23.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pkitools.errors import FormatError
from pkitools.models.template import PrivateKeyFlags
from pkitools.protocol.ldap.attributes import decode_int32

RA_APPLICATION_POLICIES = "msPKI-RA-Application-Policies"
ASYMMETRIC_ALGORITHM = "msPKI-Asymmetric-Algorithm"
HASH_ALGORITHM = "msPKI-Hash-Algorithm"
KEY_SECURITY_DESCRIPTOR = "msPKI-Key-Security-Descriptor"
SYMMETRIC_ALGORITHM = "msPKI-Symmetric-Algorithm"
SYMMETRIC_KEY_LENGTH = "msPKI-Symmetric-Key-Length"
KEY_USAGE = "msPKI-Key-Usage"


@dataclass(frozen=True, slots=True)
class PolicyAttribute:
    """What the attribute says: the application policies that a signer's certificate needs, and the settings."""

    application_policies: tuple[str, ...] = ()
    settings: tuple[tuple[str, str | int], ...] = ()

    def text(self, name: str) -> str | None:
        """A setting of type PZPWSTR."""
        value = dict(self.settings).get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """A setting of type DWORD."""
        value = dict(self.settings).get(name)
        return value if isinstance(value, int) else None


def uses_triplets(schema_version: int, private_key_flags: PrivateKeyFlags) -> bool:
    """Which of the two syntaxes a template has: triplets from schema 3 on, but for schema 4 with a legacy provider."""
    if schema_version >= 4:
        return PrivateKeyFlags.USE_LEGACY_PROVIDER not in private_key_flags
    return schema_version == 3


def read_policy_attribute(values: Sequence[str], *, triplets: bool) -> PolicyAttribute:
    """The attribute's values in the given syntax. Raises FormatError when they are of the other one, or of none."""
    if not triplets:
        if any("`" in value for value in values):
            raise FormatError("triplets where plain OIDs should be")
        return PolicyAttribute(tuple(values))
    settings: dict[str, str | int] = {}
    for value in values:
        settings |= _settings(value)
    policies = settings.get(RA_APPLICATION_POLICIES)
    oids = tuple(part.strip() for part in policies.split(",") if part.strip()) if isinstance(policies, str) else ()
    return PolicyAttribute(oids, tuple(settings.items()))


def _settings(value: str) -> dict[str, str | int]:
    parts = value.split("`")
    if parts[-1] != "" or len(parts) % 3 != 1:
        raise FormatError("not a list of name`type`value` triplets")
    settings: dict[str, str | int] = {}
    for at in range(0, len(parts) - 1, 3):
        name, kind, content = parts[at : at + 3]
        if kind == "DWORD":
            settings[name] = decode_int32(content.encode("ascii", "replace")) & 0xFFFFFFFF
        elif kind == "PZPWSTR":
            settings[name] = content
        else:
            raise FormatError(f"a triplet of unknown type {kind!r}")
    return settings
