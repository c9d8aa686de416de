"""What is said of directory objects beside their meaning: values that could not be understood, principals, rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class UndecodableValue:
    """An attribute's value that is not of the form that it should be, as it was on the wire."""

    PS_TYPE: ClassVar[str] = "PkiTools.UndecodableValue"

    attribute: str
    value: bytes
    problem: str


class AccessType(Enum):
    """Whether an entry of an access list grants or refuses."""

    ALLOW = "Allow"
    DENY = "Deny"


class TemplateRight(Flag):
    """Rights on a template or an enrollment service, as the Security tab of Windows names them."""

    READ = 1
    WRITE = 2
    ENROLL = 4
    AUTOENROLL = 8
    FULL_CONTROL = 16


@dataclass(frozen=True, slots=True)
class AccessRule:
    """What the access list says of one principal: all of its entries of one type together.

    ``identity`` is ``DOMAIN\\name`` where the directory knew the SID, else the SID. ``is_inherited`` when every entry
    is.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.AccessRule"

    identity: str
    sid: str
    access_type: AccessType
    rights: TemplateRight
    is_inherited: bool


@dataclass(frozen=True, slots=True)
class AccountRights:
    """What the account in use may do by one access list; None where its groups are not known."""

    PS_TYPE: ClassVar[str] = "PkiTools.AccountRights"

    enroll: bool | None
    autoenroll: bool | None
