"""A server that rejects all that Windows can say: does it accept anything else, and what?

Answered by stateless questions only, one dimension after the other, since no Windows policy can be among the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from pkitools.aovpn.ike.inquiry import Inquiry
from pkitools.aovpn.ike.search import Step
from pkitools.models.ike import OtherIkePolicy
from pkitools.protocol.ike.numbers import Dh, Encr, Integ, Prf, ProtocolId, TransformType, transform_name
from pkitools.protocol.ike.proposals import Proposal, Transform
from pkitools.protocol.ike.sa_init import NoProposal, WrongGroup

T = TypeVar("T")

_KEY_GROUP: Final = Dh.MODP_1536  # asked about apart: the key of a question must not fit its offer
_SECOND_KEY_GROUP: Final = Dh.MODP_2048
_GROUPS: Final = tuple(item for item in Dh if item is not _KEY_GROUP)
_PRFS: Final = tuple(Prf)
_INTEGS: Final = tuple(item for item in Integ if item is not Integ.NONE)
_AES: Final = (128, 192, 256)
_AEAD: Final = (
    *(
        Transform(TransformType.ENCR, encr, bits)
        for encr in (Encr.AES_GCM_16, Encr.AES_GCM_12, Encr.AES_GCM_8, Encr.AES_CCM_16, Encr.AES_CCM_12, Encr.AES_CCM_8)
        for bits in _AES
    ),
    Transform(TransformType.ENCR, Encr.CHACHA20_POLY1305),
)
_CLASSIC: Final = (
    *(
        Transform(TransformType.ENCR, encr, bits)
        for encr in (Encr.AES_CBC, Encr.AES_CTR, Encr.CAMELLIA_CBC)
        for bits in _AES
    ),
    *(Transform(TransformType.ENCR, encr) for encr in (Encr.DES3, Encr.DES, Encr.BLOWFISH, Encr.CAST)),
)


class OtherSearch:
    """Looks for one acceptable policy outside the Windows vocabulary."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry

    def run(self) -> Step[OtherIkePolicy | None]:
        """The policy, None when the server accepts nothing that we can say either."""
        for ciphers, integs in ((_CLASSIC, _INTEGS), (_AEAD, ())):
            for groups, key_group in ((_GROUPS, _KEY_GROUP), ((Dh.MODP_1536,), _SECOND_KEY_GROUP)):
                group = yield from self._wanted(ciphers, _PRFS, integs, groups, key_group)
                if group is not None:
                    return (yield from self._name(ciphers, integs, group))
        return None

    def _name(self, ciphers: Sequence[Transform], integs: Sequence[Integ], group: int) -> Step[OtherIkePolicy]:
        cipher = yield from self._one(ciphers, lambda some: (some, _PRFS, integs), group)
        prf = yield from self._one(_PRFS, lambda some: ((cipher,), some, integs), group)
        integ = (yield from self._one(integs, lambda some: ((cipher,), (prf,), some), group)) if integs else None
        return OtherIkePolicy(
            transform_name(TransformType.ENCR, cipher.id),
            cipher.key_length,
            transform_name(TransformType.PRF, prf),
            "" if integ is None else transform_name(TransformType.INTEG, integ),
            transform_name(TransformType.DH, group),
        )

    def _one(
        self,
        items: Sequence[T],
        offer: Callable[[Sequence[T]], tuple[Sequence[Transform], Sequence[Prf], Sequence[Integ]]],
        group: int,
    ) -> Step[T]:
        """One acceptable item of a sequence that holds at least one: halves until it stands alone."""
        key_group = _KEY_GROUP if group != _KEY_GROUP else _SECOND_KEY_GROUP
        while len(items) > 1:
            half = len(items) // 2
            first = yield from self._wanted(*offer(items[:half]), (group,), key_group)
            items = items[half:] if first is None else items[:half]
        return items[0]

    def _wanted(
        self,
        ciphers: Sequence[Transform],
        prfs: Sequence[Prf],
        integs: Sequence[Integ],
        groups: Sequence[int],
        key_group: int,
    ) -> Step[int | None]:
        transforms = (
            *ciphers,
            *(Transform(TransformType.PRF, item) for item in prfs),
            *(Transform(TransformType.INTEG, item) for item in integs),
            *(Transform(TransformType.DH, item) for item in groups),
        )
        proposal = Proposal(1, ProtocolId.IKE, transforms)
        response = yield from self._inquiry.ask(self._inquiry.question((proposal,), key_group))
        if isinstance(response, WrongGroup):
            return response.group
        # an accepted key of another group would be a server that does not read what it is sent
        return None if isinstance(response, NoProposal) else key_group
