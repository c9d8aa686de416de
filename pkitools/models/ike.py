"""What an IKEv2 server tells without credentials: its IKE policies, ports, hints and certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from pkitools.models.ipsec import IkePolicy
from pkitools.models.outcome import Finding

if TYPE_CHECKING:
    from pkitools.models.trust import Judgement


def late_types() -> dict[str, type]:
    """Classes that few results hold, for whoever reads the fields' types: loading them takes longer than a probe."""
    from pkitools.models.trust import Judgement

    return {"Judgement": Judgement}


class IkeVerdict(Enum):
    """What a server, or one of its ports, made of our questions. Silence is never a rejection.

    ``THROTTLED``: it answered at first and then fell silent. ``NOT_EXPRESSIBLE``: it accepts IKE policies, but none
    that a Windows client can be told.
    """

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNREACHABLE = "Unreachable"
    NO_ANSWER = "NoAnswer"
    THROTTLED = "Throttled"
    NOT_EXPRESSIBLE = "NotExpressible"


@dataclass(frozen=True, slots=True)
class IkePort:
    """One UDP port: ``answers`` when anything valid came back, ``message`` says what stood in the way."""

    PS_TYPE: ClassVar[str] = "PkiTools.IkePort"

    port: int
    answers: bool
    verdict: IkeVerdict | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class OtherIkePolicy:
    """An IKE policy that Windows has no words for, in IANA's names; an empty name was not found out."""

    PS_TYPE: ClassVar[str] = "PkiTools.OtherIkePolicy"

    encryption: str
    key_length: int | None
    prf: str
    integrity: str
    dh_group: str = field(metadata={"name": "DHGroup"})


@dataclass(frozen=True, slots=True)
class IkeVendorId:
    """A vendor id as sent, in hex, and what it hints at: anybody may send any."""

    PS_TYPE: ClassVar[str] = "PkiTools.IkeVendorId"

    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class IkeAuthority:
    """A CA whose certificates the server asks clients for, by the SHA-1 of its public key (SubjectPublicKeyInfo).

    ``subject`` is empty unless the CA is among those that the user gave.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.IkeAuthority"

    public_key_sha1: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class IkeFeatures:
    """What the answer to an acceptable offer shows beside the policy.

    ``fragmentation``: notify 16430. ``nat_at_server`` and ``nat_at_client``: an address or port was rewritten on the
    way; None when the server sent no hashes. ``certificate_authorities``: CERTREQ. ``notifies``: names of all notifies.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.IkeFeatures"

    fragmentation: bool
    nat_at_server: bool | None
    nat_at_client: bool | None
    certificate_authorities: tuple[IkeAuthority, ...]
    vendor_ids: tuple[IkeVendorId, ...]
    notifies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IkeCertificate:
    """The server's half of IKE_AUTH, as shown to a client that asks for EAP, and what Windows makes of it.

    ``answered``: IKE_AUTH got an answer at all. ``identity`` is IDr as text.
    ``auth_verified``: the server proved with ``auth_algorithm`` that it holds the key
    (None: there was nothing to verify). ``fragments`` counts the IKE fragments of the answer (1: not fragmented).
    ``hash_and_urls``: addresses of certificates that were named instead of sent; they are not fetched.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.IkeCertificate"

    shown: bool
    message: str
    answered: bool = True
    identity: str = ""
    auth_verified: bool | None = None
    auth_algorithm: str = ""
    offers_eap: bool = False
    fragments: int = 1
    hash_and_urls: tuple[str, ...] = ()
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True)
class IkeServer:
    """One IKEv2 server. ``method``: ``Stateless`` (questions that leave no half-open SA) or ``Offers``.

    ``verdict`` is None when the server broke the protocol or refused to negotiate at all.
    ``accepted_policies`` + ``rejected_count`` + ``undecided_policies`` are the 168 policies that Windows can express.
    ``packets_sent`` counts ``retransmissions``, those that were sent again for want of an answer, too.
    ``seconds`` is the time of the whole inquiry.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.IkeServer"

    host: str
    address: str
    verdict: IkeVerdict | None
    ports: tuple[IkePort, ...]
    accepted_policies: tuple[IkePolicy, ...]
    rejected_count: int
    undecided_policies: tuple[IkePolicy, ...]
    other_policy: OtherIkePolicy | None
    features: IkeFeatures | None
    method: str
    cookie_required: bool
    packets_sent: int
    retransmissions: int
    largest_packet: int
    seconds: float
    certificate: IkeCertificate | None = None
    expected: str | None = None
    findings: tuple[Finding, ...] = ()
