from __future__ import annotations

from pkitools.adcs.rights import access_rules, account_rights
from pkitools.models.directory import AccessType, AccountRights, TemplateRight
from pkitools.protocol.ldap.security_descriptor import SecurityDescriptor
from tests.lab.sddl import descriptor_bytes

DOMAIN = "S-1-5-21-1-2-3"
ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
AUTOENROLL = "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
OTHER = "00299570-246d-11d0-a768-00aa006e0529"
USER = frozenset({f"{DOMAIN}-1104", f"{DOMAIN}-513", "S-1-1-0", "S-1-5-11"})
ADMIN = USER | {f"{DOMAIN}-512"}
R = TemplateRight


def descriptor(aces: str) -> SecurityDescriptor:
    return SecurityDescriptor.unpack(descriptor_bytes(f"D:PAI{aces}", DOMAIN))


def rights(aces: str, token: frozenset[str] | None = USER) -> tuple[bool | None, bool | None]:
    found = account_rights(descriptor(aces), token)
    return found.enroll, found.autoenroll


def test_enroll_and_autoenroll_are_two_rights() -> None:
    assert rights(f"(OA;;CR;{ENROLL};;DU)") == (True, False)
    assert rights(f"(OA;;CR;{AUTOENROLL};;AU)") == (False, True)
    assert rights(f"(OA;;CR;{ENROLL};;DA)(OA;;CR;{AUTOENROLL};;DA)") == (False, False)


def test_all_extended_rights_count() -> None:
    assert rights("(A;;CR;;;DU)") == (True, True)
    assert rights("(A;;GA;;;DU)") == (True, True)


def test_full_control_of_the_defaults_lacks_extended_rights() -> None:
    assert rights("(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)", ADMIN) == (False, False)
    assert rights("(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DA)", ADMIN) == (True, True)


def test_an_object_entry_needs_the_extended_right_bit_and_the_right_guid() -> None:
    assert rights(f"(OA;;RPWP;{ENROLL};;DU)") == (False, False)
    assert rights(f"(OA;;CR;{OTHER};;DU)") == (False, False)


def test_the_first_entry_decides() -> None:
    assert rights(f"(OD;;CR;{ENROLL};;DU)(A;;CR;;;AU)") == (False, True)
    assert rights(f"(OA;;CR;{ENROLL};;DU)(D;;CR;;;WD)") == (True, False)
    assert rights("(D;;CR;;;DA)(A;;CR;;;AU)") == (True, True)


def test_entries_for_children_do_not_count_and_inherited_ones_do() -> None:
    assert rights("(A;CIIO;CR;;;DU)") == (False, False)
    assert rights("(A;CIID;CR;;;DU)") == (True, True)


def test_no_list_and_no_token() -> None:
    everything = SecurityDescriptor(0x8000, None, None, None)
    assert account_rights(everything, USER) == AccountRights(True, True)
    assert account_rights(everything, None) == AccountRights(None, None)
    assert account_rights(None, USER) == AccountRights(None, None)
    assert access_rules(everything, str)[0].sid == "S-1-1-0"


def test_rules_per_principal() -> None:
    read = access_rules(
        descriptor(
            f"(OD;;CR;{AUTOENROLL};;DU)(OA;;RPWPCR;{ENROLL};;DU)(OA;CIID;CR;{AUTOENROLL};;DU)"
            "(A;ID;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;EA)(A;IO;GA;;;WD)"
        ),
        {f"{DOMAIN}-513": "AD\\Domain Users"}.get,
    )
    assert [(rule.sid[-3:], rule.access_type, rule.rights, rule.is_inherited) for rule in read] == [
        ("513", AccessType.DENY, R.AUTOENROLL, False),
        ("513", AccessType.ALLOW, R.ENROLL | R.AUTOENROLL, False),
        ("512", AccessType.ALLOW, R.READ | R.WRITE, True),
        ("519", AccessType.ALLOW, R.FULL_CONTROL | R.READ | R.WRITE | R.ENROLL | R.AUTOENROLL, False),
    ]
    assert read[0].identity == "AD\\Domain Users"
