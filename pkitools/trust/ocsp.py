"""What an OCSP answer is worth (RFC 6960 3.2 and 4.2.2): the right certificate, a rightful signer, fresh."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from pkitools.errors import FormatError
from pkitools.models.certificate import KeyUsage
from pkitools.models.trust import RevocationResult, RevocationStatus
from pkitools.protocol.ocsp import (
    OcspAnswer,
    SingleAnswer,
    build_request,
    certificate_id,
    key_octets,
    read_answer,
)
from pkitools.protocol.oid_names import OCSP_SIGNING
from pkitools.trust.crl import CLOCK_SKEW, NotUsable, Subject
from pkitools.trust.members import Member, member_of
from pkitools.trust.signatures import Proof, proof_of
from pkitools.trust.sources import Ask, Visits

MAX_RESPONDERS = 4
WITHOUT_NEXT_UPDATE = timedelta(days=1)


def ask_responders(subject: Subject, visits: Visits) -> RevocationResult:
    """The status by the first responder that gives a usable answer."""
    failures: list[str] = []
    wanted = certificate_id(subject.issuer.subject, subject.issuer.spki, subject.serial)
    # RFC 9654: an answer to us repeats the nonce; answers made in advance (RFC 5019) have none, and count by their age.
    nonce = secrets.token_bytes(32)
    for url in subject.member.model.ocsp_urls[:MAX_RESPONDERS]:
        ask = Ask(url, "Ocsp", build_request(wanted, nonce), build_request(wanted, None))
        answer = visits.get(ask, lambda data: _read_for(data, nonce))
        if answer is None:
            failures.append(f"{url}: {visits.error_of(url)}")
            continue
        try:
            return judge_answer(answer, subject, "Ocsp", url)
        except (NotUsable, FormatError) as error:
            failures.append(f"{url}: {error}")
    return subject.result(RevocationStatus.OFFLINE, "; ".join(failures)[:600])


def _read_for(data: bytes, nonce: bytes) -> OcspAnswer:
    answer = read_answer(data)
    if answer.nonce is not None and answer.nonce != nonce:
        raise FormatError("the OCSP answer repeats another nonce than was sent: it answers somebody else")
    return answer


def judge_staple(staple: bytes, subject: Subject) -> RevocationResult:
    """The status by the OCSP answer that the server sent in the handshake (RFC 6066 8)."""
    try:
        return judge_answer(read_answer(staple), subject, "Staple", None)
    except (NotUsable, FormatError) as error:
        return subject.result(RevocationStatus.OFFLINE, f"the stapled OCSP answer: {error}", source="Staple")


def judge_answer(answer: OcspAnswer, subject: Subject, source: str, url: str | None) -> RevocationResult:
    """What an answer says of the certificate. NotUsable when it may not be believed."""
    single = _single_for(answer, subject)
    _check_signer(answer, subject)
    _check_fresh(single, subject.now)
    status = {"good": RevocationStatus.GOOD, "revoked": RevocationStatus.REVOKED}.get(single.status)
    return subject.result(
        status or RevocationStatus.NO_CHECK,
        "" if status else "the OCSP responder does not know the certificate",
        source=source,
        url=url,
        this_update=single.this_update,
        next_update=single.next_update,
        revoked_at=single.revoked_at,
        reason=single.reason,
    )


def _single_for(answer: OcspAnswer, subject: Subject) -> SingleAnswer:
    issuer = subject.issuer
    for single in answer.answers:
        if single.certificate.fits(issuer.subject, issuer.spki, subject.serial):
            return single
    raise NotUsable("the answer is about another certificate")


def _check_fresh(single: SingleAnswer, now: datetime) -> None:
    if single.this_update > now + CLOCK_SKEW:
        raise NotUsable(f"the answer is not valid before {single.this_update:%Y-%m-%d %H:%M} UTC")
    end = single.next_update or single.this_update + WITHOUT_NEXT_UPDATE
    if end < now:
        raise NotUsable(f"the answer is stale since {end:%Y-%m-%d %H:%M} UTC")


def _check_signer(answer: OcspAnswer, subject: Subject) -> None:
    """RFC 6960 4.2.2.2: the CA itself, or one whom this CA's key certified for OCSP signing."""
    signer = _signer(answer, subject)
    proof = proof_of(answer.signed, signer.spki)
    if proof is not Proof.GOOD:
        raise NotUsable("its signature is wrong" if proof is Proof.BAD else "its signature cannot be checked here")


def _signer(answer: OcspAnswer, subject: Subject) -> Member:
    if _calls_itself(answer, subject.issuer):
        return subject.issuer
    for der in answer.certificates:
        try:
            member = member_of(der)
        except FormatError:
            continue
        if _calls_itself(answer, member):
            _check_delegate(member, subject)
            return member
    raise NotUsable("its signer is neither the CA nor a responder that the answer names")


def _calls_itself(answer: OcspAnswer, member: Member) -> bool:
    if answer.responder_name is not None:
        return answer.responder_name == member.subject
    return answer.responder_key == hashlib.sha1(key_octets(member.spki)).digest()


def _check_delegate(member: Member, subject: Subject) -> None:
    model = member.model
    if member.issuer != subject.issuer.subject or member.proof(subject.issuer) is not Proof.GOOD:
        raise NotUsable("its signer was not certified by the CA of the certificate")
    if OCSP_SIGNING not in {oid.value for oid in model.enhanced_key_usages or ()}:
        raise NotUsable("its signer may not sign OCSP answers: the extended key usage OCSP Signing is missing")
    if model.key_usages is not None and KeyUsage.DigitalSignature not in model.key_usages:
        raise NotUsable("its signer's key usage does not allow signing")
    if not model.not_before or not model.not_after or not model.not_before <= subject.now <= model.not_after:
        raise NotUsable("its signer's certificate is not within its validity")
