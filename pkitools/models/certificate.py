"""A certificate as pkitools shows it: what stands in it, named as Windows and PowerShell name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Oid:
    """An object identifier and its Windows name; ``friendly_name`` is empty where none is known."""

    PS_TYPE: ClassVar[str] = "System.Security.Cryptography.Oid"

    value: str
    friendly_name: str = ""

    def __str__(self) -> str:
        return self.friendly_name or self.value


class NameKind(Enum):
    """Kind of a GeneralName (RFC 5280 4.2.1.6); PRINCIPAL and GUID are Microsoft's two otherNames."""

    DNS = "DnsName"
    IP = "IPAddress"
    EMAIL = "Rfc822Name"
    URI = "Uri"
    PRINCIPAL = "PrincipalName"
    GUID = "DsObjectGuid"
    DIRECTORY = "DirectoryName"
    REGISTERED = "RegisteredId"
    OTHER = "OtherName"
    X400 = "X400Address"
    EDI = "EdiPartyName"


@dataclass(frozen=True, slots=True)
class AlternativeName:
    """One name of a subject alternative name extension.

    ``value`` is text as in the certificate (DNS names undecoded, an IP address or ``address/mask`` in its usual form,
    directory names in Windows' notation); hex of the content where no text can be made. ``oid`` is an otherName's type.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.AlternativeName"

    kind: NameKind
    value: str
    oid: str | None = None


class KeyUsage(Enum):
    """Bits of the key usage extension (RFC 5280 4.2.1.3) in .NET's names; the value is the bit's number."""

    DigitalSignature = 0
    NonRepudiation = 1
    KeyEncipherment = 2
    DataEncipherment = 3
    KeyAgreement = 4
    KeyCertSign = 5
    CrlSign = 6
    EncipherOnly = 7
    DecipherOnly = 8


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """RFC 5280 4.2.1.9. ``path_length_constraint`` is None when unlimited."""

    PS_TYPE: ClassVar[str] = "System.Security.Cryptography.X509Certificates.X509BasicConstraintsExtension"

    certificate_authority: bool
    path_length_constraint: int | None = None


@dataclass(frozen=True, slots=True)
class DistributionPoint:
    """One CRL distribution point (RFC 5280 4.2.1.13): any of ``names`` leads to the same CRL.

    ``names`` are URIs (http, ldap, file) or directory names; ``reasons`` is empty when the point covers all reasons;
    ``crl_issuer`` names the CRL's issuer when it is not the certificate's (an indirect CRL).
    """

    PS_TYPE: ClassVar[str] = "PkiTools.DistributionPoint"

    names: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    crl_issuer: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateReference:
    """The certificate template that an enterprise CA wrote into the certificate.

    A version 1 template leaves its ``name`` (1.3.6.1.4.1.311.20.2), later ones ``oid`` and version
    (1.3.6.1.4.1.311.21.7; MS-WCCE 2.2.2.7.7).
    """

    PS_TYPE: ClassVar[str] = "PkiTools.TemplateReference"

    name: str | None = None
    oid: str | None = field(default=None, metadata={"name": "OID"})
    major_version: int | None = None
    minor_version: int | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension as it stands in the certificate; ``raw_data`` is the content of its OCTET STRING."""

    PS_TYPE: ClassVar[str] = "System.Security.Cryptography.X509Certificates.X509Extension"

    oid: Oid
    critical: bool
    raw_data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate (RFC 5280 4), read leniently: what cannot be read is None or empty and named in ``defects``.

    - ``subject``, ``issuer``: as Windows writes X500 names: the last RDN first, ``", "`` between them, ``" + "`` inside
      an RDN, values quoted where needed.
    - ``serial_number``: upper-case hex of the encoded octets. ``thumbprint`` (SHA-1) and ``thumbprint_sha256``, key
      identifiers: upper-case hex.
    - ``key_size`` in bits; ``key_curve`` the curve of an EC key.
    - ``signature_hash``: ``sha256`` and the like, empty where the algorithm has none or is unknown.
    - ``application_policies``: Microsoft's 1.3.6.1.4.1.311.21.10, the same purposes once more.
    - ``enhanced_key_usages``, ``key_usages``, ``basic_constraints``: None when the extension is absent.
    - ``security_identifier``: the SID of KB5014754, from extension 1.3.6.1.4.1.311.25.2 or the SAN URI
      ``tag:microsoft.com,2022-09-14:sid:…``.
    """

    PS_TYPE: ClassVar[str] = "System.Security.Cryptography.X509Certificates.X509Certificate2"

    subject: str
    issuer: str
    serial_number: str
    version: int
    not_before: datetime | None
    not_after: datetime | None
    thumbprint: str
    thumbprint_sha256: str
    signature_algorithm: Oid
    signature_hash: str
    key_algorithm: Oid
    key_size: int | None
    key_curve: str | None
    subject_alternative_names: tuple[AlternativeName, ...] = ()
    enhanced_key_usages: tuple[Oid, ...] | None = None
    application_policies: tuple[Oid, ...] | None = None
    key_usages: tuple[KeyUsage, ...] | None = None
    basic_constraints: BasicConstraints | None = None
    authority_information_access: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    crl_distribution_points: tuple[DistributionPoint, ...] = ()
    freshest_crl: tuple[DistributionPoint, ...] = ()
    certificate_policies: tuple[Oid, ...] = ()
    certificate_template: TemplateReference | None = None
    security_identifier: str | None = None
    subject_key_identifier: str | None = None
    authority_key_identifier: str | None = None
    extensions: tuple[Extension, ...] = field(default=(), repr=False)
    defects: tuple[str, ...] = ()
    raw_data: bytes = field(default=b"", repr=False)

    @property
    def self_issued(self) -> bool:
        """Subject and issuer are the same name (RFC 5280 3.2)."""
        return self.subject == self.issuer

    def names(self, kind: NameKind) -> tuple[str, ...]:
        """The alternative names of one kind, in the certificate's order."""
        return tuple(name.value for name in self.subject_alternative_names if name.kind is kind)

    def extension(self, oid: str) -> Extension | None:
        """The first extension with this OID."""
        return next((item for item in self.extensions if item.oid.value == oid), None)
