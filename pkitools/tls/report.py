"""Puts together what one target showed: PSPKI's object, the nodes, and all findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from pkitools.errors import FormatError, PkiToolsError, ProtocolError
from pkitools.models.certificate import AlternativeName, Certificate, NameKind
from pkitools.models.outcome import Finding, Outcome, Severity, finding, judged
from pkitools.models.tls import CryptoBindingHashes, Node, TlsSession, WebServerSsl
from pkitools.models.trust import Judgement
from pkitools.protocol.x509 import read_certificate
from pkitools.tls import findings
from pkitools.tls.options import ProbeOptions
from pkitools.tls.probe import Follow, Probe, Versions
from pkitools.tls.targets import Target

_SAN_LABELS = {
    NameKind.DNS: "DNS Name",
    NameKind.IP: "IP Address",
    NameKind.EMAIL: "RFC822 Name",
    NameKind.URI: "URL",
    NameKind.PRINCIPAL: "Other Name:Principal Name",
    NameKind.GUID: "Other Name:DS Object Guid",
    NameKind.DIRECTORY: "Directory Address",
    NameKind.REGISTERED: "Registered ID",
    NameKind.OTHER: "Other Name",
    NameKind.X400: "X400 Address",
    NameKind.EDI: "EDI Party Name",
}


class Seen(NamedTuple):
    """One address: its probe with what followed, or the error that left it without a certificate."""

    label: str
    probe: Probe | None = None
    follow: Follow | None = None
    error: PkiToolsError | None = None


def read_leaf(chain: Sequence[bytes]) -> Certificate:
    """The server's certificate. Raises ProtocolError when it is none."""
    try:
        return read_certificate(chain[0])
    except FormatError as error:
        raise ProtocolError(f"the server's certificate is malformed: {error.message}", code=error.code) from error


def build_outcome(
    target: Target, options: ProbeOptions, seen: Sequence[Seen], judgements: Sequence[tuple[str, Judgement]]
) -> Outcome[WebServerSsl]:
    """The outcome of a target; ``judgements`` are those of the distinct chains, each with the node that showed it.

    The first of ``seen`` that has a certificate is shown in detail, and the first judgement is about its chain. Raises
    ProtocolError when the certificate cannot be read.
    """
    shown = next(item for item in seen if item.probe is not None)
    probe, follow = shown.probe, shown.follow
    assert probe is not None and follow is not None
    leaf = read_leaf(probe.session.chain)
    sent, unreadable = _read_chain(probe.session.chain)
    nodes = tuple(_node(item) for item in seen) if options.all_addresses else ()
    judgement = judgements[0][1]
    all_findings = (
        *_judge_findings(judgements),
        *unreadable,
        *_connection_findings(seen, options),
        *findings.nodes(nodes),
    )
    get = next((item for item in follow.http if item.request.startswith("GET ")), None)
    value = WebServerSsl(
        original_uri=target.uri,
        returned_uri=(get.location if get is not None else None) or target.uri,
        certificate=leaf,
        pkcs7_chain=sent,
        subject=leaf.subject,
        issuer=leaf.issuer,
        name_match=bool(judgement.name_match),
        subject_alternative_names=tuple(map(format_name, leaf.subject_alternative_names)),
        certificate_is_valid=judgement.certificate_is_valid,
        error_information=judgement.error_information,
        response=get,
        user_context=False,
        findings=all_findings,
        days_left=findings.days_left(leaf, datetime.now(UTC)),
        address=probe.label,
        tls=_session(probe, follow.versions),
        sstp=follow.sstp,
        chain=judgement.chain,
        revocation=judgement.revocation,
        fetched=tuple(item for _, other in judgements for item in other.fetched),
        nodes=nodes,
        http=follow.http,
        crypto_binding_hashes=CryptoBindingHashes(leaf.thumbprint, leaf.thumbprint_sha256),
    )
    return judged(target.text, value, all_findings)


def format_name(name: AlternativeName) -> str:
    """A subject alternative name with its type in front, as .NET on Windows formats it."""
    label = _SAN_LABELS[name.kind]
    return f"{label}:{name.oid}={name.value}" if name.kind is NameKind.OTHER else f"{label}={name.value}"


def _read_chain(chain: Sequence[bytes]) -> tuple[tuple[Certificate, ...], list[Finding]]:
    read: list[Certificate] = []
    problems: list[Finding] = []
    for number, der in enumerate(chain, 1):
        try:
            read.append(read_certificate(der))
        except FormatError as error:
            message = f"certificate {number} of the chain that the server sent is malformed: {error.message}"
            step = "remove it from the server's chain"
            problems.append(finding(Severity.WARNING, "ChainMemberMalformed", message, step, code="CERT_E_MALFORMED"))
    return tuple(read), problems


def _judge_findings(judgements: Sequence[tuple[str, Judgement]]) -> Iterable[Finding]:
    """What is said of the first chain, and of other nodes' chains what is not said of it."""
    first = judgements[0][1].findings
    yield from first
    for label, judgement in judgements[1:]:
        for item in judgement.findings:
            if item not in first:
                yield replace(item, message=f"{label}: {item.message}")


def _connection_findings(seen: Sequence[Seen], options: ProbeOptions) -> Iterable[Finding]:
    said: set[Finding] = set()
    several = sum(item.probe is not None for item in seen) > 1
    for item in seen:
        if item.probe is None or item.follow is None:
            continue
        found = [
            *findings.connection(item.probe, item.follow.versions, options.service),
            *findings.sstp(item.follow.sstp),
        ]
        for one in found:
            if one not in said:
                said.add(one)
                yield replace(one, message=f"{item.label}: {one.message}") if several else one


def _node(item: Seen) -> Node:
    if item.probe is None:
        return Node(item.label, error=item.error.message if item.error else None)
    session = item.probe.session
    try:
        leaf = read_leaf(session.chain)
    except ProtocolError as error:
        return Node(item.label, error=error.message)
    return Node(
        address=item.label,
        thumbprint=leaf.thumbprint,
        thumbprint_sha256=leaf.thumbprint_sha256,
        subject=leaf.subject,
        tls_version=session.version.label,
        sstp=item.follow.sstp.verdict if item.follow else None,
    )


def _session(probe: Probe, versions: Versions | None) -> TlsSession:
    session = probe.session
    return TlsSession(
        version=session.version.label,
        cipher=session.cipher,
        group=session.group,
        sni=probe.sni,
        client_certificate_requested=session.client_certificate_requested,
        ocsp_stapled=session.ocsp_response is not None,
        accepted_versions=None if versions is None else tuple(version.label for version in versions[0]),
        failure=None if probe.failure is None else probe.failure.message,
    )
