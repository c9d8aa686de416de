"""The lab's PKI: root -> issuing CA -> a leaf for every case that changes a verdict. Made in memory and in a folder.

SHA-1 signatures come from the openssl program, since cryptography does not sign with SHA-1 any more.
"""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID as Aia
from cryptography.x509.oid import NameOID

NAME = "vpn.lab.test"
SERVER, CLIENT, IKE = (x509.ObjectIdentifier(f"1.3.6.1.5.5.{end}") for end in ("7.3.1", "7.3.2", "8.2.2"))
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
SANS = (NAME, "localhost", "127.0.0.1", "::1")


@dataclass
class Pair:
    """A certificate with its key, and the certificates to send after it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    sent: tuple[x509.Certificate, ...] = ()

    @cached_property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def chain_pem(self) -> bytes:
        return b"".join(item.public_bytes(Encoding.PEM) for item in (self.certificate, *self.sent))

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Leaf:
    """How one leaf differs from a good one. ``sans`` may be empty; ``cdp`` and ``aia`` are addresses or none."""

    sans: tuple[str, ...] = SANS
    eku: tuple[x509.ObjectIdentifier, ...] | None = (SERVER,)
    start: datetime.timedelta = -30 * DAY
    end: datetime.timedelta = 365 * DAY
    key: str = "ec256"
    cdp: str | None = "issuing.crl"
    aia: str | None = "issuing.crt"
    ocsp: bool = False
    send_issuer: bool = True
    common_name: str = NAME
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = field(default=())


@dataclass
class LabPki:
    """The CAs and the leaves; CRLs and issuers are served below ``base_url`` as the files that ``web_files`` names."""

    base_url: str
    ocsp_url: str
    dead_url: str
    folder: Path

    def __post_init__(self) -> None:
        self.revoked: list[int] = []
        self.root = self._ca("Lab Root CA", None, path_length=None)
        self.issuing = self._ca("Lab Issuing CA", self.root, path_length=0)

    @cached_property
    def web_files(self) -> dict[str, bytes]:
        """Path -> content of what the certificates point at."""
        return {
            "/root.crt": self.root.der,
            "/issuing.crt": self.issuing.der,
            "/root.crl": self.crl(self.root, []),
            "/issuing.crl": self.crl(self.issuing, self.revoked),
            "/stale.crl": self.crl(self.issuing, [], start=-20 * DAY, end=-10 * DAY),
            "/forged.crl": self.crl(self.issuing, [], key=make_key("ec256")),
            "/junk.crl": b"<html>no CRL</html>",
        }

    def crl(
        self,
        issuer: Pair,
        revoked: list[int],
        start: datetime.timedelta = -DAY,
        end: datetime.timedelta = 7 * DAY,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
        builder = builder.last_update(NOW + start).next_update(NOW + end)
        builder = builder.add_extension(x509.CRLNumber(1), False)
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.public_key())
        builder = builder.add_extension(key_id, False)
        for serial in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def leaf(self, leaf: Leaf, issuer: Pair | None = None, key=None) -> Pair:
        """A leaf of the issuing CA (or of ``issuer``), with a key of its own unless one is given."""
        issuer = issuer or self.issuing
        key = key or make_key(leaf.key)
        certificate = self._leaf_builder(leaf, key, issuer).sign(issuer.key, hashes.SHA256())
        return Pair(certificate, key, (issuer.certificate,) if leaf.send_issuer else ())

    def _leaf_builder(self, leaf: Leaf, key, issuer: Pair) -> x509.CertificateBuilder:
        builder = _builder(name(leaf.common_name), issuer.certificate.subject, key, leaf.start, leaf.end)
        if leaf.sans:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([general_name(item) for item in leaf.sans]), False
            )
        if leaf.eku is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(leaf.eku), False)
        builder = builder.add_extension(key_usage(False), True)
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.public_key())
        builder = builder.add_extension(key_id, False)
        if leaf.cdp:
            builder = builder.add_extension(distribution_point(self._url(leaf.cdp)), False)
        access = [(Aia.CA_ISSUERS, self._url(leaf.aia))] if leaf.aia else []
        access += [(Aia.OCSP, self.ocsp_url)] if leaf.ocsp else []
        if access:
            descriptions = [x509.AccessDescription(kind, general_name(url)) for kind, url in access]
            builder = builder.add_extension(x509.AuthorityInformationAccess(descriptions), False)
        for extension, critical in leaf.extra:
            builder = builder.add_extension(extension, critical)
        return builder

    def self_signed(self) -> Pair:
        key = make_key("ec256")
        builder = _builder(name(NAME), name(NAME), key, -DAY, 365 * DAY)
        builder = builder.add_extension(x509.SubjectAlternativeName([general_name(item) for item in SANS]), False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([SERVER]), False)
        return Pair(builder.sign(key, hashes.SHA256()), key)

    def sha1_leaf(self, openssl: str) -> Pair:
        """A leaf signed with SHA-1 by the openssl program."""
        key = make_key("rsa2048")
        csr = x509.CertificateSigningRequestBuilder().subject_name(name(NAME)).sign(key, hashes.SHA256())
        paths = {item: self.folder / f"sha1.{item}" for item in ("csr", "ca", "key", "ext", "crt")}
        paths["csr"].write_bytes(csr.public_bytes(Encoding.PEM))
        paths["ca"].write_bytes(self.issuing.certificate.public_bytes(Encoding.PEM))
        paths["key"].write_bytes(self.issuing.key_pem)
        paths["ext"].write_text(
            f"subjectAltName=DNS:{NAME},IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
            f"crlDistributionPoints=URI:{self._url('issuing.crl')}\n"
        )
        command = [openssl, "x509", "-req", "-sha1", "-days", "300", "-set_serial", "77", "-in", paths["csr"]]
        command += ["-CA", paths["ca"], "-CAkey", paths["key"], "-extfile", paths["ext"], "-out", paths["crt"]]
        subprocess.run(command, check=True, capture_output=True)
        certificate = x509.load_pem_x509_certificate(paths["crt"].read_bytes())
        return Pair(certificate, key, (self.issuing.certificate,))

    def sub_ca(self, label: str, issuer: Pair, **settings) -> Pair:
        """Another CA, to spoil a path with."""
        return self._ca(label, issuer, **settings)

    def cross(self, label: str, subject: Pair, issuer: Pair) -> Pair:
        """A cross-certificate: ``subject``'s key and name, signed by ``issuer``."""
        builder = _builder(name(label), issuer.certificate.subject, subject.key, -DAY, 100 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        return Pair(builder.sign(issuer.key, hashes.SHA256()), subject.key)

    def _ca(
        self,
        label: str,
        issuer: Pair | None,
        *,
        path_length: int | None = None,
        is_ca: bool = True,
        extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
        end: datetime.timedelta = 3650 * DAY,
    ) -> Pair:
        key = make_key("ec256")
        parent = issuer.certificate.subject if issuer else name(label)
        builder = _builder(name(label), parent, key, -60 * DAY, end)
        constraints = x509.BasicConstraints(ca=is_ca, path_length=path_length if is_ca else None)
        builder = builder.add_extension(constraints, True).add_extension(key_usage(True), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        if issuer is not None:
            builder = builder.add_extension(distribution_point(self._url("root.crl")), False)
            access = x509.AccessDescription(Aia.CA_ISSUERS, general_name(self._url("root.crt")))
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), False)
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
        return Pair(certificate, key)

    def _url(self, path: str) -> str:
        return path if "://" in path else f"{self.base_url}/{path}"


def make_key(kind: str):
    """A key by its short name: ec256, ec384, rsa2048..."""
    if kind.startswith("ec"):
        return ec.generate_private_key({"ec256": ec.SECP256R1(), "ec384": ec.SECP384R1()}[kind])
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))


def name(text: str) -> x509.Name:
    """A subject as a CA writes it, accents included."""
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Büro 🔑"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


def general_name(text: str) -> x509.GeneralName:
    """An address, a URI or a DNS name."""
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def distribution_point(url: str) -> x509.CRLDistributionPoints:
    """One point with one name."""
    return x509.CRLDistributionPoints([x509.DistributionPoint([general_name(url)], None, None, None)])


def key_usage(authority: bool) -> x509.KeyUsage:
    """The usual bits of a CA, or of a server."""
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(subject, issuer, key, start, end) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(NOW + start).not_valid_after(NOW + end)


NAME_CONSTRAINT = (x509.NameConstraints([x509.DNSName("other.test")], None), True)
UNKNOWN_CRITICAL = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00"), True)


def make_leaves(pki: LabPki, openssl: str) -> dict[str, Pair]:
    """Every case by name. The revoked one is on the issuing CA's list before that is first served."""
    cases = {
        "good": Leaf(key="rsa2048"),
        "ec256": Leaf(),
        "ec384": Leaf(key="ec384"),
        "rsa4096": Leaf(key="rsa4096"),
        "wildcard": Leaf(sans=("*.lab.test",)),
        "expired": Leaf(end=-2 * DAY),
        "notyet": Leaf(start=5 * DAY),
        "wrongname": Leaf(sans=("other.lab.test",), common_name="other.lab.test"),
        "nochain": Leaf(send_issuer=False),
        "nochain-noaia": Leaf(send_issuer=False, aia=None),
        "clientonly": Leaf(eku=(CLIENT,)),
        "noeku": Leaf(eku=None),
        "ikeeku": Leaf(eku=(SERVER, IKE)),
        "onlyike": Leaf(eku=(IKE,)),
        "rsa1024": Leaf(key="rsa1024"),
        "revoked": Leaf(ocsp=True),
        "ocspgood": Leaf(ocsp=True),
        "deadcrl": Leaf(cdp=f"{pki.dead_url}/issuing.crl"),
        "stalecrl": Leaf(cdp="stale.crl"),
        "forgedcrl": Leaf(cdp="forged.crl"),
        "junkcrl": Leaf(cdp="junk.crl"),
        "nocdp": Leaf(cdp=None),
        "ldapcdp": Leaf(cdp="ldap:///CN=Lab,DC=lab,DC=test?certificateRevocationList"),
        "nosan": Leaf(sans=()),
        "hugesan": Leaf(sans=(*SANS, *(f"host-{number:05}.with-a-long-name.lab.test" for number in range(1500)))),
        "expiring": Leaf(end=20 * DAY + DAY / 2),
        "criticalext": Leaf(extra=(UNKNOWN_CRITICAL,)),
        "iponly": Leaf(sans=("127.0.0.1",)),
    }
    leaves = {label: pki.leaf(leaf) for label, leaf in cases.items()}
    leaves["selfsigned"] = pki.self_signed()
    leaves["sha1"] = pki.sha1_leaf(openssl)
    constrained = pki.sub_ca("Lab Constrained CA", pki.root, path_length=0, extra=(NAME_CONSTRAINT,))
    leaves["nameconstraints"] = _crl_less(pki, constrained)
    not_ca = pki.sub_ca("Lab Not A CA", pki.root, is_ca=False)
    leaves["noca"] = _crl_less(pki, not_ca)
    deep = pki.sub_ca("Lab Too Deep CA", pki.issuing, path_length=0)
    pair = _crl_less(pki, deep)
    leaves["pathlen"] = Pair(pair.certificate, pair.key, (deep.certificate, pki.issuing.certificate))
    client_ca = pki.sub_ca("Lab Client CA", pki.root, path_length=0, extra=((x509.ExtendedKeyUsage([CLIENT]), False),))
    leaves["caeku"] = _crl_less(pki, client_ca)
    pki.revoked.append(leaves["revoked"].certificate.serial_number)
    return leaves


def _crl_less(pki: LabPki, issuer: Pair) -> Pair:
    """A leaf whose issuer publishes no CRL: the fault looked for is another."""
    return pki.leaf(Leaf(cdp=None), issuer)
