"""IPsec proposals as sets of transform ids, whatever surface they come from, and whether two of them meet.

A proposal names for each type of transform what the sender takes; it meets another when each type has something in
common (RFC 7296 2.7). Ciphers that authenticate themselves (AEAD) and others never share a proposal (RFC 5282 8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from pkitools.aovpn.policy import CHILD_INTEG_IDS, DH_IDS, ENCR_IDS, INTEG_IDS, PFS_IDS, PRF_IDS, ike_transforms
from pkitools.models.ipsec import ChildPolicy, DHGroup, IkePolicy, PfsGroup

Cipher: TypeAlias = tuple[int, int | None]  # transform id, key length in bits

AEAD: Final = frozenset((14, 15, 16, 18, 19, 20, 25, 26, 27, 28))
_GMAC: Final = 21
_NO_SUCH_INTEGRITY: Final = -1  # a GCM word beside a cipher that is no GCM


@dataclass(frozen=True, slots=True)
class IkeProposal:
    """What one proposal for the IKE SA takes; ``integs`` is empty with AEAD ciphers."""

    ciphers: frozenset[Cipher]
    prfs: frozenset[int]
    integs: frozenset[int]
    groups: frozenset[int]

    @property
    def is_aead(self) -> bool:
        """True when every cipher authenticates itself."""
        return all(cipher in AEAD for cipher, _ in self.ciphers)


@dataclass(frozen=True, slots=True)
class ChildProposal:
    """What one proposal for the child SA takes; ``groups`` (PFS) count at rekeying only, RFC 7296 1.2."""

    ciphers: frozenset[Cipher]
    integs: frozenset[int]
    groups: frozenset[int]

    @property
    def is_aead(self) -> bool:
        """True when every cipher authenticates itself."""
        return all(cipher in AEAD or cipher == _GMAC for cipher, _ in self.ciphers)


class Overlap(NamedTuple):
    """Which fields of two proposals have something in common."""

    ciphers: bool
    integrity: bool
    groups: bool


def ike_overlap(client: IkeProposal, server: IkeProposal) -> Overlap:
    """Field by field; integrity takes in the PRF, also the hidden one of GCM."""
    integrity = bool(client.prfs & server.prfs)
    if not client.is_aead and not server.is_aead:
        integrity = integrity and bool(client.integs & server.integs)
    return Overlap(bool(client.ciphers & server.ciphers), integrity, bool(client.groups & server.groups))


def child_overlap(client: ChildProposal, server: ChildProposal) -> Overlap:
    """Field by field; with AEAD on both sides no integrity algorithm is needed."""
    aead = client.is_aead, server.is_aead
    integrity = aead == (True, True) or (aead == (False, False) and bool(client.integs & server.integs))
    same_group = bool(client.groups & server.groups) or (not client.groups and not server.groups)
    return Overlap(bool(client.ciphers & server.ciphers), integrity, same_group)


def ike_meets(client: Iterable[IkeProposal], server: Iterable[IkeProposal]) -> bool:
    """True when the two sides agree on an IKE SA."""
    theirs = tuple(server)
    return any(all(ike_overlap(one, other)) for one in client for other in theirs)


def child_meets(client: Iterable[ChildProposal], server: Iterable[ChildProposal]) -> bool:
    """True when the two sides agree on the first child SA; PFS does not count for it."""
    theirs = tuple(server)
    return any(all(child_overlap(one, other)[:2]) for one in client for other in theirs)


def ike_proposals_of(policies: Iterable[IkePolicy]) -> tuple[IkeProposal, ...]:
    """Windows IKE policies as proposals: those that differ in the cipher only share one."""
    boxes: dict[tuple[int, int | None, int], set[Cipher]] = {}
    for policy in policies:
        encr, key_length, prf, integ, group = ike_transforms(policy)
        boxes.setdefault((prf, integ, group), set()).add((encr, key_length))
    return tuple(
        IkeProposal(
            frozenset(ciphers),
            frozenset((prf,)),
            frozenset(() if integ is None else (integ,)),
            frozenset((group,) if group else ()),
        )
        for (prf, integ, group), ciphers in boxes.items()
    )


def child_proposals_of(policies: Iterable[ChildPolicy], ike_group: DHGroup | None) -> tuple[ChildProposal, ...]:
    """Windows child policies as proposals; PFSMM stands for the IKE SA's group."""
    return tuple(_child_proposal(policy, ike_group) for policy in policies)


def _child_proposal(policy: ChildPolicy, ike_group: DHGroup | None) -> ChildProposal:
    cipher, authentication = policy.cipher_transform_constants.value, policy.authentication_transform_constants.value
    encr = ENCR_IDS[cipher]
    if policy.pfs_group is PfsGroup.PFSMM:
        group = DH_IDS[ike_group.value] if ike_group else 0
    else:
        group = PFS_IDS[policy.pfs_group.value]
    groups = frozenset((group,) if group else ())
    if encr[0] in AEAD:
        return ChildProposal(frozenset((encr,)), frozenset(), groups)
    if authentication.startswith("GCM") and cipher == "None":
        return ChildProposal(frozenset(((_GMAC, ENCR_IDS[authentication][1]),)), frozenset(), groups)
    integ = CHILD_INTEG_IDS.get(authentication, _NO_SUCH_INTEGRITY)
    return ChildProposal(frozenset((encr,)), frozenset((integ,)), groups)


# Names of transforms that Windows has no word for (IANA's, or the usual ones).
_CIPHER_NAMES: Final[dict[Cipher, str]] = {
    **{(13, bits): f"AES_CTR_{bits}" for bits in (128, 192, 256)},
    **{
        (ident, bits): f"AES_CCM_{icv}_{bits}"
        for ident, icv in ((14, 8), (15, 12), (16, 16))
        for bits in (128, 192, 256)
    },
    **{(ident, bits): f"AES_GCM_{icv}_{bits}" for ident, icv in ((18, 8), (19, 12)) for bits in (128, 192, 256)},
    **{(_GMAC, bits): f"AES_GMAC_{bits}" for bits in (128, 192, 256)},
    **{(23, bits): f"CAMELLIA_CBC_{bits}" for bits in (128, 192, 256)},
    (7, None): "BLOWFISH",
    (28, None): "CHACHA20_POLY1305",
    (6, 128): "CAST_128",
}
_INTEG_NAMES: Final[dict[int, str]] = {
    5: "AES_XCBC_96",
    6: "HMAC_MD5_128",
    7: "HMAC_SHA1_160",
    8: "AES_CMAC_96",
    14: "HMAC_SHA2_512_256",
    _NO_SUCH_INTEGRITY: "GCM without a GCM cipher",
}
_PRF_NAMES: Final = {4: "PRF_AES128_XCBC", 7: "SHA512", 8: "PRF_AES128_CMAC"}
_GROUP_NAMES: Final = {
    5: "MODP_1536",
    15: "MODP_3072",
    16: "MODP_4096",
    17: "MODP_6144",
    18: "MODP_8192",
    21: "ECP_521",
    22: "MODP_1024_160",
    23: "MODP_2048_224",
    25: "ECP_192",
    26: "ECP_224",
    27: "ECP_224_BP",
    28: "ECP_256_BP",
    29: "ECP_384_BP",
    30: "ECP_512_BP",
    31: "CURVE_25519",
    32: "CURVE_448",
}
_CIPHER_WORDS: Final = _CIPHER_NAMES | {ident: word for word, ident in ENCR_IDS.items()}
_HASH_OF_PRF: Final = {ident: word for word, ident in PRF_IDS.items()} | _PRF_NAMES
_GROUP_WORDS: Final = _GROUP_NAMES | {ident: word for word, ident in DH_IDS.items()}
_PFS_WORDS: Final = _GROUP_NAMES | {ident: word for word, ident in PFS_IDS.items()}
_CHILD_INTEG_WORDS: Final = (
    {13: "HMAC_SHA2_384_192"} | _INTEG_NAMES | {ident: word for word, ident in CHILD_INTEG_IDS.items()}
)


def cipher_words(ciphers: Iterable[Cipher]) -> tuple[str, ...]:
    """Ciphers in Windows' words, in the order of their ids."""
    order = sorted(ciphers, key=lambda item: (item[0], item[1] or 0))
    return tuple(_CIPHER_WORDS.get(item, f"ENCR_{item[0]}" + (f"_{item[1]}" if item[1] else "")) for item in order)


def integrity_words(proposal: IkeProposal) -> tuple[str, ...]:
    """IntegrityCheckMethod in Windows' words: hash and PRF together, the PRF alone with GCM.

    A PRF that goes with no integrity algorithm of the proposal, or the reverse, has no Windows word: it is shown apart.
    """
    if proposal.is_aead:
        return tuple(_HASH_OF_PRF.get(prf, f"PRF_{prf}") for prf in sorted(proposal.prfs))
    paired = {word for word in PRF_IDS if PRF_IDS[word] in proposal.prfs and INTEG_IDS[word] in proposal.integs}
    words = [word for word in PRF_IDS if word in paired]
    names = {ident: word for word, ident in INTEG_IDS.items()} | _INTEG_NAMES
    words += [f"integrity {names.get(item, item)}" for item in sorted(proposal.integs) if names.get(item) not in paired]
    words += [
        f"PRF {_HASH_OF_PRF.get(prf, prf)}" for prf in sorted(proposal.prfs) if _HASH_OF_PRF.get(prf) not in paired
    ]
    return tuple(words)


def group_words(groups: Iterable[int]) -> tuple[str, ...]:
    """Diffie-Hellman groups of the IKE SA in Windows' words."""
    return tuple(_GROUP_WORDS.get(group, f"DH_{group}") for group in sorted(groups)) or ("None",)


def pfs_words(groups: Iterable[int]) -> tuple[str, ...]:
    """Groups of the child SA in Windows' words; no group is None."""
    return tuple(_PFS_WORDS.get(group, f"DH_{group}") for group in sorted(groups)) or ("None",)


def authentication_words(proposal: ChildProposal) -> tuple[str, ...]:
    """AuthenticationTransformConstants: with GCM the cipher's own word stands there."""
    if proposal.is_aead:
        return tuple(word.replace("AES_GMAC_", "GCMAES") for word in cipher_words(proposal.ciphers))
    return tuple(_CHILD_INTEG_WORDS.get(item, f"INTEG_{item}") for item in sorted(proposal.integs))
