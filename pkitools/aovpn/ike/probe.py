"""One host under probe: the conversations on its ports and what they brought."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkitools.aovpn.ike.features import features_of
from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped
from pkitools.aovpn.ike.judging import Expectation
from pkitools.aovpn.ike.offers import ALL, proposals_for
from pkitools.aovpn.ike.other import OtherSearch
from pkitools.aovpn.ike.search import PolicySearch, Step, cheapest
from pkitools.aovpn.ike.secured import SecuredExchange
from pkitools.errors import PkiToolsError, ProtocolError, RefusedError
from pkitools.models.ike import IkeFeatures, IkeVerdict, OtherIkePolicy
from pkitools.protocol.ike.numbers import Dh, TransformType, transform_name
from pkitools.protocol.ike.sa_init import WrongGroup
from pkitools.transport.deadline import Deadline
from pkitools.transport.udp import IKE_PORT, NAT_T_PORT, Port, Session

if TYPE_CHECKING:
    from pkitools.aovpn.ike.certificate import ServerProof

DEFAULT_TIMEOUT: Final = 10.0
# The question about port 4500 offers all groups but the one that nobody uses, and sends a key of that one.
_KNOCK: Final = tuple(item for item in ALL if item.dh != Dh.MODP_768)


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How to probe. ``timeout``: seconds for one host, all ports and questions together.

    ``certificate``: fetch the server's certificate too. ``ports``: where IKE and NAT-T are, for servers elsewhere.
    ``authority_names``: subjects of the user's CAs by the SHA-1 of their keys, to name those that a server asks for.
    """

    timeout: float = DEFAULT_TIMEOUT
    fast: bool = False
    certificate: bool = False
    expectation: Expectation | None = None
    ports: tuple[Port, Port] = (IKE_PORT, NAT_T_PORT)
    authority_names: Mapping[bytes, str] = field(default_factory=dict)


@dataclass(slots=True)
class PortState:
    """What one port said so far."""

    port: Port
    inquiry: Inquiry | None = None
    search: PolicySearch | None = None
    done: bool = False
    verdict: IkeVerdict | None = None
    message: str = ""
    error: PkiToolsError | None = None


@dataclass(slots=True)
class HostProbe:
    """One host in progress."""

    target: str
    host: str
    address: str
    options: ProbeOptions
    seconds: float
    first: PortState
    nat_t: PortState
    deadline: Deadline
    started: float = field(default_factory=time.monotonic)
    features: IkeFeatures | None = None
    other: OtherIkePolicy | None = None
    proof: ServerProof | None = None
    certificate_inquiry: Inquiry | None = None
    certificate_error: PkiToolsError | None = None

    @classmethod
    def new(cls, target: str, host: str, address: str, options: ProbeOptions, seconds: float) -> HostProbe:
        """A host of which nothing was asked yet and that has ``seconds`` for everything."""
        first, nat_t = (PortState(port) for port in options.ports)
        return cls(target, host, address, options, seconds, first, nat_t, Deadline(seconds))

    @property
    def searched(self) -> PortState:
        """The port on which the policies were searched: 500 unless it is dead and 4500 lives."""
        return self.nat_t if self.nat_t.search is not None else self.first

    def search(self, state: PortState) -> Callable[[Session], Step[None]]:
        """The conversation that finds the policies on one port, and what one answer shows beside them."""

        def begin(session: Session) -> Step[None]:
            if state is self.first:  # earlier it may have waited for its turn
                self.deadline, self.started = Deadline(self.seconds), time.monotonic()
            inquiry = state.inquiry = Inquiry(session, state.port)
            search = state.search = PolicySearch(inquiry, fast=self.options.fast)
            yield from search.run()
            state.verdict, state.message = search.verdict, search.message
            if search.verdict is IkeVerdict.REJECTED:
                yield from self._look_beyond(state, search)
            if search.acceptance is not None:
                ours = session.local(state.port)
                theirs = (self.address, state.port.number)
                acceptance = search.acceptance
                self.features = features_of(
                    acceptance.request.spi, acceptance.chosen, ours, theirs, self.options.authority_names
                )
                if acceptance.key is not None:
                    yield from SecuredExchange(inquiry, acceptance, state.port).abandon()

        return begin

    def _look_beyond(self, state: PortState, search: PolicySearch) -> Step[None]:
        try:
            self.other = yield from OtherSearch(search.inquiry).run()
        except (InquiryStopped, RefusedError, ProtocolError):
            pass  # the verdict on the Windows policies stands
        if self.other is None and search.foreign_groups:  # it asked for a group that was not offered
            self.other = OtherIkePolicy("", None, "", "", transform_name(TransformType.DH, min(search.foreign_groups)))
        if self.other is not None:
            state.verdict = IkeVerdict.NOT_EXPRESSIBLE

    def knock(self, state: PortState) -> Callable[[Session], Step[None]]:
        """The conversation that asks one question, to see whether a port answers and what it thinks of Windows."""

        def begin(session: Session) -> Step[None]:
            inquiry = state.inquiry = Inquiry(session, state.port)
            question = inquiry.question(proposals_for(_KNOCK), Dh.MODP_768)
            try:
                response = yield from inquiry.ask(question)
            except InquiryStopped as stopped:
                state.verdict, state.message = stopped.verdict, stopped.message
            else:
                if isinstance(response, WrongGroup):
                    state.verdict = IkeVerdict.ACCEPTED

        return begin

    def needs_search_on_nat_t(self) -> bool:
        """Port 500 is dead, 4500 answers: search there."""
        dead = self.first.inquiry is not None and not self.first.inquiry.answered and self.first.error is None
        alive = self.nat_t.inquiry is not None and self.nat_t.inquiry.answered
        return dead and alive and self.nat_t.search is None

    def needs_certificate(self) -> bool:
        """A certificate is wanted, was not fetched yet, and a policy to ask with is known."""
        search = self.searched.search
        return self.options.certificate and self.proof is None and search is not None and bool(search.accepted)

    def fetch_certificate(self, session: Session) -> Step[None]:
        """The conversation that fetches the certificate; IKE_AUTH goes to 4500 where that answers, as clients do."""
        from pkitools.aovpn.ike.certificate import CertificateInquiry

        state = self.searched
        search = state.search
        if search is None:
            return
        nat_t_answers = self.nat_t.inquiry is not None and self.nat_t.inquiry.answered
        self.certificate_inquiry = Inquiry(session, state.port)
        policy = cheapest(search.accepted)
        inquiry = CertificateInquiry(self.certificate_inquiry, policy, self.nat_t.port if nat_t_answers else state.port)
        self.proof = yield from inquiry.run()
