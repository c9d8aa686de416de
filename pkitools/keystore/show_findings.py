"""What ``show`` finds worth saying of a file: of its certificates, of its keys, and of its structure as a PFX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from pkitools.errors import FormatError
from pkitools.keystore.pairing import Pairing, certificate_public_key, public_key_of, thumbprint
from pkitools.models.certificate import Certificate, NameKind
from pkitools.models.keystore import CertificateEntry, KeyEntry
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.protocol import der
from pkitools.protocol.pkcs12 import Bag, PfxFile
from pkitools.protocol.x509 import read_certificate

_SID = re.compile(rb"S-1-5-21(?:-[0-9]{1,10}){3,4}")
_SID_URI = "tag:microsoft.com,2022-09-14:sid:"
_SID_EXTENSION = "1.3.6.1.4.1.311.25.2"
_STRING_TAGS = frozenset({der.OCTET_STRING, der.UTF8_STRING, 0x13, der.IA5_STRING, *range(0x80, 0x89)})
_WHERE_SID = f"the extension {_SID_EXTENSION} or the SAN URI {_SID_URI}S-1-5-21-..."


def certificate_findings(certificates: Sequence[CertificateEntry]) -> Iterator[Finding]:
    """What is odd about the certificates themselves."""
    for entry in certificates:
        try:
            certificate = read_certificate(entry.der)
        except FormatError as error:
            text = f"the certificate {thumbprint(entry.der)} is damaged: {error.message}"
            yield finding(Severity.ERROR, "DamagedCertificate", text, code="CERT_E_MALFORMED")
            continue
        yield from _about(certificate)


def _about(certificate: Certificate) -> Iterator[Finding]:
    name = certificate.subject or certificate.thumbprint
    for defect in certificate.defects:
        yield finding(Severity.WARNING, "CertificateDefect", f"{name}: {defect}")
    if certificate.not_after and certificate.not_after < datetime.now(UTC):
        text = f"{name} expired on {certificate.not_after:%Y-%m-%d}"
        yield finding(Severity.NOTE, "Expired", text, code="CERT_E_EXPIRED")
    yield from _about_sid(certificate, name)


def _about_sid(certificate: Certificate, name: str) -> Iterator[Finding]:
    """KB5014754: only two places count for strong mapping; everything else is a SID in vain."""
    extension = certificate.extension(_SID_EXTENSION)
    from_uri = {
        uri.removeprefix(_SID_URI) for uri in certificate.names(NameKind.URI) if uri.startswith(_SID_URI)
    }  # fmt: skip
    from_extension = set(_SID.findall(extension.raw_data)) if extension else set()
    if from_uri and from_extension and from_uri != {sid.decode() for sid in from_extension}:
        text = f"{name}: the SID in the extension is not the one in the SAN URI"
        yield finding(Severity.WARNING, "SidsDiffer", text, "request the certificate again")
    if certificate.security_identifier is None and (stray := _stray_sid(certificate)):
        text = f"{name}: the SID {stray} stands where Windows does not look for it"
        yield finding(Severity.WARNING, "SidInWrongPlace", text, f"strong mapping (KB5014754) reads {_WHERE_SID}")


def _stray_sid(certificate: Certificate) -> str | None:
    """A SID in the subject, an alternative name or any extension."""
    for text in (certificate.subject, *(name.value for name in certificate.subject_alternative_names)):
        if found := _SID.search(text.encode("utf-8", "replace")):
            return found.group().decode("ascii")
    for extension in certificate.extensions:
        if found := _SID.search(extension.raw_data):
            return _whole_string(extension.raw_data, found.start(), found.end()).decode("ascii")
    return None


def _whole_string(data: bytes, start: int, end: int) -> bytes:
    """The match without digits that belong to the next element: the tag of a SEQUENCE is the character 0."""
    if start >= 2 and data[start - 2] in _STRING_TAGS:
        return data[start : min(end, start + data[start - 1])]
    return data[start:end]


def pairing_findings(pairing: Pairing) -> Iterator[Finding]:
    """What the keys tell: none that fits, several, unreadable ones."""
    if len(pairing.keys) > 1:
        text = f"it holds {len(pairing.keys)} private keys: programs choose differently, and some take only one"
        yield finding(Severity.WARNING, "SeveralKeys", text, "split the file: one key in each PFX")
    for key in pairing.lone_keys:
        if public_key_of(key.pkcs8) is None:
            text = "a private key is damaged, or of a type that nobody here can read"
            yield finding(Severity.WARNING, "UnreadableKey", text)
        elif pairing.certificates:
            yield finding(Severity.WARNING, "KeyWithoutCertificate", "a private key fits no certificate in the file")


def pfx_findings(pfx: PfxFile) -> Iterator[Finding]:
    """What the structure tells: localKeyIDs that name the wrong key, nested safes, doubled bags and attributes."""
    yield from _crossed(pfx)
    if any(bag.depth for bag in pfx.bags):
        text = "keys or certificates lie in a nested safe: .NET and Java pass over it without an error"
        yield finding(Severity.WARNING, "NestedSafe", text, "write the file again: pkitools pem-to-pfx FILE -O new.pfx")
    yield from _doubled(pfx)


def _crossed(pfx: PfxFile) -> Iterator[Finding]:
    keys = [bag.entry for bag in pfx.bags if isinstance(bag.entry, KeyEntry)]
    by_id = {key.local_key_id: key for key in reversed(keys) if key.local_key_id}
    for entry in pfx.content.certificates:
        key = by_id.get(entry.local_key_id) if entry.local_key_id else None
        public = public_key_of(key.pkcs8) if key else None
        if public is not None and public != certificate_public_key(entry.der):
            text = f"the localKeyID of certificate {thumbprint(entry.der)} names a key that is not its own"
            next_step = (
                "Windows and .NET trust it and will sign with the wrong key: pkitools pem-to-pfx FILE -O new.pfx"
            )
            yield finding(Severity.ERROR, "CrossedKeyId", text, next_step, code="NTE_BAD_KEYSET")


def _doubled(pfx: PfxFile) -> Iterator[Finding]:
    ders = [entry.der for entry in pfx.content.certificates]
    if len(set(ders)) < len(ders):
        yield finding(Severity.NOTE, "DoubledCertificate", "the same certificate stands in two bags")
    keys = [public_key_of(key.pkcs8) or key.pkcs8 for key in pfx.content.keys]
    if len(set(keys)) < len(keys):
        yield finding(Severity.NOTE, "DoubledKey", "the same private key stands in two bags")
    if any(map(_has_doubled_attributes, pfx.bags)):
        text = "a bag has an attribute twice or with two values: .NET refuses the file (AllowDuplicateAttributes)"
        yield finding(Severity.WARNING, "DoubledAttribute", text)


def _has_doubled_attributes(bag: Bag) -> bool:
    oids = [attribute.oid for attribute in bag.attributes]
    return len(set(oids)) < len(oids) or any(len(attribute.values) > 1 for attribute in bag.attributes)
