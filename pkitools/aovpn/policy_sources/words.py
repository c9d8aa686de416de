"""Transform names of strongSwan and Libreswan, in configurations and logs: every spelling to its id.

Names are folded: lower case, without ``_`` and ``-``. So one table takes ``AES_GCM_16_256`` and ``aes_gcm_c_256``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from pkitools.aovpn.proposals import AEAD, ChildProposal, Cipher, IkeProposal
from pkitools.errors import FormatError

_KEYS: Final = (128, 192, 256)
CIPHERS: Final[dict[str, Cipher]] = {
    **dict.fromkeys(("null",), (11, None)),
    **dict.fromkeys(("des", "descbc"), (2, None)),
    **dict.fromkeys(("3des", "3descbc"), (3, None)),
    **dict.fromkeys(("aes", "aescbc"), (12, 128)),
    **{f"aes{mode}{bits}": (12, bits) for bits in _KEYS for mode in ("", "cbc")},
    **{name: (13, bits) for bits in _KEYS for name in (f"aes{bits}ctr", f"aesctr{bits}")},
    **{
        name: (ident, bits)
        for bits in _KEYS
        for ident, icv, size in ((14, 8, 64), (15, 12, 96), (16, 16, 128))
        for name in (f"aes{bits}ccm{icv}", f"aes{bits}ccm{size}", f"aesccm{icv}{bits}")
    },
    **{
        name: (ident, bits)
        for bits in _KEYS
        for ident, icv, size, letter in ((18, 8, 64, "a"), (19, 12, 96, "b"), (20, 16, 128, "c"))
        for name in (f"aes{bits}gcm{icv}", f"aes{bits}gcm{size}", f"aesgcm{icv}{bits}", f"aesgcm{letter}{bits}")
    },
    **{name: (20, bits) for bits in _KEYS for name in (f"aesgcm{bits}", f"aes{bits}gcm")},
    **{name: (21, bits) for bits in _KEYS for name in (f"aes{bits}gmac", f"nullaesgmac{bits}")},
    **{name: (23, bits) for bits in _KEYS for name in (f"camellia{bits}", f"camelliacbc{bits}")},
    **dict.fromkeys(("chacha20poly1305", "chacha20poly1305256"), (28, None)),
    **dict.fromkeys(("blowfish", "blowfish128", "blowfishcbc128"), (7, None)),
    "cast128": (6, 128),
}
INTEGS: Final[dict[str, int]] = {
    **dict.fromkeys(("none",), 0),
    **dict.fromkeys(("md5", "hmacmd596", "hmacmd5"), 1),
    **dict.fromkeys(("sha", "sha1", "hmacsha196", "hmacsha1"), 2),
    **dict.fromkeys(("sha256", "sha2256", "sha2", "hmacsha2256128", "hmacsha2256"), 12),
    **dict.fromkeys(("sha384", "sha2384", "hmacsha2384192", "hmacsha2384"), 13),
    **dict.fromkeys(("sha512", "sha2512", "hmacsha2512256", "hmacsha2512"), 14),
    **dict.fromkeys(("aesxcbc", "aesxcbc96"), 5),
    **dict.fromkeys(("aescmac", "aescmac96"), 8),
}
_PRF_OF_INTEG: Final = {1: 1, 2: 2, 12: 5, 13: 6, 14: 7, 5: 4, 8: 8}
_HASHES: Final = {
    **dict.fromkeys(("md5",), 1),
    **dict.fromkeys(("sha", "sha1"), 2),
    **dict.fromkeys(("sha2", "sha256", "sha2256"), 5),
    **dict.fromkeys(("sha384", "sha2384"), 6),
    **dict.fromkeys(("sha512", "sha2512"), 7),
}
PRFS: Final[dict[str, int]] = {
    **{f"prf{name}": ident for name, ident in _HASHES.items()},
    **{f"prfhmac{name}": ident for name, ident in _HASHES.items()},
    **dict.fromkeys(("prfaesxcbc", "prfaes128xcbc"), 4),
    **dict.fromkeys(("prfaescmac", "prfaes128cmac"), 8),
}
_GROUPS_BY_NUMBER: Final = (1, 2, 5, *range(14, 33))
_SIZES: Final = {768: 1, 1024: 2, 1536: 5, 2048: 14, 3072: 15, 4096: 16, 6144: 17, 8192: 18}
GROUPS: Final[dict[str, int]] = {
    **{f"modp{size}": ident for size, ident in _SIZES.items()},
    **{name: ident for ident in _GROUPS_BY_NUMBER for name in (f"dh{ident}", f"group{ident}")},
    **dict.fromkeys(("modp1024s160", "modp1024160"), 22),
    **dict.fromkeys(("modp2048s224", "modp2048224"), 23),
    **dict.fromkeys(("modp2048s256", "modp2048256"), 24),
    "ecp192": 25,
    "ecp224": 26,
    "ecp256": 19,
    "ecp384": 20,
    "ecp521": 21,
    **{name: ident for size, ident in ((224, 27), (256, 28), (384, 29), (512, 30)) for name in (f"ecp{size}bp",)},
    **dict.fromkeys(("curve25519", "x25519"), 31),
    **dict.fromkeys(("curve448", "x448"), 32),
}
_IGNORED: Final = frozenset(("noesn", "esn", "noextseq", "extseq", "modpnone", "disabled", "enabled", "yes", "no"))


def fold(name: str) -> str:
    """A name without ``_`` and ``-`` in lower case."""
    return name.casefold().replace("_", "").replace("-", "")


@dataclass(slots=True)
class Collected:
    """The transforms of one proposal, as they are met."""

    ciphers: set[Cipher] = field(default_factory=set)
    integs: set[int] = field(default_factory=set)
    prfs: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)

    def add(self, name: str) -> None:
        """One transform by its name. Raises FormatError for one that is not known."""
        folded = fold(name)
        if folded in CIPHERS:
            self.ciphers.add(CIPHERS[folded])
        elif folded in PRFS:
            self.prfs.add(PRFS[folded])
        elif folded in GROUPS:
            self.groups.add(GROUPS[folded])
        elif folded in INTEGS:
            self.integs.add(INTEGS[folded])
        elif folded not in _IGNORED:
            raise FormatError(f"the algorithm {name[:40]!r} is not known", hint="is it spelled as strongSwan does?")

    def ike(self) -> tuple[IkeProposal, ...]:
        """IKE proposals of it: a PRF that is not named is the integrity algorithm's hash; AEAD ciphers stand apart."""
        prfs = self.prfs or {_PRF_OF_INTEG[item] for item in self.integs if item in _PRF_OF_INTEG}
        aead, classic = _split(self.ciphers)
        integs = frozenset(self.integs - {0})
        found = [IkeProposal(aead, frozenset(prfs), frozenset(), frozenset(self.groups))] if aead else []
        if classic:
            found.append(IkeProposal(classic, frozenset(prfs), integs, frozenset(self.groups)))
        return tuple(found)

    def child(self) -> tuple[ChildProposal, ...]:
        """Child proposals of it."""
        aead, classic = _split(self.ciphers)
        found = [ChildProposal(aead, frozenset(), frozenset(self.groups))] if aead else []
        if classic:
            found.append(ChildProposal(classic, frozenset(self.integs or {0}), frozenset(self.groups)))
        return tuple(found)


def _split(ciphers: Iterable[Cipher]) -> tuple[frozenset[Cipher], frozenset[Cipher]]:
    aead = frozenset(item for item in ciphers if item[0] in AEAD or item[0] == 21)
    return aead, frozenset(ciphers) - aead


def collect(names: Iterable[str]) -> Collected:
    """A proposal of its transforms' names."""
    collected = Collected()
    for name in names:
        if name.strip():
            collected.add(name.strip())
    return collected
