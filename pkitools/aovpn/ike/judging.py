"""What the results of a probe mean for Windows clients: findings with the codes that Windows shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pkitools.models.ike import IkeCertificate, IkeFeatures, IkePort, IkeServer, IkeVerdict
from pkitools.models.ipsec import DHGroup, EncryptionMethod, IkePolicy, IntegrityCheckMethod
from pkitools.models.outcome import Finding, Severity, finding

POLICY_MATCH = "ERROR_IPSEC_IKE_POLICY_MATCH"
VPN_TIMEOUT = "ERROR_VPN_TIMEOUT"
AUTH_FAIL = "ERROR_IPSEC_IKE_AUTH_FAIL"
_WEAK_CIPHERS = (EncryptionMethod.DES, EncryptionMethod.DES3)
_WEAK_HASHES = (IntegrityCheckMethod.MD5, IntegrityCheckMethod.SHA1)
# RFC 8247 2.4: 1 must not, 2 and 24 should not be used
_WEAK_GROUPS = (DHGroup.GROUP1, DHGroup.GROUP2, DHGroup.GROUP24)
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the server should accept: the policies of a client, of which one is enough."""

    name: str
    policies: tuple[IkePolicy, ...]


def policy_words(policy: IkePolicy) -> str:
    """A policy in the order in which Set-VpnServerConfiguration names it: ``AES256 SHA256 ECP384``."""
    return f"{policy.encryption_method.value} {policy.integrity_check_method.value} {policy.dh_group.value}"


def weak_parts(policy: IkePolicy) -> tuple[str, ...]:
    """The outdated algorithms of a policy, by RFC 8247."""
    return tuple(
        part.value
        for part, weak in (
            (policy.encryption_method, policy.encryption_method in _WEAK_CIPHERS),
            (policy.integrity_check_method, policy.integrity_check_method in _WEAK_HASHES),
            (policy.dh_group, policy.dh_group in _WEAK_GROUPS),
        )
        if weak
    )


def findings_of(
    server: IkeServer, expectation: Expectation | None, known_authorities: Collection[str] = ()
) -> tuple[Finding, ...]:
    """All findings about a server that answered; ``known_authorities`` are the subjects of the user's CAs."""
    found: list[Finding] = [*_port_findings(server.ports), *_verdict_findings(server)]
    if server.certificate is not None:
        found += _certificate_findings(server.certificate)
    if expectation is not None and server.verdict is not None:
        found += _expectation_findings(server, expectation)
    found += _weak_findings(server.accepted_policies, expectation)
    if server.features is not None and not server.features.fragmentation:
        found.append(
            finding(
                Severity.NOTE,
                "NoIkeFragmentation",
                "the server does not announce IKE fragmentation: large certificates travel in IP fragments, which "
                "many firewalls drop",
                "Windows Server 1803 or later: set EnableServerFragmentation=1 under "
                r"HKLM\SYSTEM\CurrentControlSet\Services\RemoteAccess\Parameters\Ikev2",
            )
        )
    if server.features is not None and known_authorities:
        found += _authority_findings(server.features, known_authorities)
    return tuple(found)


def _authority_findings(features: IkeFeatures, known: Collection[str]) -> Iterable[Finding]:
    """Whether the server asks for certificates of the user's CAs: a client sends none that is not asked for."""
    if any(item.subject for item in features.certificate_authorities):
        return
    message = f"the server does not ask for certificates of {', '.join(sorted(known)[:_SHOWN])}"
    step = "for device tunnels: trust the root on the server, Set-VpnAuthProtocol -RootCertificateNameToAccept"
    yield finding(Severity.NOTE, "AuthorityNotRequested", message, step, code="ERROR_IPSEC_IKE_NO_CERT")


def _port_findings(ports: Iterable[IkePort]) -> Iterable[Finding]:
    for port in ports:
        if port.answers:
            continue
        why = port.message or "no answer"
        if port.port == 500:
            message = f"UDP 500 does not answer ({why}), 4500 does: a Windows client begins on 500"
        else:
            message = f"UDP {port.port} does not answer ({why}): clients behind NAT cannot connect"
        step = f"open UDP {port.port} to the server in every firewall on the way"
        yield finding(Severity.ERROR, "PortBlocked", message, step, code=VPN_TIMEOUT)


def _verdict_findings(server: IkeServer) -> Iterable[Finding]:
    step = "set a policy that Windows knows: Set-VpnServerConfiguration -CustomPolicy, or the proposals of the gateway"
    if server.verdict is IkeVerdict.ACCEPTED and server.features is None:
        message = "the server did not answer the one acceptable offer that was to confirm its other answers"
        yield finding(Severity.NOTE, "NotConfirmed", message, "ask again, or with --fast")
    if server.verdict is IkeVerdict.REJECTED:
        message = "the server accepts none of the 168 IKE policies that Windows can express"
        yield finding(Severity.ERROR, "NoWindowsPolicy", message, step, code=POLICY_MATCH)
    if server.verdict is IkeVerdict.NOT_EXPRESSIBLE:
        message = "the server accepts IKE policies, but none that Windows can express"
        yield finding(Severity.ERROR, "NoWindowsPolicy", message, step, code=POLICY_MATCH)


def _certificate_findings(certificate: IkeCertificate) -> Iterable[Finding]:
    if certificate.judgement is not None:
        yield from certificate.judgement.findings
    if not certificate.answered:
        message = f"the server answers IKE_SA_INIT, and then there is {certificate.message}: clients time out"
        step = "let UDP fragments through on the way, and switch on IKE fragmentation on the server"
        yield finding(Severity.WARNING, "IkeAuthSilent", message, step, code="ERROR_IPSEC_IKE_TIMED_OUT")
    elif not certificate.shown:
        message = f"no certificate: {certificate.message}"
        step = "look at the certificate on the server, or export it and ask: pkitools show FILE --for rras"
        yield finding(Severity.NOTE, "CertificateNotShown", message, step)
    if certificate.auth_verified is False:
        message = f"the server does not prove that it holds the certificate's key: {certificate.message}"
        step = "check which certificate the server signs with, and for a device in between"
        yield finding(Severity.ERROR, "AuthNotVerified", message, step, code=AUTH_FAIL)


def _expectation_findings(server: IkeServer, expectation: Expectation) -> Iterable[Finding]:
    accepted = [item for item in expectation.policies if item in server.accepted_policies]
    undecided = [item for item in expectation.policies if item in server.undecided_policies]
    if accepted or undecided:
        return
    if len(expectation.policies) == 1:
        message = f"the server does not accept {policy_words(expectation.policies[0])} ({expectation.name})"
    else:
        message = f"the server accepts none of the {len(expectation.policies)} IKE policies of {expectation.name}"
    step = "compare both sides: pkitools compare-ipsec CLIENT ike:HOST"
    yield finding(Severity.ERROR, "ExpectedPolicyMissing", message, step, code=POLICY_MATCH)


def _weak_findings(accepted: Iterable[IkePolicy], expectation: Expectation | None) -> Iterable[Finding]:
    """A warning for weak policies beyond what is expected; a note without an expectation, or for expected ones."""
    expected = expectation.policies if expectation is not None else ()
    weak = [item for item in accepted if weak_parts(item)]
    unexpected = [item for item in weak if item not in expected]
    if expectation is not None and unexpected:
        yield _weak(Severity.WARNING, unexpected)
        weak = [item for item in weak if item in expected]
    if weak:
        yield _weak(Severity.NOTE, weak)


def _weak(severity: Severity, policies: list[IkePolicy]) -> Finding:
    parts = list(dict.fromkeys(part for item in policies for part in weak_parts(item)))
    shown = ", ".join(policy_words(item) for item in policies[:_SHOWN])
    more = f" and {len(policies) - _SHOWN} more" if len(policies) > _SHOWN else ""
    message = f"the server accepts outdated algorithms ({', '.join(parts)}): {shown}{more}"
    step = "remove them once no client needs them"
    return finding(severity, "WeakPolicyAccepted", message, step)
