"""``show --for``: is the certificate fit for its place in Always On VPN? The judge of ``trust`` says, and asks no
network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pkitools.keystore.pairing import Pairing, order_chain
from pkitools.models.keystore import CertificateEntry
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.revocation import RevocationMode
from pkitools.models.shown import FitFor
from pkitools.models.trust import Judgement, Origin, Purpose
from pkitools.protocol.x509 import read_certificate
from pkitools.trust.judge import Settings, judge
from pkitools.trust.store import system_store

_PURPOSES = {
    FitFor.USER: (Purpose.VPN_USER,),
    FitFor.DEVICE: (Purpose.DEVICE,),
    FitFor.RRAS: (Purpose.SSTP_SERVER, Purpose.IKE_SERVER),
    FitFor.NPS: (Purpose.NPS_SERVER,),
}


class _Options(Protocol):
    @property
    def fit_for(self) -> FitFor | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def ca_files(self) -> tuple[Path, ...]: ...


def fitness(
    ordered: Sequence[CertificateEntry], pairing: Pairing, options: _Options
) -> tuple[tuple[Judgement, ...], tuple[Finding, ...]]:
    """The judgements on the leaf for what is asked, and all their findings, each once.

    The leaf is the certificate with the key, else the first in chain order. Roots of the file count as trusted, since
    an enterprise's root is seldom in this machine's store; a note says so. Raises InputError for a bad name.
    """
    if options.fit_for is None or not ordered:
        return (), ()
    leaf = pairing.pairs[0].certificate if pairing.pairs else ordered[0]
    chain = order_chain(leaf, ordered)
    store = system_store(options.ca_files)
    roots = [entry.der for entry in chain[1:] if not store.trusts(entry.der) and _is_root(entry.der)]
    store.add(roots, Origin.SENT)
    settings = Settings(store, revocation=RevocationMode.OFF)
    sent = [leaf.der, *(entry.der for entry in ordered if entry.der != leaf.der)]
    judgements = tuple(judge(sent, purpose, settings, name=options.name) for purpose in _PURPOSES[options.fit_for])
    findings = [each for judgement in judgements for each in judgement.findings]
    findings += _about_root(roots)
    return judgements, tuple(dict.fromkeys(findings))


def _is_root(certificate: bytes) -> bool:
    return read_certificate(certificate).self_issued


def _about_root(roots: Sequence[bytes]) -> list[Finding]:
    text = "the root in the file was taken as trusted; Windows wants it in its own store"
    return [finding(Severity.NOTE, "RootOfTheFile", text)] if roots else []
