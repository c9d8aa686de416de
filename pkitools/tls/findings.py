"""The findings about the connection; those about the certificate come from ``trust``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pkitools.models.certificate import Certificate
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.tls import Node, Sstp, SstpVerdict
from pkitools.tls.probe import Probe, Versions
from pkitools.tls.service import Service
from pkitools.transport.tls import TlsVersion

_SSTP_STEPS = {
    SstpVerdict.HTTP_NO_SSTP: "check that RRAS listens on this address and has free SSTP ports, and that a load "
    "balancer passes SSTP_DUPLEX_POST on; for a plain web server use --service https",
    SstpVerdict.TLS_NO_HTTP: "check which service listens on this port",
    SstpVerdict.SILENT: "check the SSTP service behind this address (Get-Service RemoteAccess, SstpSvc), or raise "
    "--timeout",
    SstpVerdict.REJECTED: "look into the server's event log (RasSstp, RemoteAccess) for the reason",
}
_HTTP_SYS = (
    "on the server compare the two bindings of http.sys, 0.0.0.0:443 and [::]:443 (netsh http show sslcert), and the "
    "hash that SSTP uses (Get-RemoteAccess | select SslCertificate; SHA256CertificateHash under "
    r"HKLM\SYSTEM\CurrentControlSet\Services\SstpSvc\Parameters)"
)


def days_left(certificate: Certificate, now: datetime) -> int | None:
    """Whole days until the end, negative once it has passed."""
    return None if certificate.not_after is None else (certificate.not_after - now).days


def connection(probe: Probe, versions: Versions | None, service: Service) -> Iterator[Finding]:
    """TLS versions, client certificates, a handshake that ended early, addresses that did not answer."""
    session = probe.session
    if probe.failure is not None:
        yield finding(
            Severity.ERROR,
            "HandshakeIncomplete",
            f"the certificate was read, then the handshake ended: {probe.failure.message}",
            probe.failure.hint,
        )
    if session.version < TlsVersion.TLS1_2:
        yield finding(
            Severity.WARNING,
            "OldTlsVersion",
            f"the server negotiates {session.version.label}, which current Windows versions no longer offer",
            "enable TLS 1.2 and 1.3 on the server or the load balancer",
        )
    if versions is not None:
        yield from _all_versions(versions, session.version)
    if session.client_certificate_requested:
        yield finding(
            Severity.WARNING if service is Service.SSTP else Severity.NOTE,
            "ClientCertificateRequested",
            "the server asks for a client certificate; an SSTP client has none to show",
            "turn client certificates off for this listener (netsh http show sslcert: Negotiate Client Certificate)",
        )
    for attempt in probe.failed_attempts:
        yield finding(
            Severity.NOTE,
            "AddressUnreachable",
            f"{attempt.endpoint} did not connect ({attempt.reason}); {probe.label} was taken instead",
            "clients that prefer this address wait before they try the next: fix it, or remove it from DNS",
        )


def _all_versions(versions: Versions, negotiated: TlsVersion) -> Iterator[Finding]:
    accepted, unknown = versions
    old = [version.label for version in accepted if version < TlsVersion.TLS1_2 and version is not negotiated]
    if old:
        yield finding(
            Severity.WARNING,
            "OldTlsAccepted",
            f"the server still accepts {' and '.join(old)}",
            "turn the old versions off (Schannel: SecurityProviders\\SCHANNEL\\Protocols)",
        )
    if unknown:
        names = ", ".join(version.label for version in unknown)
        yield finding(
            Severity.NOTE, "TlsVersionUnknown", f"not answered before the deadline: {names}", "raise --timeout"
        )


def sstp(answer: Sstp) -> Iterator[Finding]:
    """A server that is no SSTP listener; what a listener allows for the crypto binding."""
    if answer.verdict in _SSTP_STEPS:
        yield finding(
            Severity.ERROR,
            f"Sstp{answer.verdict.value}",
            f"no SSTP listener: {answer.detail}",
            _SSTP_STEPS[answer.verdict],
        )
    if answer.verdict is SstpVerdict.LISTENER and answer.hash_protocols == ("SHA1",):
        yield finding(
            Severity.WARNING,
            "SstpSha1Only",
            "the listener binds the tunnel with SHA-1 only",
            "update the SSTP server: current Windows clients use SHA-256",
        )


def nodes(found: Sequence[Node]) -> Iterator[Finding]:
    """Addresses that show another certificate than the first, or none."""
    for node in found:
        if node.error is not None:
            yield finding(
                Severity.WARNING,
                "NodeUnreachable",
                f"{node.address} shows no certificate: {node.error}",
                "repair this node, or remove its address from DNS",
            )
    shown = [node for node in found if node.thumbprint is not None]
    others = [node for node in shown if node.thumbprint_sha256 != shown[0].thumbprint_sha256]
    if others:
        names = ", ".join(f"{node.address} ({node.thumbprint})" for node in others)
        yield finding(
            Severity.WARNING,
            "NodesDiffer",
            f"the nodes show different certificates: {shown[0].address} ({shown[0].thumbprint}), but {names}",
            _HTTP_SYS,
        )
