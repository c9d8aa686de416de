"""Extensions of certificates (RFC 5280 4.2, MS-WCCE 2.2.2.7.7, KB5014754): content octets into fields of the model.

``READERS`` maps an extension's OID to a function that gives the fields it fills; a reader raises FormatError only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pkitools.errors import FormatError
from pkitools.models.certificate import BasicConstraints, DistributionPoint, KeyUsage, NameKind, TemplateReference
from pkitools.protocol.names import GeneralName, read_general_name, read_general_names
from pkitools.protocol.oid_names import EKU_NAMES, POLICIES, named
from pkitools.protocol.strict_der import (
    BOOLEAN,
    INTEGER,
    OBJECT,
    OCTET_STRING,
    Reader,
    Value,
)

Fields = dict[str, Any]
CA_ISSUERS_OID, OCSP_OID = "1.3.6.1.5.5.7.48.2", "1.3.6.1.5.5.7.48.1"
SID_OID = "1.3.6.1.4.1.311.25.2.1"
SID_URI = "tag:microsoft.com,2022-09-14:sid:"

_REASONS = (
    "Unused",
    "KeyCompromise",
    "CaCompromise",
    "AffiliationChanged",
    "Superseded",
    "CessationOfOperation",
    "CertificateHold",
    "PrivilegeWithdrawn",
    "AaCompromise",
)


def _whole(raw: bytes) -> Reader:
    outer = Reader(raw)
    inner = outer.sequence()
    outer.require_end()
    return inner


def _single(raw: bytes, tag: int) -> Value:
    reader = Reader(raw)
    value = reader.read(tag)
    reader.require_end()
    return value


def read_names_extension(raw: bytes) -> tuple[GeneralName, ...]:
    """The names of a subject (or issuer) alternative name extension, raw content included."""
    return read_general_names(_whole(raw))


def _alternative_names(raw: bytes) -> Fields:
    names = tuple(name.model() for name in read_names_extension(raw))
    sids = [n.value[len(SID_URI) :] for n in names if n.kind is NameKind.URI and n.value.lower().startswith(SID_URI)]
    return {"subject_alternative_names": names, "security_identifier": sids[0] if sids else None}


def _enhanced_key_usage(raw: bytes) -> Fields:
    oids = tuple(named(value.oid(), EKU_NAMES) for value in _whole(raw).rest())
    return {"enhanced_key_usages": oids}


def _key_usage(raw: bytes) -> Fields:
    bits = _single(raw, 0x03).bits()
    return {"key_usages": tuple(KeyUsage(bit) for bit in bits if bit <= 8)}


def _basic_constraints(raw: bytes) -> Fields:
    reader = _whole(raw)
    authority, length = reader.optional(BOOLEAN), reader.optional(INTEGER)
    reader.require_end()
    limit = length.small() if length is not None else None
    if limit is not None and limit < 0:
        raise FormatError("a negative path length")
    return {"basic_constraints": BasicConstraints(authority is not None and authority.boolean(), limit)}


def _authority_information(raw: bytes) -> Fields:
    issuers: list[str] = []
    responders: list[str] = []
    for value in _whole(raw).rest():
        reader = value.children()
        method, name = reader.read(OBJECT).oid(), read_general_name(reader.read())
        if name.kind is NameKind.URI and method in (CA_ISSUERS_OID, OCSP_OID):
            (issuers if method == CA_ISSUERS_OID else responders).append(name.text)
    return {"authority_information_access": tuple(issuers), "ocsp_urls": tuple(responders)}


def read_reasons(value: Value) -> tuple[str, ...]:
    """ReasonFlags (RFC 5280 4.2.1.13) by name; an implicitly tagged BIT STRING."""
    return tuple(_REASONS[bit] for bit in value.bits() if bit < len(_REASONS))


def read_point_names(value: Value) -> tuple[GeneralName, ...]:
    """Full names of a DistributionPointName (the [0] that holds the choice); none for a name relative to the CRL's
    issuer, which nobody writes."""
    choice = value.children()
    names = choice.read()
    choice.require_end()
    return read_general_names(names.children()) if names.tag == 0xA0 else ()


def _distribution_point(value: Value) -> DistributionPoint:
    reader = value.children()
    names, reasons, issuer = reader.optional(0xA0), reader.optional(0x81), reader.optional(0xA2)
    reader.require_end()
    issuers = read_general_names(issuer.children()) if issuer else ()
    return DistributionPoint(
        tuple(name.text for name in read_point_names(names)) if names else (),
        read_reasons(reasons) if reasons else (),
        ", ".join(name.text for name in issuers) if issuer else None,
    )


def read_distribution_points(raw: bytes) -> tuple[DistributionPoint, ...]:
    """CRLDistributionPoints, which is also the syntax of FreshestCRL."""
    return tuple(map(_distribution_point, _whole(raw).rest()))


def _policies(raw: bytes) -> Fields:
    oids = (value.children().read(OBJECT).oid() for value in _whole(raw).rest())
    return {"certificate_policies": tuple(named(oid, POLICIES) for oid in oids)}


def _application_policies(raw: bytes) -> Fields:
    """Microsoft's application policies say in the form of certificate policies what the EKU extension says; Windows
    reads the EKU extension first, so they count only where that is missing."""
    return {
        "application_policies": tuple(named(v.children().read(OBJECT).oid(), EKU_NAMES) for v in _whole(raw).rest())
    }


def _template_name(raw: bytes) -> Fields:
    return {"certificate_template": TemplateReference(name=Reader(raw).read().text())}


def _template_information(raw: bytes) -> Fields:
    reader = _whole(raw)
    oid, major, minor = reader.read(OBJECT).oid(), reader.optional(INTEGER), reader.optional(INTEGER)
    return {
        "certificate_template": TemplateReference(
            None, oid, major.small() if major else None, minor.small() if minor else None
        )
    }


def _security_identifier(raw: bytes) -> Fields:
    for name in _whole(raw).rest():
        reader = name.children()
        if name.tag == 0xA0 and reader.read(OBJECT).oid() == SID_OID:
            sid = reader.read(0xA0).children().read(OCTET_STRING)
            return {"security_identifier": sid.content.decode("latin-1")}
    raise FormatError("no security identifier in it")


def _subject_key(raw: bytes) -> Fields:
    return {"subject_key_identifier": _single(raw, OCTET_STRING).content.hex().upper()}


def _authority_key(raw: bytes) -> Fields:
    key = _whole(raw).optional(0x80)
    return {"authority_key_identifier": key.content.hex().upper() if key else None}


READERS: dict[str, Callable[[bytes], Fields]] = {
    "2.5.29.14": _subject_key,
    "2.5.29.15": _key_usage,
    "2.5.29.17": _alternative_names,
    "2.5.29.19": _basic_constraints,
    "2.5.29.31": lambda raw: {"crl_distribution_points": read_distribution_points(raw)},
    "2.5.29.32": _policies,
    "2.5.29.35": _authority_key,
    "2.5.29.37": _enhanced_key_usage,
    "2.5.29.46": lambda raw: {"freshest_crl": read_distribution_points(raw)},
    "1.3.6.1.5.5.7.1.1": _authority_information,
    "1.3.6.1.4.1.311.20.2": _template_name,
    "1.3.6.1.4.1.311.21.7": _template_information,
    "1.3.6.1.4.1.311.21.10": _application_policies,
    "1.3.6.1.4.1.311.25.2": _security_identifier,
}
