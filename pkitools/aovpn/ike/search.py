"""Which of the 168 Windows IKE policies does one port of a server accept?

Two ways. **Stateless** questions offer some groups together with a key of another group: a server that would accept
something must ask for the right key (INVALID_KE_PAYLOAD, RFC 7296 1.2), one that would not says NO_PROPOSAL_CHOSEN, and
neither creates an SA. Halving finds the policies. **Offers** are real: the server chooses, what it chose is taken out,
the rest is offered again; each acceptance leaves a half-open SA, of which servers tolerate few.

The stateless answer is checked by one real offer; a server that contradicts itself is searched by offers alone.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped, fits
from pkitools.aovpn.ike.offers import ALL, chosen_policy, groups_of, proposals_for
from pkitools.aovpn.policy import IkeTransforms
from pkitools.errors import ProtocolError
from pkitools.models.ike import IkeVerdict
from pkitools.protocol.ike.groups import KeyPair, any_public_value, new_key_pair
from pkitools.protocol.ike.numbers import Dh
from pkitools.protocol.ike.payloads import KeyExchange
from pkitools.protocol.ike.sa_init import Chosen, NoProposal, SaInitRequest, WrongGroup
from pkitools.transport.udp import Answer, Request

T = TypeVar("T")
Step = Generator[Request, Answer, T]

STATELESS: Final = "Stateless"
OFFERS: Final = "Offers"
# Two questions cover the six groups; each carries a key of the other half, whose size keeps the packet small.
_QUESTIONS: Final = (
    (frozenset((Dh.MODP_768, Dh.MODP_1024, Dh.MODP_2048)), Dh.ECP_256),
    (frozenset((Dh.ECP_256, Dh.ECP_384, Dh.MODP_2048_256)), Dh.MODP_1024),
)
_FIRST_KEY = Dh.MODP_2048
# Servers start to throttle at the third half-open SA (strongSwan's default), so further policies are asked statelessly.
_MAX_HALF_OPEN = 2
# Cheapest first: a key of the confirming offer is computed.
_CHEAP_GROUPS: Final = (Dh.ECP_256, Dh.MODP_768, Dh.MODP_1024, Dh.ECP_384, Dh.MODP_2048, Dh.MODP_2048_256)


class _UnreliableError(Exception):  # control flow inside this module
    """The server's answers to stateless questions contradict each other."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A real offer that the server accepted, with what the next exchange needs: with ``key`` None there will be none,
    since nobody has the private key."""

    request: SaInitRequest
    chosen: Chosen
    message: bytes
    key: KeyPair | None


class PolicySearch:
    """Searches one port. After ``run`` the fields hold the result, also when the search was stopped half way."""

    def __init__(self, inquiry: Inquiry, *, fast: bool = False) -> None:
        self.inquiry = inquiry
        self.fast = fast
        self.method = OFFERS if fast else STATELESS
        self.accepted: set[IkeTransforms] = set()
        self.rejected: set[IkeTransforms] = set()
        self.foreign_groups: set[int] = set()
        self.acceptance: Acceptance | None = None
        self.verdict: IkeVerdict | None = None
        self.message = ""

    @property
    def undecided(self) -> tuple[IkeTransforms, ...]:
        """Policies that were not decided because the search was stopped."""
        return tuple(item for item in ALL if item not in self.accepted and item not in self.rejected)

    def run(self) -> Step[None]:
        """The whole search. Raises RefusedError and ProtocolError; silence and ICMP errors are verdicts."""
        try:
            if self.fast:
                yield from self._by_offers(ALL, then_stateless=True)
            else:
                yield from self._stateless_and_confirmed()
        except InquiryStopped as stopped:
            self.verdict, self.message = stopped.verdict, stopped.message
            if self.accepted and not self.undecided:  # only the confirming offer went unanswered
                self.verdict = IkeVerdict.ACCEPTED
        else:
            self.verdict = IkeVerdict.ACCEPTED if self.accepted else IkeVerdict.REJECTED

    def _stateless_and_confirmed(self) -> Step[None]:
        try:
            for groups, _ in _QUESTIONS:
                yield from self._stateless([item for item in ALL if item.dh in groups])
            yield from self._confirm()
        except _UnreliableError:
            self.method = OFFERS
            self.accepted.clear()
            self.rejected.clear()
            yield from self._by_offers(ALL, then_stateless=False)

    def _confirm(self) -> Step[None]:
        """One real offer: of a policy found, or of all when none was. Raises _UnreliableError on contradiction."""
        if not self.accepted:
            yield from self._confirm_rejection()
            return
        policy = cheapest(self.accepted)
        response = yield from self._offer((policy,), policy.dh)
        if not isinstance(response, Chosen) or chosen_policy(response.proposal) != policy:
            raise _UnreliableError

    def _confirm_rejection(self) -> Step[None]:
        response = yield from self._offer(ALL, _FIRST_KEY)
        if isinstance(response, Chosen) or (isinstance(response, WrongGroup) and response.group in _CHEAP_GROUPS):
            raise _UnreliableError

    # stateless questions

    def _stateless(self, policies: list[IkeTransforms]) -> Step[None]:
        """Decides policies whose groups all stand in one question: group by group as the server names them."""
        remaining = policies
        while remaining:
            group = yield from self._wanted_group(remaining)
            if group is None:
                self.rejected.update(remaining)
                return
            of_group = [item for item in remaining if item.dh == group]
            if not of_group:
                raise _UnreliableError
            yield from self._halve(sorted(of_group, key=_halving_order), known=True)
            remaining = [item for item in remaining if item.dh != group]

    def _halve(self, policies: list[IkeTransforms], *, known: bool) -> Step[bool]:
        """Decides policies of one group; ``known`` when at least one of them is acceptable. Returns whether one is."""
        if not known and (yield from self._wanted_group(policies)) is None:
            self.rejected.update(policies)
            return False
        if len(policies) == 1:
            self.accepted.add(policies[0])
            return True
        half = len(policies) // 2
        first = yield from self._halve(policies[:half], known=False)
        yield from self._halve(policies[half:], known=not first)
        return True

    def _wanted_group(self, policies: Collection[IkeTransforms]) -> Step[int | None]:
        """The group of an acceptable policy among these, None when none is. Raises _UnreliableError."""
        groups = groups_of(policies)
        key_group = next(key for offered, key in _QUESTIONS if offered.issuperset(groups))
        request = self.inquiry.question(proposals_for(tuple(policies)), key_group)
        response = yield from self.inquiry.ask(request)
        if isinstance(response, NoProposal):
            return None
        if isinstance(response, WrongGroup) and response.group in groups:
            return response.group
        if isinstance(response, WrongGroup):
            self.foreign_groups.add(response.group)
        raise _UnreliableError

    # real offers

    def _by_offers(self, policies: Iterable[IkeTransforms], *, then_stateless: bool) -> Step[None]:
        """Takes out what the server chooses until it rejects the rest."""
        chunks = [list(policies)]
        while chunks:
            chunk = chunks.pop()
            groups = groups_of(chunk)
            group = _FIRST_KEY if _FIRST_KEY in groups else groups[0]
            if not fits(self.inquiry.question(proposals_for(tuple(chunk)), group)):
                half = len(chunk) // 2
                chunks += [chunk[:half], chunk[half:]]
                continue
            policy = yield from self._chosen_of(chunk, group)
            if policy is None:
                self.rejected.update(chunk)
                continue
            self.accepted.add(policy)
            chunk.remove(policy)
            if chunk:
                chunks.append(chunk)
            if then_stateless and len(self.accepted) >= _MAX_HALF_OPEN:
                yield from self._rest_stateless()
                return

    def _rest_stateless(self) -> Step[None]:
        undecided = self.undecided
        try:
            for groups, _ in _QUESTIONS:
                yield from self._stateless([item for item in undecided if item.dh in groups])
        except _UnreliableError:
            yield from self._by_offers(self.undecided, then_stateless=False)

    def _chosen_of(self, policies: list[IkeTransforms], group: int) -> Step[IkeTransforms | None]:
        """What the server chooses of these, None when nothing. Follows each wanted group once."""
        groups = groups_of(policies)
        for _ in range(len(groups) + 1):
            response = yield from self._offer(policies, group)
            if isinstance(response, NoProposal):
                return None
            if isinstance(response, Chosen):
                policy = chosen_policy(response.proposal)
                if policy is None or policy not in policies:
                    raise ProtocolError("the server chose a proposal that was not offered")
                return policy
            if response.group not in groups:
                self.foreign_groups.add(response.group)
                return None
            if response.group == group:
                break
            group = response.group
        raise ProtocolError("the server keeps asking for other Diffie-Hellman groups")

    def _offer(self, policies: Collection[IkeTransforms], group: int) -> Step[Chosen | WrongGroup | NoProposal]:
        """A real offer with a key of ``group``; a usable one only where the SA will be ended properly."""
        key = new_key_pair(group) if not self.fast and len(policies) < len(ALL) else None
        public = key.public if key is not None else any_public_value(group)
        request = self.inquiry.offer(proposals_for(tuple(policies)), KeyExchange(group, public))
        response = yield from self.inquiry.ask(request)
        if isinstance(response, Chosen) and self.acceptance is None:
            self.acceptance = Acceptance(request, response, self.inquiry.last_answer, key)
        return response


def cheapest(policies: Iterable[IkeTransforms]) -> IkeTransforms:
    """The policy whose group costs least to compute a key in."""
    return min(policies, key=lambda item: _CHEAP_GROUPS.index(Dh(item.dh)))


def _halving_order(policy: IkeTransforms) -> tuple[int, int, int]:
    """Hash first: a server's list usually holds few hashes and all its ciphers with each of them."""
    return policy.prf, policy.encr, policy.key_length or 0
