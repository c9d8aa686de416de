"""The one policy in Windows' words that brings one side of a comparison to the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pkitools.aovpn.ike.judging import weak_parts
from pkitools.aovpn.policy import PFS_IDS, WINDOWS_IKE_POLICIES, baseline
from pkitools.aovpn.policy_sources.source import PolicySource
from pkitools.aovpn.proposals import ChildProposal, child_overlap, child_proposals_of, ike_meets, ike_proposals_of
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    CipherTransformConstants,
    IkePolicy,
    IPsecPolicy,
    PfsGroup,
)


def target_policy(wanted: PolicySource, other: PolicySource) -> IPsecPolicy | None:
    """The one policy that brings ``other`` to ``wanted``; what ``wanted`` does not show is taken from ``other``.

    A side that takes several IKE policies is met by the strongest, preferably one that the other has already. A side
    with the Windows default gives no target: both should get a baseline.
    """
    if wanted.policy is not None:
        return wanted.policy
    if wanted.inferred or wanted.kind in ("windows-default", "windows11-default"):
        return None
    ike = _strongest(policy for policy in WINDOWS_IKE_POLICIES if ike_meets(ike_proposals_of((policy,)), wanted.ike))
    base = other.policy or baseline("aovpn-enhanced").policy
    if ike is None or base is None:
        return None
    policy = IPsecPolicy(
        base.authentication_transform_constants,
        base.cipher_transform_constants,
        ike.dh_group,
        ike.integrity_check_method,
        base.pfs_group,
        ike.encryption_method,
    )
    return policy if wanted.child is None else _with_child(policy, wanted.child)


def _strongest(policies: Iterable[IkePolicy]) -> IkePolicy | None:
    groups = ("Group1", "Group2", "Group24", "Group14", "ECP256", "ECP384")

    def rank(policy: IkePolicy) -> tuple[int, int, int, int]:
        integrity = list(type(policy.integrity_check_method)).index(policy.integrity_check_method)
        encryption = list(type(policy.encryption_method)).index(policy.encryption_method)
        return -len(weak_parts(policy)), encryption, groups.index(policy.dh_group.value), integrity

    return max(policies, key=rank, default=None)


def _with_child(policy: IPsecPolicy, child: tuple[ChildProposal, ...]) -> IPsecPolicy | None:
    """``policy`` with the strongest child policy that Windows can express and ``child`` takes."""
    for cipher in reversed(CipherTransformConstants):
        for authentication in reversed(AuthenticationTransformConstants):
            gcm = cipher.value.startswith("GCM")
            if gcm != authentication.value.startswith("GCM") or (gcm and cipher.value != authentication.value):
                continue
            candidate = replace(
                policy, cipher_transform_constants=cipher, authentication_transform_constants=authentication
            )
            for offer in child_proposals_of((candidate.child,), candidate.dh_group):
                taken = [item for item in child if all(child_overlap(offer, item)[:2])]
                if taken:
                    words = [word for word, ident in PFS_IDS.items() if ident and ident in taken[0].groups]
                    return replace(candidate, pfs_group=PfsGroup(words[-1] if words else "None"))
    return None
