"""The Windows IPsec policy vocabulary: every spelling, the IKEv2 transform ids, the codes of rasphone.pbk, strongSwan's
words, the defaults of Windows and the published baselines.

Sources: Microsoft's pages of Set-VpnConnectionIPsecConfiguration and of the VPNv2 CSP (spellings); IANA's IKEv2
registry (ids); iketypes.h and ipsectypes.h of the Windows SDK (codes); strongSwan's interoperability notes (defaults);
Richard Hicks' AOVPNTools (baselines).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import Final, NamedTuple, TypeVar

from pkitools.errors import FormatError, InputError
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    ChildPolicy,
    CipherTransformConstants,
    DHGroup,
    EncryptionMethod,
    IkePolicy,
    IntegrityCheckMethod,
    IPsecPolicy,
    PfsGroup,
)

W = TypeVar("W", bound=Enum)

# Spellings of other surfaces, folded as `_fold` does, beside the members' own values. CSP: AES_GCM_128, SHA196;
# Microsoft Graph's cryptographySuite: aes128Gcm, sha2_256, sha_256_128, tripleDes; Windows SDK: CBC_DES, ECP_256.
_DES3 = ("3des", "tripledes", "cbc3des")
_SPELLINGS: dict[type[Enum], dict[str, str]] = {
    EncryptionMethod: {
        **dict.fromkeys(_DES3, "DES3"),
        **{f"aescbc{bits}": f"AES{bits}" for bits in (128, 192, 256)},
        **{f"{word}": f"GCMAES{bits}" for bits in (128, 256) for word in (f"aesgcm{bits}", f"aes{bits}gcm")},
    },
    IntegrityCheckMethod: {
        **dict.fromkeys(("sha196", "sha", "sha11"), "SHA1"),
        **{f"{word}": f"SHA{bits}" for bits in (256, 384) for word in (f"sha2{bits}", f"hmacsha{bits}")},
        "md596": "MD5",
        "sha256128": "SHA256",
        "sha384192": "SHA384",
    },
    DHGroup: {"group2048": "Group14", "modp768": "Group1", "modp1024": "Group2", "modp2048": "Group14"},
    CipherTransformConstants: {
        **dict.fromkeys(_DES3, "DES3"),
        **{f"aescbc{bits}": f"AES{bits}" for bits in (128, 192, 256)},
        **{f"{word}": f"GCMAES{bits}" for bits in (128, 192, 256) for word in (f"aesgcm{bits}", f"aes{bits}gcm")},
    },
    AuthenticationTransformConstants: {
        "md5": "MD596",
        **dict.fromkeys(("sha1", "sha"), "SHA196"),
        **dict.fromkeys(("sha256", "sha2256", "hmacsha256128"), "SHA256128"),
        **{f"{word}": f"GCMAES{bits}" for bits in (128, 192, 256) for word in (f"aesgcm{bits}", f"aes{bits}gcm")},
    },
    PfsGroup: {"pfs14": "PFS2048", "mm": "PFSMM", "pfsecp256": "ECP256", "pfsecp384": "ECP384"},
}


def _fold(text: str) -> str:
    return "".join(c for c in text.casefold() if c not in "_- \t")


def _words(kind: type[W]) -> dict[str, W]:
    own = {_fold(str(member.value)): member for member in kind}
    by_value = {member.value: member for member in kind}
    return own | {spelling: by_value[value] for spelling, value in _SPELLINGS[kind].items()}


_WORDS: dict[type[Enum], dict[str, Enum]] = {kind: dict(_words(kind)) for kind in _SPELLINGS}


def word(kind: type[W], text: str) -> W:
    """The member of ``kind`` that ``text`` spells, in any surface's spelling and any case.

    Raises FormatError for a word outside the vocabulary (``Group19``, ``SHA512``); the hint lists what Windows takes.
    """
    member = _WORDS[kind].get(_fold(text))
    if not isinstance(member, kind):
        accepted = ", ".join(str(item.value) for item in kind)
        raise FormatError(f"{text.strip()!r} is not a {kind.__name__} that Windows knows", hint=f"use {accepted}")
    return member


# rasphone.pbk, CustomIPSecPolicies: the number that stands for each word. IKEEXT_INTEGRITY_TYPE, IKEEXT_CIPHER_TYPE,
# IKEEXT_DH_GROUP, IPSEC_CIPHER_CONFIG_*, IPSEC_AUTH_CONFIG_*, IPSEC_PFS_GROUP of the Windows SDK.
_CODES: Final[dict[type[Enum], tuple[str | None, ...]]] = {
    IntegrityCheckMethod: ("MD5", "SHA1", "SHA256", "SHA384"),
    EncryptionMethod: ("DES", "DES3", "AES128", "AES192", "AES256", "GCMAES128", "GCMAES256"),
    DHGroup: ("None", "Group1", "Group2", "Group14", "ECP256", "ECP384", "Group24"),
    CipherTransformConstants: (
        *(None, "DES", "DES3", "AES128", "AES192", "AES256", "GCMAES128", "GCMAES192", "GCMAES256"),
    ),
    AuthenticationTransformConstants: ("MD596", "SHA196", "SHA256128", "GCMAES128", "GCMAES192", "GCMAES256"),
    PfsGroup: ("None", "PFS1", "PFS2", "PFS2048", "ECP256", "ECP384", "PFSMM", "PFS24"),
}
# The codes seen in phonebooks of real Windows that somebody published; the others follow the SDK's enumeration.
_SEEN: Final[dict[type[Enum], frozenset[int]]] = {
    IntegrityCheckMethod: frozenset((2, 3)),
    EncryptionMethod: frozenset((2, 4, 6)),
    DHGroup: frozenset((2, 3, 5)),
    CipherTransformConstants: frozenset((3, 5, 8)),
    AuthenticationTransformConstants: frozenset((2, 5)),
    PfsGroup: frozenset((0, 3, 5)),
}


def word_of_code(kind: type[W], code: int) -> W | None:
    """The member that ``code`` stands for in rasphone.pbk, None for a number that no enumeration of the SDK names."""
    names = _CODES[kind]
    name = names[code] if 0 <= code < len(names) else None
    return None if name is None else kind(name)


def code_of(member: Enum) -> int | None:
    """The number of a member in rasphone.pbk; None where none is known (cipher None, authentication None)."""
    names = _CODES[type(member)]
    return names.index(member.value) if member.value in names else None


def code_was_seen(kind: type[Enum], code: int) -> bool:
    """True when a phonebook of a real Windows proves the meaning; otherwise it rests on the SDK's enumeration."""
    return code in _SEEN[kind]


class IkeTransforms(NamedTuple):
    """Transform ids of one IKE policy (IANA "Transform Type" 1 to 4). ``integ`` is None with GCM: RFC 7296 3.3.

    ``key_length`` is in bits and None for ciphers of fixed length, whose proposal carries no key length attribute.
    """

    encr: int
    key_length: int | None
    prf: int
    integ: int | None
    dh: int


ENCR_IDS: Final[dict[str, tuple[int, int | None]]] = {
    "None": (11, None),  # ENCR_NULL
    "DES": (2, None),
    "DES3": (3, None),
    "AES128": (12, 128),
    "AES192": (12, 192),
    "AES256": (12, 256),
    "GCMAES128": (20, 128),  # 16-byte ICV
    "GCMAES192": (20, 192),
    "GCMAES256": (20, 256),
}
PRF_IDS: Final = {"MD5": 1, "SHA1": 2, "SHA256": 5, "SHA384": 6}
INTEG_IDS: Final = {"MD5": 1, "SHA1": 2, "SHA256": 12, "SHA384": 13}
DH_IDS: Final = {"None": 0, "Group1": 1, "Group2": 2, "Group14": 14, "ECP256": 19, "ECP384": 20, "Group24": 24}
CHILD_INTEG_IDS: Final = {"None": 0, "MD596": 1, "SHA196": 2, "SHA256128": 12}
PFS_IDS: Final = {"None": 0, "PFS1": 1, "PFS2": 2, "PFS2048": 14, "ECP256": 19, "ECP384": 20, "PFS24": 24}


def ike_transforms(policy: IkePolicy) -> IkeTransforms:
    """The transform ids by which a Windows IKE policy travels in IKE_SA_INIT."""
    encr, key_length = ENCR_IDS[policy.encryption_method.value]
    hash_name = policy.integrity_check_method.value
    integ = None if policy.encryption_method.is_gcm else INTEG_IDS[hash_name]
    return IkeTransforms(encr, key_length, PRF_IDS[hash_name], integ, DH_IDS[policy.dh_group.value])


# Every IKE policy that Windows can express: 7 ciphers x 4 hashes x 6 groups (DHGroup None negotiates nothing).
WINDOWS_IKE_POLICIES: Final[tuple[IkePolicy, ...]] = tuple(
    IkePolicy(encryption, integrity, group)
    for encryption, integrity, group in product(EncryptionMethod, IntegrityCheckMethod, DHGroup)
    if group is not DHGroup.NONE
)
_BY_TRANSFORMS: Final = {ike_transforms(policy): policy for policy in WINDOWS_IKE_POLICIES}


def ike_policy_of(transforms: IkeTransforms) -> IkePolicy | None:
    """The Windows IKE policy with these ids, None when Windows has no words for them."""
    return _BY_TRANSFORMS.get(transforms)


_SWAN_CIPHERS: Final = {
    "None": "null",
    "DES": "des",
    "DES3": "3des",
    **{f"AES{bits}": f"aes{bits}" for bits in (128, 192, 256)},
    **{f"GCMAES{bits}": f"aes{bits}gcm16" for bits in (128, 192, 256)},
}
_SWAN_GROUPS: Final = {
    1: "modp768",
    2: "modp1024",
    14: "modp2048",
    19: "ecp256",
    20: "ecp384",
    24: "modp2048s256",
}


def swan_ike_proposal(policy: IkePolicy) -> str:
    """The policy as strongSwan writes it: ``aes256-sha256-modp2048``, ``aes128gcm16-prfsha256-ecp256``."""
    cipher = _SWAN_CIPHERS[policy.encryption_method.value]
    hash_name = policy.integrity_check_method.value.lower()
    integrity = f"prf{hash_name}" if policy.encryption_method.is_gcm else hash_name
    return f"{cipher}-{integrity}-{_SWAN_GROUPS[DH_IDS[policy.dh_group.value]]}"


def swan_esp_proposal(policy: ChildPolicy, dh_group: DHGroup = DHGroup.NONE) -> str:
    """The child policy as strongSwan writes it; ``dh_group`` is the IKE SA's, which PFSMM stands for."""
    cipher = policy.cipher_transform_constants
    words = [_SWAN_CIPHERS[cipher.value]]
    if cipher.value not in ("GCMAES128", "GCMAES192", "GCMAES256"):
        hashes = {"MD596": "md5", "SHA196": "sha1", "SHA256128": "sha256"}
        words += [hashes[name] for name in (policy.authentication_transform_constants.value,) if name in hashes]
    group = DH_IDS[dh_group.value] if policy.pfs_group is PfsGroup.PFSMM else PFS_IDS[policy.pfs_group.value]
    return "-".join(words + ([_SWAN_GROUPS[group]] if group else []))


@dataclass(frozen=True, slots=True)
class NamedPolicies:
    """A default of Windows or a published baseline: every IKE policy and child policy that it offers or accepts.

    ``policy`` is the one custom policy of a baseline, None for a default, which is a set.
    """

    name: str
    description: str
    ike: tuple[IkePolicy, ...]
    child: tuple[ChildPolicy, ...]
    policy: IPsecPolicy | None = None


def _default(name: str, description: str, ciphers: Iterable[EncryptionMethod]) -> NamedPolicies:
    hashes = (IntegrityCheckMethod.SHA1, IntegrityCheckMethod.SHA256, IntegrityCheckMethod.SHA384)
    esp = (CipherTransformConstants(cipher) for cipher in ("AES256", "AES128", "DES3", "DES", "None"))
    return NamedPolicies(
        name,
        description,
        tuple(IkePolicy(cipher, digest, DHGroup.GROUP2) for cipher, digest in product(ciphers, hashes)),
        tuple(ChildPolicy(AuthenticationTransformConstants.SHA196, cipher, PfsGroup.NONE) for cipher in esp),
    )


def _baseline(name: str, description: str, policy: IPsecPolicy) -> NamedPolicies:
    return NamedPolicies(name, description, (policy.ike,), (policy.child,), policy)


_CBC = (EncryptionMethod.DES3, EncryptionMethod.AES128, EncryptionMethod.AES192, EncryptionMethod.AES256)
_GCM = (EncryptionMethod.GCMAES128, EncryptionMethod.GCMAES256)

BASELINES: Final[dict[str, NamedPolicies]] = {
    item.name: item
    for item in (
        _default("windows-default", "Windows 7 to 10 without a custom policy: 12 IKE policies, Group2 only", _CBC),
        _default(
            "windows11-default", "Windows 11 without a custom policy: 18 IKE policies, Group2 only", (*_CBC, *_GCM)
        ),
        _baseline(
            "aovpn-standard",
            "the standard security baseline of AOVPNTools",
            IPsecPolicy(
                AuthenticationTransformConstants.SHA256128,
                CipherTransformConstants.AES128,
                DHGroup.GROUP14,
                IntegrityCheckMethod.SHA256,
                PfsGroup.PFS2048,
                EncryptionMethod.AES128,
            ),
        ),
        _baseline(
            "aovpn-enhanced",
            "the enhanced security baseline of AOVPNTools (Windows 10 1803 or later)",
            IPsecPolicy(
                AuthenticationTransformConstants.GCMAES128,
                CipherTransformConstants.GCMAES128,
                DHGroup.GROUP14,
                IntegrityCheckMethod.SHA256,
                PfsGroup.ECP256,
                EncryptionMethod.GCMAES128,
            ),
        ),
    )
}


def baseline(name: str) -> NamedPolicies:
    """The default or baseline called ``name``, in any case. Raises InputError with the known names as the hint."""
    found = BASELINES.get(name.strip().lower())
    if found is None:
        raise InputError(f"there is no baseline {name!r}", hint=f"known: {', '.join(BASELINES)}")
    return found
