"""Sets of Windows IKE policies as IKEv2 proposals that offer exactly these policies and nothing else.

A proposal is a cross product: the peer picks any cipher, PRF, integrity algorithm and group of it. Windows ties PRF and
integrity algorithm to one hash, so each hash of the CBC ciphers needs proposals of its own; GCM has a PRF only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

from pkitools.aovpn.policy import WINDOWS_IKE_POLICIES, IkeTransforms, ike_transforms
from pkitools.protocol.ike.numbers import ProtocolId, TransformType
from pkitools.protocol.ike.proposals import Proposal, Transform

# Every Windows policy by its ids: the search works on these, plain tuples of numbers.
ALL: Final[tuple[IkeTransforms, ...]] = tuple(ike_transforms(policy) for policy in WINDOWS_IKE_POLICIES)
_KNOWN: Final = frozenset(ALL)

# Ciphers are (id, key length); a box is ciphers x hashes x groups, hashes as (PRF, integrity).
_Cipher = tuple[int, int]
_Hash = tuple[int, int]
_Box = tuple[tuple[_Cipher, ...], tuple[_Hash, ...], tuple[int, ...]]
_NO_INTEG: Final = 0


@lru_cache(maxsize=1024)
def proposals_for(policies: tuple[IkeTransforms, ...]) -> tuple[Proposal, ...]:
    """Proposals whose combinations are the given policies, each once. Remembered: searches ask alike."""
    return tuple(_proposal(number, box) for number, box in enumerate(_boxes(policies), 1))


def chosen_policy(proposal: Proposal) -> IkeTransforms | None:
    """The Windows policy that a responder's proposal amounts to; None when Windows has no words for it."""
    encr, prf, dh = (proposal.transform(kind) for kind in (TransformType.ENCR, TransformType.PRF, TransformType.DH))
    integ = proposal.transform(TransformType.INTEG)
    if encr is None or prf is None or dh is None:
        return None
    integ_id = integ.id or None if integ else None  # NONE (0) and absence mean the same
    policy = IkeTransforms(encr.id, encr.key_length, prf.id, integ_id, dh.id)
    return policy if policy in _KNOWN else None


def groups_of(policies: Collection[IkeTransforms]) -> tuple[int, ...]:
    """The group ids of some policies, ascending."""
    return tuple(sorted({policy.dh for policy in policies}))


def _boxes(policies: Iterable[IkeTransforms]) -> list[_Box]:
    """Disjoint boxes that cover the policies: per hash, ciphers with the same groups; for GCM also hashes alike."""
    groups: dict[tuple[_Hash, _Cipher], set[int]] = defaultdict(set)
    for policy in policies:
        integ = _NO_INTEG if policy.integ is None else policy.integ
        groups[(policy.prf, integ), (policy.encr, policy.key_length or 0)].add(policy.dh)
    rows: dict[tuple[_Hash, tuple[int, ...]], list[_Cipher]] = defaultdict(list)
    for (digest, cipher), found in groups.items():
        rows[digest, tuple(sorted(found))].append(cipher)
    merged: dict[tuple[tuple[_Cipher, ...], tuple[int, ...]], list[_Hash]] = defaultdict(list)
    boxes: list[_Box] = []
    for (digest, members), ciphers in rows.items():
        if digest[1] == _NO_INTEG:
            merged[tuple(ciphers), members].append(digest)
        else:
            boxes.append((tuple(ciphers), (digest,), members))
    boxes.extend((ciphers, tuple(digests), members) for (ciphers, members), digests in merged.items())
    return boxes


def _proposal(number: int, box: _Box) -> Proposal:
    ciphers, digests, groups = box
    transforms = (
        *(Transform(TransformType.ENCR, encr, bits or None) for encr, bits in ciphers),
        *(Transform(TransformType.PRF, prf) for prf, _ in digests),
        *(Transform(TransformType.INTEG, integ) for _, integ in digests if integ != _NO_INTEG),
        *(Transform(TransformType.DH, group) for group in groups),
    )
    return Proposal(number, ProtocolId.IKE, transforms)
