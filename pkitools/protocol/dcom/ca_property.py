"""CA properties (MS-WCCE 3.2.1.4.3.2; numbers as in CertCli.h and CertSrv.h)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from pkitools.errors import ProtocolError
from pkitools.protocol.dcom.icertrequest import text_of
from pkitools.protocol.dcom.ndr import NdrReader

NEWEST = 0xFFFFFFFF


class PropType(IntEnum):
    """PROPTYPE_*: how the value is encoded."""

    LONG = 1
    DATE = 2
    BINARY = 3
    STRING = 4


class CaProp(IntEnum):
    """CR_PROP_*: what can be read."""

    FILE_VERSION = 1
    PRODUCT_VERSION = 2
    CA_NAME = 6
    SANITIZED_CA_NAME = 7
    PARENT_CA = 9
    CA_TYPE = 10
    CA_SIG_CERT_COUNT = 11
    CA_SIG_CERT = 12
    BASE_CRL = 17
    CA_CERT_STATE = 19
    CRL_STATE = 20
    DNS_NAME = 22
    TEMPLATES = 29
    BASE_CRL_PUBLISH_STATUS = 30
    DELTA_CRL_PUBLISH_STATUS = 31


class CaType(IntEnum):
    """ENUM_CATYPES of CertSrv.h; 2 does not exist."""

    ENTERPRISE_ROOT = 0
    ENTERPRISE_SUBORDINATE = 1
    STANDALONE_ROOT = 3
    STANDALONE_SUBORDINATE = 4
    UNKNOWN = 5


class Disposition(IntEnum):
    """CA_DISP_*: the state of a CA certificate or CRL."""

    INCOMPLETE = 0
    ERROR = 1
    REVOKED = 2
    VALID = 3
    INVALID = 4
    UNDER_SUBMISSION = 5


class CrlPublishStatus(IntFlag):
    """CPF_*: how the last publication of a CRL went."""

    BASE = 1
    DELTA = 2
    COMPLETE = 4
    SHADOW = 8
    CASTORE_ERROR = 0x10
    BADURL_ERROR = 0x20
    MANUAL = 0x40
    SIGNATURE_ERROR = 0x80
    LDAP_ERROR = 0x100
    FILE_ERROR = 0x200
    FTP_ERROR = 0x400
    HTTP_ERROR = 0x800
    POSTPONED_BASE_LDAP_ERROR = 0x1000
    POSTPONED_BASE_FILE_ERROR = 0x2000


@dataclass(frozen=True, slots=True)
class CaInfo:
    """CAINFO (MS-WCCE 2.2.2.4): nine properties in one answer."""

    ca_type: int
    signature_certificates: int
    exchange_certificates: int
    exit_modules: int
    highest_property: int
    role_separation: int
    kra_certificates_used: int
    kra_certificates: int
    advanced_server: int

    @classmethod
    def unpack(cls, data: bytes) -> CaInfo:
        """From the value of CR_PROP_CATYPE and its eight companions."""
        reader = NdrReader(data, "CAINFO")
        size = reader.u32()
        if size != len(data):
            raise reader.fail(f"size {size} of {len(data)} octets")
        return cls(*(reader.i32() for _ in range(9)))


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """A template as the CA lists it; the OID is empty for one without msPKI-Cert-Template-OID."""

    name: str
    oid: str


def unpack_templates(blob: bytes) -> tuple[PublishedTemplate, ...]:
    """CR_PROP_TEMPLATES (MS-WCCE 3.2.1.4.3.2.29): pairs of lines. Only one NUL is stripped, never white space."""
    text = text_of(blob)
    if not text:
        return ()
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if len(lines) % 2:
        raise ProtocolError(f"malformed template list of a CA: {len(lines)} lines are no pairs")
    return tuple(PublishedTemplate(name, oid) for name, oid in zip(lines[::2], lines[1::2], strict=True))
