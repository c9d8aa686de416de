"""Who may enroll: what the access lists of templates and enrollment services grant (MS-CRTD 2.5, MS-ADTS 5.1.3.3)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from uuid import UUID

from pkitools.models.directory import AccessRule, AccessType, AccountRights, TemplateRight
from pkitools.protocol.ldap.security_descriptor import (
    ACCESS_ALLOWED,
    ACCESS_ALLOWED_OBJECT,
    ACCESS_DENIED,
    ACCESS_DENIED_OBJECT,
    DS_CONTROL_ACCESS,
    DS_GENERIC_ALL,
    DS_GENERIC_EXECUTE,
    DS_GENERIC_READ,
    DS_WRITE_PROP,
    GENERIC_ALL,
    WRITE_DAC,
    WRITE_OWNER,
    Ace,
    SecurityDescriptor,
)

ENROLL = UUID("0e10c968-78fb-11d2-90d4-00c04f79dc55")
AUTOENROLL = UUID("a05b8cc2-17bc-4802-a710-e7c15ab866a2")

Token = frozenset[str]
"""The SIDs of an account: its own, its groups', and those that every logon has."""

_ALLOWED = frozenset((ACCESS_ALLOWED, ACCESS_ALLOWED_OBJECT))
_DENIED = frozenset((ACCESS_DENIED, ACCESS_DENIED_OBJECT))
_EVERYONE = "S-1-1-0"


def may(descriptor: SecurityDescriptor, token: Token, right: UUID) -> bool:
    """Whether an account has a control access right: the first entry that speaks of it decides (MS-ADTS 5.1.3.3.4).

    An entry without an object type speaks of all extended rights. Without an access list everything is allowed.
    """
    if descriptor.dacl is None:
        return True
    for ace in descriptor.dacl:
        if ace.sid in token and _speaks_of(ace, right):
            return ace.type in _ALLOWED
    return False


def account_rights(descriptor: SecurityDescriptor | None, token: Token | None) -> AccountRights:
    """Enroll and Autoenroll of one account; None for each when the list or the account's groups are not known."""
    if descriptor is None or token is None:
        return AccountRights(None, None)
    return AccountRights(may(descriptor, token, ENROLL), may(descriptor, token, AUTOENROLL))


def access_rules(descriptor: SecurityDescriptor, name_of: Callable[[str], str]) -> tuple[AccessRule, ...]:
    """The access list as principal x rights, in the order in which the principals first appear.

    Entries that count for children only, and types that neither grant nor refuse by themselves (audit, conditional),
    are left out.
    """
    if descriptor.dacl is None:
        return (AccessRule(name_of(_EVERYONE), _EVERYONE, AccessType.ALLOW, _all_rights(), False),)
    found: dict[tuple[str, AccessType], tuple[TemplateRight, bool]] = {}
    for ace in descriptor.dacl:
        rights = ace_rights(ace)
        if rights and ace.applies_here and ace.type in _ALLOWED | _DENIED:
            key = (ace.sid, AccessType.ALLOW if ace.type in _ALLOWED else AccessType.DENY)
            before, inherited = found.get(key, (TemplateRight(0), True))
            found[key] = (before | rights, inherited and ace.is_inherited)
    return tuple(
        AccessRule(name_of(sid), sid, access_type, rights, inherited)
        for (sid, access_type), (rights, inherited) in found.items()
    )


def ace_rights(ace: Ace) -> TemplateRight:
    """What one entry grants or refuses, in the words of the Security tab.

    Full control as ADSI writes it by default lacks the bit for extended rights; it is then Read and Write only, as the
    CA sees it.
    """
    return _rights(ace.mask, ace.object_type)


@functools.lru_cache(maxsize=1024)
def _rights(mask: int, object_type: UUID | None) -> TemplateRight:
    """A forest has few different entries and thousands of templates with them."""
    rights = TemplateRight(0)
    if mask & GENERIC_ALL or (mask & DS_GENERIC_ALL == DS_GENERIC_ALL and object_type is None):
        return _all_rights()
    if object_type is None:
        if mask & DS_GENERIC_READ == DS_GENERIC_READ or mask & DS_GENERIC_EXECUTE == DS_GENERIC_EXECUTE:
            rights |= TemplateRight.READ
        if mask & (WRITE_DAC | WRITE_OWNER | DS_WRITE_PROP):
            rights |= TemplateRight.WRITE
    for right, guid in ((TemplateRight.ENROLL, ENROLL), (TemplateRight.AUTOENROLL, AUTOENROLL)):
        if _grants(mask, object_type, guid):
            rights |= right
    return rights


def _speaks_of(ace: Ace, right: UUID) -> bool:
    return ace.applies_here and ace.type in _ALLOWED | _DENIED and _grants(ace.mask, ace.object_type, right)


def _grants(mask: int, object_type: UUID | None, right: UUID) -> bool:
    return bool(mask & (DS_CONTROL_ACCESS | GENERIC_ALL)) and object_type in {None, right}


def _all_rights() -> TemplateRight:
    right = TemplateRight
    return right.FULL_CONTROL | right.READ | right.WRITE | right.ENROLL | right.AUTOENROLL
