"""What a CA says of itself: its properties over ICertRequest and ICertAdmin."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from pkitools.models.certificate import Certificate


class Disposition(Enum):
    """State of a CA certificate or CRL (CA_DISP_* of CertSrv.h)."""

    INCOMPLETE = "Incomplete"
    ERROR = "Error"
    REVOKED = "Revoked"
    VALID = "Valid"
    INVALID = "Invalid"
    UNDER_SUBMISSION = "UnderSubmission"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class CaCertificateState:
    """One of a CA's own certificates with what the CA thinks of it and of its CRL.

    ``base_crl_published`` and ``delta_crl_published`` are the names of the bits that the last publication left
    (CPF_*); None when they were not asked or not told.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.CaCertificateState"

    index: int
    state: Disposition
    crl_state: Disposition
    certificate: Certificate | None
    base_crl_published: str | None = field(metadata={"name": "BaseCRLPublished"})
    delta_crl_published: str | None = field(metadata={"name": "DeltaCRLPublished"})


@dataclass(frozen=True, slots=True)
class LiveTemplate:
    """A template as the CA itself lists it."""

    PS_TYPE: ClassVar[str] = "PkiTools.LiveTemplate"

    name: str
    oid: str = field(metadata={"name": "OID"})


@dataclass(frozen=True, slots=True)
class CaState:
    """What could be read; what could not is None or empty.

    ``type`` is in PSPKI's words (Enterprise Root CA, ...); ``roles`` are the caller's (ADMIN, OFFICER, AUDITOR,
    OPERATOR, READ, ENROLL) and None for a caller without Read.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.CaState"

    name: str | None
    sanitized_name: str | None
    dns_name: str | None
    product_version: str | None
    file_version: str | None
    type: str | None
    is_enterprise: bool | None
    is_root: bool | None
    parent_name: str | None
    certificates: tuple[CaCertificateState, ...]
    templates: tuple[LiveTemplate, ...] | None
    roles: tuple[str, ...] | None
