"""IPsec policies in Windows' words: what Set-VpnConnectionIPsecConfiguration and the VPNv2 CSP can express.

Members are named as the PowerShell cmdlet spells them, and their values are what is shown. The spellings of the other
surfaces are in ``pkitools.aovpn.policy``, with the numbers of the wire and of rasphone.pbk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar


class EncryptionMethod(Enum):
    """Cipher of the IKE SA."""

    DES = "DES"
    DES3 = "DES3"
    AES128 = "AES128"
    AES192 = "AES192"
    AES256 = "AES256"
    GCMAES128 = "GCMAES128"
    GCMAES256 = "GCMAES256"

    @property
    def is_gcm(self) -> bool:
        """True when the cipher authenticates itself, so that IntegrityCheckMethod only names the PRF."""
        return self in (EncryptionMethod.GCMAES128, EncryptionMethod.GCMAES256)


class IntegrityCheckMethod(Enum):
    """Hash of the IKE SA: integrity algorithm and PRF, or with GCM the PRF alone."""

    MD5 = "MD5"
    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA384 = "SHA384"


class DHGroup(Enum):
    """Diffie-Hellman group of the IKE SA."""

    NONE = "None"
    GROUP1 = "Group1"
    GROUP2 = "Group2"
    GROUP14 = "Group14"
    ECP256 = "ECP256"
    ECP384 = "ECP384"
    GROUP24 = "Group24"


class CipherTransformConstants(Enum):
    """Cipher of the child SA (ESP)."""

    NONE = "None"
    DES = "DES"
    DES3 = "DES3"
    AES128 = "AES128"
    AES192 = "AES192"
    AES256 = "AES256"
    GCMAES128 = "GCMAES128"
    GCMAES192 = "GCMAES192"
    GCMAES256 = "GCMAES256"


class AuthenticationTransformConstants(Enum):
    """Integrity algorithm of the child SA; with a GCM cipher the same GCM word stands here."""

    NONE = "None"
    MD596 = "MD596"
    SHA196 = "SHA196"
    SHA256128 = "SHA256128"
    GCMAES128 = "GCMAES128"
    GCMAES192 = "GCMAES192"
    GCMAES256 = "GCMAES256"


class PfsGroup(Enum):
    """Diffie-Hellman group of the child SA's rekeying; PFSMM means the group of the IKE SA."""

    NONE = "None"
    PFS1 = "PFS1"
    PFS2 = "PFS2"
    PFS2048 = "PFS2048"
    ECP256 = "ECP256"
    ECP384 = "ECP384"
    PFSMM = "PFSMM"
    PFS24 = "PFS24"


@dataclass(frozen=True, slots=True)
class IkePolicy:
    """What IKE_SA_INIT negotiates: the part of an IPsec policy that a probe without credentials can see."""

    PS_TYPE: ClassVar[str] = "PkiTools.IkePolicy"

    encryption_method: EncryptionMethod
    integrity_check_method: IntegrityCheckMethod
    dh_group: DHGroup = field(metadata={"name": "DHGroup"})


@dataclass(frozen=True, slots=True)
class ChildPolicy:
    """What IKE_AUTH and rekeying negotiate for the traffic itself: not visible without credentials."""

    PS_TYPE: ClassVar[str] = "PkiTools.ChildPolicy"

    authentication_transform_constants: AuthenticationTransformConstants
    cipher_transform_constants: CipherTransformConstants
    pfs_group: PfsGroup


@dataclass(frozen=True, slots=True)
class IPsecPolicy:
    """A custom IPsec policy, its fields in the order in which Get-VpnConnection prints them."""

    PS_TYPE: ClassVar[str] = "PkiTools.IPsecPolicy"

    authentication_transform_constants: AuthenticationTransformConstants
    cipher_transform_constants: CipherTransformConstants
    dh_group: DHGroup = field(metadata={"name": "DHGroup"})
    integrity_check_method: IntegrityCheckMethod
    pfs_group: PfsGroup
    encryption_method: EncryptionMethod

    @property
    def ike(self) -> IkePolicy:
        """The three fields of the IKE SA."""
        return IkePolicy(self.encryption_method, self.integrity_check_method, self.dh_group)

    @property
    def child(self) -> ChildPolicy:
        """The three fields of the child SA."""
        return ChildPolicy(self.authentication_transform_constants, self.cipher_transform_constants, self.pfs_group)
