"""The server's certificate through IKE_AUTH without credentials (RFC 7296 2.16): what it shows a client that wants EAP.

The AUTH payload is verified, so that the certificate is known to be the server's own and not replayed.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Final

from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped
from pkitools.aovpn.ike.offers import chosen_policy, proposals_for
from pkitools.aovpn.ike.search import Acceptance, Step
from pkitools.aovpn.ike.secured import SecuredExchange, eap_start
from pkitools.aovpn.policy import IkeTransforms
from pkitools.errors import FormatError, ProtocolError, RefusedError
from pkitools.models.ike import IkeCertificate, IkeVerdict
from pkitools.protocol.ike.authentication import SIGNATURE_HASHES, SignedOctets, verify
from pkitools.protocol.ike.groups import new_key_pair
from pkitools.protocol.ike.message import Payload, bodies, notifies
from pkitools.protocol.ike.numbers import CertEncoding, IdType, NotifyType, PayloadType, notify_name
from pkitools.protocol.ike.payloads import Authentication, Certificate, Eap, Identification, KeyExchange, Notify
from pkitools.protocol.ike.sa_init import Chosen
from pkitools.protocol.names import read_x500
from pkitools.protocol.x509 import split_certificate
from pkitools.transport.udp import Port
from pkitools.trust.signatures import load_key

_MAX_AUTHORITIES: Final = 40
_SHA1_SIZE: Final = 20
_MAX_SHOWN_URL: Final = 300
_NOT_SHOWN: Final = "the certificate is not shown without a client certificate (machine certificates only?)"


@dataclass(frozen=True, slots=True)
class ServerProof:
    """What the server sent: its certificate with what came along (DER, the server's own first) and the report."""

    report: IkeCertificate
    chain: tuple[bytes, ...] = ()


class CertificateInquiry:
    """Asks one server for its certificate with a policy that it accepts."""

    def __init__(self, inquiry: Inquiry, policy: IkeTransforms, auth_port: Port) -> None:
        """``inquiry`` is on the port for IKE_SA_INIT, ``auth_port`` the one for IKE_AUTH."""
        self._inquiry = inquiry
        self._policy = policy
        self._auth_port = auth_port

    def run(self) -> Step[ServerProof]:
        """The exchange. Silence and refusals are results too; raises ProtocolError when the server breaks the rules."""
        try:
            acceptance = yield from self._establish()
            secured = SecuredExchange(self._inquiry, acceptance, self._auth_port)
            requests = (item.authorities for item in acceptance.chosen.certificate_requests)
            authorities = [authority for item in requests for authority in item][:_MAX_AUTHORITIES]
            payloads = yield from secured.ask(eap_start(tuple(authorities) or (bytes(_SHA1_SIZE),)))
        except InquiryStopped as stopped:
            silent = stopped.verdict is IkeVerdict.NO_ANSWER
            return ServerProof(IkeCertificate(False, stopped.message, answered=not silent))
        except RefusedError as error:
            return ServerProof(IkeCertificate(False, error.message))
        proof = read_proof(payloads, acceptance, secured)
        yield from secured.abandon()
        return proof

    def _establish(self) -> Step[Acceptance]:
        key = new_key_pair(self._policy.dh)
        hashes = Notify(NotifyType.SIGNATURE_HASH_ALGORITHMS, SIGNATURE_HASHES)
        offer = self._inquiry.offer(proposals_for((self._policy,)), KeyExchange(key.group, key.public), (hashes,))
        response = yield from self._inquiry.ask(offer)
        if not isinstance(response, Chosen) or chosen_policy(response.proposal) != self._policy:
            raise InquiryStopped(IkeVerdict.REJECTED, "the server no longer accepts the policy that it accepted before")
        return Acceptance(offer, response, self._inquiry.last_answer, key)


def read_proof(payloads: tuple[Payload, ...], acceptance: Acceptance, secured: SecuredExchange) -> ServerProof:
    """What the payloads of the first IKE_AUTH answer prove. Raises ProtocolError when one is malformed."""
    identities = bodies(payloads, PayloadType.IDR)
    identity = Identification.unpack(identities[0]) if identities else None
    certificates = [Certificate.unpack(body) for body in bodies(payloads, PayloadType.CERT)]
    chain = tuple(item.data for item in certificates if item.encoding == CertEncoding.X509_SIGNATURE)
    report = IkeCertificate(
        shown=bool(chain),
        message="" if chain else _why_not_shown(payloads),
        identity=identity_text(identity) if identity is not None else "",
        offers_eap=any(Eap.unpack(body).code == Eap.REQUEST for body in bodies(payloads, PayloadType.EAP)),
        fragments=secured.fragments,
        hash_and_urls=tuple(_url(item) for item in certificates if item.encoding == CertEncoding.HASH_AND_URL),
    )
    auths = bodies(payloads, PayloadType.AUTH)
    if not chain or not auths or identity is None:
        return ServerProof(report, chain)
    suite = secured.keys.suite
    signed = SignedOctets(acceptance.message, acceptance.request.nonce, suite.prf_hash, secured.keys.sk_pr)
    return ServerProof(_verified(report, Authentication.unpack(auths[0]), chain[0], signed.of(identity)), chain)


def _verified(report: IkeCertificate, auth: Authentication, leaf: bytes, octets: bytes) -> IkeCertificate:
    try:
        key = load_key(split_certificate(leaf).spki.encoded)
    except FormatError as error:
        raise ProtocolError(f"the server's certificate is malformed: {error.message}") from error
    if key is None:
        return replace(report, auth_verified=False, message="the key of the certificate is of no known kind")
    try:
        return replace(report, auth_verified=True, auth_algorithm=verify(auth, key, octets))
    except ProtocolError as error:
        return replace(report, auth_verified=False, message=error.message)


def _why_not_shown(payloads: tuple[Payload, ...]) -> str:
    """Why an answer has no certificate: seen with strongSwan, believed of RRAS."""
    errors = [item.type for item in notifies(payloads) if item.is_error]
    if NotifyType.AUTHENTICATION_FAILED in errors:
        return _NOT_SHOWN
    if errors:
        return f"the server answers IKE_AUTH with {notify_name(errors[0])}"
    eap = [Eap.unpack(body).code for body in bodies(payloads, PayloadType.EAP)]
    if Eap.FAILURE in eap:
        return "the server ends EAP at once: it has no EAP method, or its RADIUS server does not answer"
    if bodies(payloads, PayloadType.AUTH):
        return "the server proves its identity without sending a certificate"
    return "the answer to IKE_AUTH has no certificate"


def identity_text(identity: Identification) -> str:
    """An identification payload for people, RFC 7296 3.5."""
    if identity.type in (IdType.FQDN, IdType.RFC822_ADDR):
        return identity.data.decode("utf-8", "backslashreplace")
    if identity.type in (IdType.IPV4_ADDR, IdType.IPV6_ADDR) and len(identity.data) in (4, 16):
        return str(ipaddress.ip_address(identity.data))
    if identity.type == IdType.DER_ASN1_DN:
        return _distinguished_name(identity.data)
    return identity.data.hex()


def _distinguished_name(encoded: bytes) -> str:
    try:
        return read_x500(encoded)
    except FormatError:
        return encoded.hex()


def _url(item: Certificate) -> str:
    """The address of a "hash and URL" certificate, RFC 7296 3.6: SHA-1 of the certificate, then the URL."""
    return item.data[_SHA1_SIZE : _SHA1_SIZE + _MAX_SHOWN_URL].decode("ascii", "backslashreplace")
