"""Certificates, CRLs and OCSP answers for tests, made with cryptography. The clock of these tests stands at ``NOW``."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from pkitools.models.certificate import Certificate
from pkitools.protocol.strict_der import Reader
from pkitools.protocol.x509 import read_certificate

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
SERVER, CLIENT, IKE = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.8.2.2"


@lru_cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """The n-th P-256 key of this run."""
    return ec.generate_private_key(ec.SECP256R1())


@lru_cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of this size."""
    if bits < 1024:
        raise ValueError(bits)
    return rsa.generate_private_key(65537, bits)


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: object
    der: bytes = field(repr=False)

    @cached_property
    def model(self) -> Certificate:
        return read_certificate(self.der)


def name(text: str | x509.Name) -> x509.Name:
    """A Name with one common name, or none for an empty text."""
    if isinstance(text, x509.Name):
        return text
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def general_name(text: str) -> x509.GeneralName:
    """``a.test`` is a DNS name, an address an IP, ``x:…`` a URI, ``a@b`` mail."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "://" in text or text.startswith("tag:"):
        return x509.UniformResourceIdentifier(text)
    return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)


def points(urls: Sequence[str | Sequence[str]]) -> list[x509.DistributionPoint]:
    """Distribution points; a nested list is one point with several names."""
    grouped = [[item] if isinstance(item, str) else item for item in urls]
    return [
        x509.DistributionPoint([x509.UniformResourceIdentifier(url) for url in group], None, None, None)
        for group in grouped
    ]


CA_USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
LEAF_USAGE = x509.KeyUsage(True, False, True, False, False, False, False, False, False)


class Maker:
    """Issues certificates; each gets the next of a row of keys, so that keys differ."""

    def __init__(self) -> None:
        self._keys = 0

    def next_key(self) -> ec.EllipticCurvePrivateKey:
        self._keys += 1
        return ec_key(self._keys)

    def issue(
        self,
        subject: str | x509.Name,
        issuer: Issued | None = None,
        *,
        ca: bool = False,
        key: object = None,
        sans: Sequence[str] = (),
        eku: Sequence[str] | None = (SERVER,),
        usage: x509.KeyUsage | None = LEAF_USAGE,
        basic: bool = True,
        path_length: int | None = None,
        start: datetime.datetime = NOW - 30 * DAY,
        end: datetime.datetime = NOW + 300 * DAY,
        cdp: Sequence[str | Sequence[str]] = (),
        freshest: Sequence[str] = (),
        aia: Sequence[str] = (),
        ocsp: Sequence[str] = (),
        extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
        serial: int | None = None,
        issuer_name: str | x509.Name | None = None,
        key_ids: bool = True,
    ) -> Issued:
        key = key or self.next_key()
        signer = issuer.key if issuer else key
        issued_by = issuer.certificate.subject if issuer else name(subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer_name) if issuer_name is not None else issued_by)
            .public_key(key.public_key())  # type: ignore[attr-defined]
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
        )
        extensions: list[tuple[x509.ExtensionType, bool]] = list(extra)
        if ca and basic:
            extensions.append((x509.BasicConstraints(True, path_length), True))
        if usage is not None:
            extensions.append((CA_USAGE if ca and usage is LEAF_USAGE else usage, True))
        if eku is not None:
            extensions.append((x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in eku]), False))
        if sans:
            extensions.append((x509.SubjectAlternativeName([general_name(item) for item in sans]), not subject))
        if cdp:
            extensions.append((x509.CRLDistributionPoints(points(cdp)), False))
        if freshest:
            extensions.append((x509.FreshestCRL(points(freshest)), False))
        access = [(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in aia]
        access += [(AuthorityInformationAccessOID.OCSP, url) for url in ocsp]
        if access:
            descriptions = [x509.AccessDescription(oid, x509.UniformResourceIdentifier(url)) for oid, url in access]
            extensions.append((x509.AuthorityInformationAccess(descriptions), False))
        if key_ids:
            public = key.public_key()  # type: ignore[attr-defined]
            extensions.append((x509.SubjectKeyIdentifier.from_public_key(public), False))
            signed_by = signer.public_key()  # type: ignore[union-attr, attr-defined]
            extensions.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by), False))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(signer, hashes.SHA256())  # type: ignore[arg-type]
        return Issued(certificate, key, certificate.public_bytes(Encoding.DER))

    def root(self, subject: str = "Prüf-Wurzel 🌱", **more: object) -> Issued:
        more.setdefault("end", NOW + 3650 * DAY)
        return self.issue(subject, ca=True, eku=None, **more)  # type: ignore[arg-type]

    def ca(self, subject: str, issuer: Issued, **more: object) -> Issued:
        more.setdefault("eku", None)
        return self.issue(subject, issuer, ca=True, **more)  # type: ignore[arg-type]

    def leaf(self, issuer: Issued, subject: str = "vpn.lab.test", **more: object) -> Issued:
        more.setdefault("sans", ("vpn.lab.test",))
        return self.issue(subject, issuer, **more)  # type: ignore[arg-type]


def wrap(tag: int, content: bytes) -> bytes:
    """One DER value."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


_SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")
_RSA_HASHES = {"sha1": ("05", hashes.SHA1), "md5": ("04", hashes.MD5)}


def resign_rsa(der: bytes, key: rsa.RSAPrivateKey, digest: str) -> bytes:
    """A sha256RSA certificate or CRL signed again with a hash that cryptography's builders refuse."""
    octet, algorithm = _RSA_HASHES[digest]
    body = Reader(der).sequence().read().encoded.replace(_SHA256_RSA, _SHA256_RSA[:-1] + bytes.fromhex(octet))
    signature = key.sign(body, padding.PKCS1v15(), algorithm())
    identifier = wrap(0x30, _SHA256_RSA[:-1] + bytes.fromhex(octet) + b"\x05\x00")
    return wrap(0x30, body + identifier + wrap(3, b"\0" + signature))


def resign_ec(der: bytes, key: ec.EllipticCurvePrivateKey, old: bytes, new: bytes) -> bytes:
    """A certificate with ``old`` replaced by ``new`` (of the same length) in its TBS, signed again."""
    outer = Reader(der).sequence()
    tbs, algorithm = outer.read().encoded, outer.read().encoded
    assert old in tbs and len(old) == len(new)
    body = tbs.replace(old, new)
    return wrap(0x30, body + algorithm + wrap(3, b"\0" + key.sign(body, ec.ECDSA(hashes.SHA256()))))


def make_crl(
    issuer: Issued,
    revoked: Sequence[int | Issued] = (),
    *,
    key: object = None,
    issuer_name: str | x509.Name | None = None,
    this_update: datetime.datetime = NOW - DAY,
    next_update: datetime.datetime = NOW + 6 * DAY,
    number: int | None = 5,
    base: int | None = None,
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise,
    scope: x509.IssuingDistributionPoint | None = None,
    freshest: Sequence[str] = (),
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    entry_extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A CRL in DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name(issuer_name) if issuer_name is not None else issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
    )
    for item in revoked:
        serial = item if isinstance(item, int) else item.certificate.serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 2 * DAY)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), False)
        for extension, critical in entry_extra:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    extensions: list[tuple[x509.ExtensionType, bool]] = list(extra)
    if number is not None:
        extensions.append((x509.CRLNumber(number), False))
    if base is not None:
        extensions.append((x509.DeltaCRLIndicator(base), True))
    if scope is not None:
        extensions.append((scope, True))
    if freshest:
        extensions.append((x509.FreshestCRL(points(freshest)), False))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def make_scope(urls: Sequence[str] = (), **flags: object) -> x509.IssuingDistributionPoint:
    """An issuing distribution point extension."""
    full = [x509.UniformResourceIdentifier(url) for url in urls] or None
    values: dict[str, object] = {
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
        **flags,
    }
    return x509.IssuingDistributionPoint(full_name=full, relative_name=None, **values)  # type: ignore[arg-type]


def make_ocsp(
    leaf: Issued,
    issuer: Issued,
    status: str = "good",
    *,
    signer: Issued | None = None,
    send: Sequence[Issued] = (),
    by_name: bool = False,
    this_update: datetime.datetime = NOW - DAY,
    next_update: datetime.datetime | None = NOW + DAY,
    nonce: bytes | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """An OCSP answer in DER."""
    signer = signer or issuer
    revoked = status == "revoked"
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf.certificate,
        issuer.certificate,
        algorithm or hashes.SHA1(),
        {"good": ocsp.OCSPCertStatus.GOOD, "revoked": ocsp.OCSPCertStatus.REVOKED}.get(
            status, ocsp.OCSPCertStatus.UNKNOWN
        ),
        this_update,
        next_update,
        NOW - 2 * DAY if revoked else None,
        x509.ReasonFlags.superseded if revoked else None,
    )
    encoding = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(encoding, signer.certificate)
    if send:
        builder = builder.certificates([item.certificate for item in send])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), False)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)  # type: ignore[arg-type]
