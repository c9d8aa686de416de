"""What get-template shall say of every template of the lab, derived without the program: from the columns of the
built-in templates and from a table worked out by hand."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.lab.pki_directory import DATA, FOREST_OID, builtin_rows
from tests.lab.sddl import sid_text

ENROLL, AUTOENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55", "a05b8cc2-17bc-4802-a710-e7c15ab866a2"

# MS-CRTD 2.4, 2.26, 2.27, 2.28, as far as the built-in templates use them
GENERAL = {
    "ENROLLEE_SUPPLIES_SUBJECT": 0x1, "ADD_EMAIL": 0x2, "ADD_OBJ_GUID": 0x4, "PUBLISH_TO_DS": 0x8,
    "EXPORTABLE_KEY": 0x10, "AUTO_ENROLLMENT": 0x20, "MACHINE_TYPE": 0x40, "IS_CA": 0x80, "ADD_DIRECTORY_PATH": 0x100,
    "ADD_TEMPLATE_NAME": 0x200, "IS_CROSS_CA": 0x800, "DONOTPERSISTINDB": 0x1000, "IS_DEFAULT": 0x10000,
}  # fmt: skip
ENROLLMENT = {
    "INCLUDE_SYMMETRIC_ALGORITHMS": 0x1, "PEND_ALL_REQUESTS": 0x2, "PUBLISH_TO_KRA_CONTAINER": 0x4,
    "PUBLISH_TO_DS": 0x8, "AUTO_ENROLLMENT": 0x20, "ADD_OCSP_NOCHECK": 0x1000,
    "NOREVOCATIONINFOINISSUEDCERTS": 0x4000,
}  # fmt: skip
PRIVATE_KEY = {"EXPORTABLE_KEY": 0x10}
NAME = {
    "ENROLLEE_SUPPLIES_SUBJECT": 0x1, "SUBJECT_ALT_REQUIRE_DOMAIN_DNS": 0x400000,
    "SUBJECT_ALT_REQUIRE_DIRECTORY_GUID": 0x1000000, "SUBJECT_ALT_REQUIRE_UPN": 0x2000000,
    "SUBJECT_ALT_REQUIRE_EMAIL": 0x4000000, "SUBJECT_ALT_REQUIRE_DNS": 0x8000000,
    "SUBJECT_REQUIRE_DNS_AS_CN": 0x10000000, "SUBJECT_REQUIRE_EMAIL": 0x20000000,
    "SUBJECT_REQUIRE_COMMON_NAME": 0x40000000, "SUBJECT_REQUIRE_DIRECTORY_PATH": 0x80000000,
}  # fmt: skip
ENCRYPTING = {"EFS", "EFSRecovery", "CEPEncryption", "ExchangeUser", "CAExchange", "KeyRecoveryAgent"}
SIGNING = {
    "UserSignature", "ClientAuth", "CodeSigning", "CTLSigning", "EnrollmentAgent", "EnrollmentAgentOffline",
    "MachineEnrollmentAgent", "ExchangeUserSignature", "OCSPResponseSigning",
}  # fmt: skip
USERS_TYPES = {"CA": "CA", "SubCA": "CA", "CrossCA": "CrossCA"}
COMPUTERS = {
    "MachineEnrollmentAgent", "Machine", "DomainController", "WebServer", "IPSECIntermediateOnline",
    "IPSECIntermediateOffline", "OfflineRouter", "CEPEncryption", "DomainControllerAuthentication",
    "DirectoryEmailReplication", "Workstation", "RASAndIASServer", "OCSPResponseSigning", "KerberosAuthentication",
    "CAExchange",
}  # fmt: skip
SUPPORTED = {
    "1": ("Windows 2000 Server", "Windows 2000"),
    "2": ("Windows Server 2003 Enterprise Edition", "Windows XP"),
    "3": ("Windows Server 2008 Enterprise Edition", "Windows Vista"),
}


def names(bits: int, table: dict[str, int]) -> str:
    found = [name for name, bit in table.items() if bits & bit]
    assert sum(table[name] for name in found) == bits & 0xFFFFFFFF
    return ", ".join(found) or "None"


def plural(text: str) -> str:
    return text if text.endswith("s") else f"{text}s"


def split(text: str) -> list[str]:
    return text.split("|") if text else []


def builtin(row: dict[str, str]) -> dict[str, Any]:
    """Dotted property paths to values, for one row of the table of built-in templates."""
    schema, name = row["schema_version"], row["cn"]
    triplet = dict(re.findall(r"([\w-]+)`\w+`([^`]*)`", row["ra_application_policies"]))
    signers = [] if triplet else split(row["ra_application_policies"])
    return {
        "Name": name,
        "DisplayName": row["displayName"],
        "Version": f"{row['revision']}.{row['minor_revision']}",
        "SchemaVersion": int(schema),
        "AutoenrollmentAllowed": int(schema) > 1 and bool(int(row["enrollment_flag"]) & 0x20),
        "OID": f"{FOREST_OID}.{row['oid_suffix']}",
        "SupportedCA": SUPPORTED[schema][0],
        "SupportedClient": SUPPORTED[schema][1],
        "Settings.ValidityPeriod": plural(row["validity"]),
        "Settings.RenewalPeriod": plural(row["renewal"]),
        "Settings.SubjectType": USERS_TYPES.get(name) or ("Computer" if name in COMPUTERS else "User"),
        "Settings.SubjectName": names(int(row["certificate_name_flag"]) & 0xFFFFFFFF, NAME),
        "Settings.EnhancedKeyUsage": sorted(split(row["eku_oids"])),
        "Settings.ApplicationPolicies": sorted(split(row["application_policies"])),
        "Settings.Purpose": "Encryption" if name in ENCRYPTING else "Signature" if name in SIGNING
        else "EncryptionAndSignature",
        "Settings.EnrollmentOptions": names(int(row["enrollment_flag"]), ENROLLMENT),
        "Settings.GeneralFlags": names(int(row["flags"]), GENERAL),
        "Settings.CriticalExtensions": sorted(split(row["critical_extensions"])),
        "Settings.SupersededTemplates": split(row["supersedes"]),
        "Settings.PathLengthConstraint": int(row["path_length"]),
        "Settings.CAManagerApproval": bool(int(row["enrollment_flag"]) & 2),
        "Settings.Cryptography.ProviderList": [item.split(",")[1] for item in sorted(split(row["default_csps"]))],
        "Settings.Cryptography.MinimalKeyLength": int(row["min_key_size"]),
        "Settings.Cryptography.PrivateKeyOptions": names(int(row["private_key_flag"]), PRIVATE_KEY),
        "Settings.Cryptography.KeySpec": {"1": "AT_KEYEXCHANGE", "2": "AT_SIGNATURE"}[row["default_key_spec"]],
        "Settings.Cryptography.PrivateKeySecuritySDDL": triplet.get("msPKI-Key-Security-Descriptor"),
        "Settings.Cryptography.CNGKeyUsage": "SIGN" if triplet else None,
        "Settings.RegistrationAuthority.SignatureCount": int(row["ra_signature"]),
        "Settings.RegistrationAuthority.ApplicationPolicies": signers,
        "Undecodable": [],
    }  # fmt: skip


def expectations() -> dict[str, dict[str, Any]]:
    """Template name to what is expected of it."""
    table = json.loads((DATA / "golden-templates.json").read_text("utf-8"))
    found = {row["cn"]: builtin(row) for row in builtin_rows()}
    for name, own in table["templates"].items():
        found[name] = {**table["every"], **table["schema"][str(own["SchemaVersion"])], **own, "Name": name}
    return found


def actual(record: dict[str, Any], path: str) -> Any:
    """The value at a dotted path of a JSON record, in the short form of the expectations: OIDs by number, lists whose
    order the directory does not keep sorted."""
    value: Any = record
    for part in path.split("."):
        value = value[part]
    if path == "Undecodable":
        return [item["Attribute"] for item in value]
    if path == "Settings.Extensions":
        return [item["Oid"]["Value"] + "!" * item["Critical"] for item in value]
    if isinstance(value, dict):
        return value["Value"]
    if isinstance(value, list):
        short = [item["Value"] if isinstance(item, dict) else item for item in value]
        keeps_order = path.endswith(("ProviderList", "RegistrationAuthority.ApplicationPolicies"))
        return short if keeps_order else sorted(short)
    return value


def differences(record: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Path to (expected, got) of all that is not as expected."""
    wanted = expectations()[record["Name"]]
    found = {path: (value, actual(record, path)) for path, value in wanted.items()}
    return {path: pair for path, pair in found.items() if pair[0] != pair[1]}


def expected_rights(sddl: str, domain_sid: str) -> dict[tuple[str, str], set[str]]:
    """(SID, Allow or Deny) to the enrollment rights that a descriptor in SDDL speaks of."""
    found: dict[tuple[str, str], set[str]] = {}
    for ace in re.findall(r"\(([^)]*)\)", sddl.replace("{ROOTSID}", domain_sid)):
        kind, flags, rights, guid, _, sid = ace.split(";")
        if "IO" in re.findall("..", flags) or "CR" not in re.findall("..", rights):
            continue
        key = (sid_text(sid, domain_sid), "Deny" if "D" in kind else "Allow")
        every = {ENROLL: {"ENROLL"}, AUTOENROLL: {"AUTOENROLL"}, "": {"ENROLL", "AUTOENROLL"}}
        found.setdefault(key, set()).update(every[guid])
    return found


def actual_rights(record: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """The same from a JSON record."""
    found = {}
    for rule in record["Access"]:
        rights = {"ENROLL", "AUTOENROLL"} & set(rule["Rights"].split(", "))
        if rights:
            found[rule["Sid"], rule["AccessType"]] = rights
    return found
