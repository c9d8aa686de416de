"""``pkitools demo``: servers of its own on loopback, one good and one bad, and ``test-ssl`` on both.

Root, leaves and keys are made in memory and gone with the process.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pkitools.models.demo import DemoResult
from pkitools.models.outcome import Outcome, Severity, Status
from pkitools.models.revocation import RevocationMode
from pkitools.models.tls import SstpVerdict, WebServerSsl
from pkitools.models.trust import Origin
from pkitools.tls.options import ProbeOptions
from pkitools.tls.run import ChainJudge, read_targets, run_batch
from pkitools.transport.loopback import FileListener, SstpListener

_HOST = "127.0.0.1"
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class _Case:
    name: str
    expected: str | None
    starts: timedelta
    ends: timedelta


_CASES = (
    _Case("a good certificate", None, timedelta(days=-1), _YEAR),
    _Case("last year's certificate", "CERT_E_EXPIRED", -2 * _YEAR, timedelta(days=-10)),
)


def run_demo() -> Iterator[Outcome[DemoResult]]:
    """Starts the servers and judges them. Status PROTOCOL_ERROR when a verdict is not the expected one."""
    with ExitStack() as stack:
        files: dict[str, bytes] = {}
        web = stack.enter_context(FileListener(files))
        root = _Authority(f"http://{web.authority}/demo.crl")
        files["/demo.crl"] = root.crl()
        options = ProbeOptions()
        judge = ChainJudge(options, (), RevocationMode.CRL)
        judge.store.add([root.certificate.public_bytes(Encoding.DER)], Origin.EXTRA)
        listeners = []
        for case in _CASES:
            key = ec.generate_private_key(ec.SECP256R1())
            listener = SstpListener([root.leaf(case, key)], key)
            listeners.append(listener)
            stack.enter_context(listener)
        entries = read_targets([listener.authority for listener in listeners], None, "")
        outcomes = list(run_batch(entries, options, judge).outcomes)
        for case, outcome in zip(_CASES, outcomes, strict=True):
            assert isinstance(outcome, Outcome)
            yield _compare(case, outcome)


def _compare(case: _Case, outcome: Outcome[WebServerSsl]) -> Outcome[DemoResult]:
    value = outcome.value
    if value is None:
        return Outcome(outcome.target, outcome.status, None, outcome.reason)
    codes = tuple(item.code or item.id for item in value.findings if item.severity is not Severity.NOTE)
    wanted = () if case.expected is None else (case.expected,)
    good = tuple(dict.fromkeys(codes)) == wanted and value.sstp.verdict is SstpVerdict.LISTENER
    result = DemoResult(case.name, case.expected, good, codes, value)
    return Outcome(outcome.target, Status.OK if good else Status.PROTOCOL_ERROR, result)


class _Authority:
    """A root that lives as long as the demonstration."""

    def __init__(self, crl_url: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._crl_url = crl_url
        self._now = datetime.now(UTC)
        self._name = _name("pkitools demo root")
        builder = self._builder(self._name, self._key.public_key(), -3 * _YEAR, 3 * _YEAR)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())

    def leaf(self, case: _Case, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """A server certificate for 127.0.0.1."""
        builder = self._builder(_name("vpn.demo.example"), key.public_key(), case.starts, case.ends)
        names = [x509.DNSName("vpn.demo.example"), x509.IPAddress(ipaddress.ip_address(_HOST))]
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(self._crl_url)], None, None, None)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def crl(self) -> bytes:
        """An empty revocation list."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        builder = builder.last_update(self._now - timedelta(hours=1)).next_update(self._now + timedelta(days=7))
        return (
            builder.add_extension(x509.CRLNumber(1), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, starts: timedelta, ends: timedelta
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(signer, critical=False)
        return builder.not_valid_before(self._now + starts).not_valid_after(self._now + ends)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
