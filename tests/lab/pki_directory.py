"""The Public Key Services part of a lab forest: built-in templates with their true values, Always On VPN duplicates,
CAs in every state, OIDs, trust containers. As objects, as raw LDAP attributes, and as LDIF.

Nothing here uses the program's code: names, descriptors and periods are written down or encoded anew.
"""

from __future__ import annotations

import base64
import csv
import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zlib import crc32

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.sddl import descriptor_bytes

DATA = Path(__file__).parent.parent / "data" / "directory"
FOREST_OID = "1.3.6.1.4.1.311.21.8.1174692.16553431.10169480.13024176.3152391.57"
ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
AUTOENROLL = "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
CLIENT_AUTH, SERVER_AUTH, IKE_INTERMEDIATE = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.8.2.2"
TPM = "1,Microsoft Platform Crypto Provider"
SOFTWARE = "1,Microsoft Software Key Storage Provider"

FULL = "(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;EA)(A;;LCRPLORC;;;AU)"
CA_SDDL = f"D:AI(OA;;CR;{ENROLL};;AU)(A;OICI;CCDCLCSWRPWPDTLOSDRCWDWO;;;EA)(A;OICI;LCRPLORC;;;AU)"

Values = dict[str, list[str | bytes]]


@dataclass(frozen=True)
class DirectoryObject:
    """One object: RDNs below the configuration naming context, class, attributes, descriptor as SDDL."""

    rdns: str
    object_class: str
    attributes: Values = field(default_factory=dict)
    sddl: str | None = None

    def dn(self, config_dn: str) -> str:
        return f"{self.rdns},{config_dn}"

    def raw(self, domain_sid: str) -> dict[str, tuple[bytes, ...]]:
        """The attributes as an LDAP answer holds them."""
        found = {
            name: tuple(value if isinstance(value, bytes) else value.encode() for value in values)
            for name, values in self.attributes.items()
            if values
        }
        found["objectClass"] = (b"top", self.object_class.encode())
        if self.sddl:
            found["nTSecurityDescriptor"] = (descriptor_bytes(self.sddl, domain_sid),)
        return found

    def ldif(self, config_dn: str, domain_sid: str | None = None) -> str:
        lines = [_line("dn", self.dn(config_dn)), f"objectClass: {self.object_class}"]
        lines += [_line(name, value) for name, values in self.attributes.items() for value in values]
        if self.sddl and domain_sid:
            lines.append(_line("nTSecurityDescriptor", descriptor_bytes(self.sddl, domain_sid)))
        return "\n".join(lines) + "\n"


def _line(name: str, value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode()
    plain = raw.isascii() and raw.decode("ascii", "replace").isprintable() and raw[:1] not in (b" ", b":", b"<", b"")
    return (
        f"{name}: {raw.decode()}" if plain and not raw.endswith(b" ") else f"{name}:: {base64.b64encode(raw).decode()}"
    )


def escape_rdn(value: str) -> str:
    return "".join(f"\\{char}" if char in ',+"\\<>;=' else char for char in value)


PKS = "CN=Public Key Services,CN=Services"


# --- templates ------------------------------------------------------------------------------------------------------


def builtin_rows() -> list[dict[str, str]]:
    with (DATA / "default-templates.csv").open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def _many(text: str) -> list[str | bytes]:
    return list(text.split("|")) if text else []


def builtin_template(row: dict[str, str]) -> DirectoryObject:
    attributes: Values = {
        "cn": [row["cn"]],
        "displayName": [row["displayName"]],
        "flags": [row["flags"]],
        "revision": [row["revision"]],
        "pKIDefaultKeySpec": [row["default_key_spec"]],
        "pKIKeyUsage": [bytes.fromhex(row["key_usage_hex"])],
        "pKIMaxIssuingDepth": [row["path_length"]],
        "pKICriticalExtensions": _many(row["critical_extensions"]),
        "pKIExpirationPeriod": [bytes.fromhex(row["validity_hex"])],
        "pKIOverlapPeriod": [bytes.fromhex(row["renewal_hex"])],
        "pKIExtendedKeyUsage": _many(row["eku_oids"]),
        "pKIDefaultCSPs": _many(row["default_csps"]),
        "msPKI-RA-Signature": [row["ra_signature"]],
        "msPKI-Enrollment-Flag": [row["enrollment_flag"]],
        "msPKI-Private-Key-Flag": [row["private_key_flag"]],
        "msPKI-Certificate-Name-Flag": [row["certificate_name_flag"]],
        "msPKI-Minimal-Key-Size": [row["min_key_size"]],
        "msPKI-Template-Schema-Version": [row["schema_version"]],
        "msPKI-Template-Minor-Revision": [row["minor_revision"]],
        "msPKI-Cert-Template-OID": [f"{FOREST_OID}.{row['oid_suffix']}"],
        "msPKI-Certificate-Application-Policy": _many(row["application_policies"]),
        "msPKI-RA-Application-Policies": [row["ra_application_policies"]] if row["ra_application_policies"] else [],
        "msPKI-Supersede-Templates": _many(row["supersedes"]),
    }
    return _template_object(attributes, row["sddl"])


def _template_object(attributes: Values, sddl: str) -> DirectoryObject:
    name = attributes["cn"][0]
    assert isinstance(name, str)
    rdns = f"CN={escape_rdn(name)},CN=Certificate Templates,{PKS}"
    return DirectoryObject(rdns, "pKICertificateTemplate", attributes, sddl)


def period(hours: int) -> bytes:
    return struct.pack("<q", -hours * 36_000_000_000)


def template(
    name: str, display: str, number: int, schema: int, sddl: str, **changes: list[str | bytes]
) -> DirectoryObject:
    """An own template: a user template with client authentication, changed by ``changes`` (``_`` stands for ``-``)."""
    attributes: Values = {
        "cn": [name],
        "displayName": [display],
        "flags": ["131616"],
        "revision": ["100"],
        "pKIDefaultKeySpec": ["1"],
        "pKIKeyUsage": [b"\xa0\x00"],
        "pKIMaxIssuingDepth": ["0"],
        "pKICriticalExtensions": ["2.5.29.15"],
        "pKIExpirationPeriod": [period(8760)],
        "pKIOverlapPeriod": [period(1008)],
        "pKIExtendedKeyUsage": [CLIENT_AUTH],
        "pKIDefaultCSPs": [SOFTWARE],
        "msPKI-RA-Signature": ["0"],
        "msPKI-Enrollment-Flag": ["32"],
        "msPKI-Private-Key-Flag": ["0"],
        "msPKI-Certificate-Name-Flag": ["-2113929216"],
        "msPKI-Minimal-Key-Size": ["2048"],
        "msPKI-Template-Schema-Version": [str(schema)],
        "msPKI-Template-Minor-Revision": ["7"],
        "msPKI-Cert-Template-OID": [f"{FOREST_OID}.{number}.{number + 1}"],
        "msPKI-Certificate-Application-Policy": [CLIENT_AUTH],
    }
    for key, value in changes.items():
        attributes[key.replace("_", "-")] = value
    return _template_object(attributes, sddl)


def grant(*entries: tuple[str, str]) -> str:
    """A protected list: (right, SID placeholder) pairs, then the usual administrators and readers."""
    guids = {"enroll": ENROLL, "auto": AUTOENROLL}
    aces = []
    for right, sid in entries:
        kind, _, name = right.rpartition("-")
        if name == "all":
            aces.append(f"({'D' if kind else 'A'};;CR;;;{sid})")
        else:
            aces.append(f"({'OD' if kind else 'OA'};;CR;{guids[name]};;{sid})")
    return f"D:PAI{''.join(aces)}{FULL}"


def triplets(**settings: str | int) -> str:
    """name`type`value` of MS-CRTD 2.23.2."""
    return "".join(
        f"msPKI-{name.replace('_', '-')}`{'DWORD' if isinstance(value, int) else 'PZPWSTR'}`{value}`"
        for name, value in settings.items()
    )


ECC = triplets(Asymmetric_Algorithm="ECDSA_P256", Hash_Algorithm="SHA256", Key_Usage=2)
SIGNED = triplets(
    Asymmetric_Algorithm="RSA",
    Hash_Algorithm="SHA384",
    RA_Application_Policies="1.3.6.1.4.1.311.20.2.1,1.3.6.1.5.5.7.3.2",
    Symmetric_Algorithm="AES",
    Symmetric_Key_Length=256,
)


def own_templates(users: str = "DU", computers: str = "DC") -> list[DirectoryObject]:
    """``users`` and ``computers``: SID or SDDL name of the group that may autoenroll."""
    to_users = grant(("enroll", users), ("auto", users))
    to_machines = grant(("enroll", computers), ("auto", computers))
    closed = grant()
    return [
        template("AOVPN-User", "Always On VPN User", 1001, 4, to_users,
                 pKIDefaultCSPs=[TPM], msPKI_Private_Key_Flag=[str(0x06060000)], msPKI_Enrollment_Flag=["41"],
                 msPKI_RA_Application_Policies=[triplets(Asymmetric_Algorithm="RSA", Hash_Algorithm="SHA256")]),
        template("AOVPN-UserV2", "Always On VPN User (schema 2)", 1003, 2, to_users,
                 msPKI_Private_Key_Flag=["16"], msPKI_Supersede_Templates=["User", "AOVPN-Old"]),
        template("AOVPN-UserNoSid", "Always On VPN User without SID", 1005, 4, to_users,
                 msPKI_Enrollment_Flag=[str(0x80020)], msPKI_Private_Key_Flag=["101056512"]),
        template("AOVPN-UserSupplied", "Always On VPN User, subject supplied", 1007, 2, to_users,
                 msPKI_Certificate_Name_Flag=["1"]),
        template("AOVPN-Device", "Always On VPN Device", 1009, 3, to_machines,
                 flags=["131680"], msPKI_Certificate_Name_Flag=["402653184"],
                 msPKI_RA_Application_Policies=[ECC], msPKI_Minimal_Key_Size=["256"]),
        template("AOVPN-Server", "Always On VPN Server", 1011, 2, grant(("enroll", computers)),
                 flags=["131649"], msPKI_Certificate_Name_Flag=["1"], msPKI_Enrollment_Flag=["0"],
                 pKIExtendedKeyUsage=[SERVER_AUTH, IKE_INTERMEDIATE],
                 msPKI_Certificate_Application_Policy=[SERVER_AUTH, IKE_INTERMEDIATE]),
        template("AOVPN-NPS", "NPS-Server für VPN", 1013, 4, grant(("enroll", "RS"), ("auto", "RS")),
                 flags=["131680"], msPKI_Certificate_Name_Flag=["1207959552"],
                 msPKI_Private_Key_Flag=[str(0x05050100)], pKIExtendedKeyUsage=[SERVER_AUTH],
                 msPKI_Certificate_Application_Policy=[SERVER_AUTH], msPKI_RA_Signature=["1"],
                 msPKI_RA_Application_Policies=["1.3.6.1.4.1.311.20.2.1"]),
        template("Signed-V3", "Two signatures, archived", 1015, 3, closed,
                 msPKI_RA_Signature=["2"], msPKI_RA_Application_Policies=[SIGNED],
                 msPKI_RA_Policies=["1.2.3.4.400"], msPKI_Private_Key_Flag=["1"], msPKI_Enrollment_Flag=["66"]),
        template("Attested", "TPM-bescheinigt", 1017, 4, closed,
                 msPKI_Private_Key_Flag=[str(0x2000 | 0x800 | 0x06060000)], pKIDefaultCSPs=[TPM],
                 msPKI_Certificate_Policy=["1.2.3.4.400"], msPKI_Enrollment_Flag=[str(0x8000 | 0x1000)]),
        template("Hours", "Eight hours", 1019, 2, closed,
                 pKIExpirationPeriod=[period(8)], pKIOverlapPeriod=[period(2)]),
        template("All-Rights", "All extended rights", 1021, 2, grant(("all", users))),
        template("Denied", "Denied before granted", 1023, 2, grant(("d-enroll", users), ("all", users))),
        template("Web/Server (extern)*", "Web / Server (extern) *", 1025, 2, closed,
                 pKIExtendedKeyUsage=[SERVER_AUTH], msPKI_Certificate_Application_Policy=[SERVER_AUTH]),
        template("Köln-Übung", "Köln, Übung & mehr", 1027, 2, closed,
                 pKIDefaultCSPs=["10,Zehn", "2,Zwei", "ohne Nummer"]),
        template("VPN 😀", "VPN 😀", 1029, 4, closed, msPKI_RA_Application_Policies=[]),
    ]  # fmt: skip


def templates(users: str = "DU", computers: str = "DC") -> list[DirectoryObject]:
    return [builtin_template(row) for row in builtin_rows()] + own_templates(users, computers)


def oid_objects(objects: list[DirectoryObject]) -> list[DirectoryObject]:
    """CN=OID: one object per template of schema 2 and later, and the issuance policies of a new forest."""
    found = [
        ("1.2.3.4.400", "Low Assurance", "2", "400.0A10B0"),
        ("1.2.3.4.401", "Medium Assurance", "2", "401.0A10B1"),
    ]
    for item in objects:
        if item.attributes["msPKI-Template-Schema-Version"] != ["1"]:
            oid, name = str(item.attributes["msPKI-Cert-Template-OID"][0]), str(item.attributes["displayName"][0])
            found.append((oid, name, "1", f"{oid.rpartition('.')[2]}.{crc32(oid.encode()):032X}"))
    return [
        DirectoryObject(
            f"CN={cn},CN=OID,{PKS}",
            "msPKI-Enterprise-Oid",
            {"cn": [cn], "displayName": [name], "flags": [flags], "msPKI-Cert-Template-OID": [oid]},
        )
        for oid, name, flags, cn in found
    ]


# --- certification authorities --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabCA:
    """A CA of the lab: its certificate, how it stands in the directory, and what it publishes."""

    display_name: str
    sanitized: str
    host: str
    flags: int = 10
    issuer: str | None = "Beispiel Root CA"
    days: int = 1000
    is_trusted: bool = True
    templates: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    sddl: str = CA_SDDL


ROOT = "Beispiel Root CA"
ENDPOINTS = (
    "1\n2\n0\nhttps://ca1.ad.example.test/CES_Kerberos/service.svc/CES\n0",
    "2\n8\n1\nhttps://ca1.ad.example.test/CES_Certificate/service.svc/CES\n1",
    "1\n2\nhttps://kaputt.ad.example.test/CES",
)
CAS = (
    LabCA(
        "Köln & Partner Sub CA",
        "K!00f6ln !0026 Partner Sub CA",
        "ca1.ad.example.test",
        templates=("AOVPN-User", "AOVPN-Device", "AOVPN-Server", "AOVPN-NPS", "WebServer", "User", "VPN 😀",
                   "Web/Server (extern)*", "Köln-Übung", "All-Rights", "Denied", "Ghost-Template"),
        endpoints=ENDPOINTS,
    ),
    LabCA(
        "Example Remote Access Issuing Certification Authority 2026 G2",
        "Example Remote Access Issuing Certification Authori-35217",
        "ca2.ad.example.test",
        templates=("User", "Machine"),
    ),
    LabCA("Second CA", "Second CA", "ca1.ad.example.test", templates=("SubCA",)),
    LabCA("zentrale Zebra CA", "zentrale Zebra CA", "ca3.ad.example.test", issuer=None, templates=("Administrator",)),
    LabCA("Stale CA", "Stale CA", "gone.ad.example.test", days=-30, is_trusted=False, templates=("User",)),
    LabCA("Standalone CA", "Standalone CA", "ca4.ad.example.test", flags=5, is_trusted=False),
    LabCA(
        "Closed CA",
        "Closed CA",
        "ca5.ad.example.test",
        templates=("AOVPN-User",),
        sddl=f"D:PAI(OD;;CR;{ENROLL};;DU)(OA;;CR;{ENROLL};;AU)(A;;LCRPLORC;;;AU)",
    ),
)  # fmt: skip


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    pairs = (("2.5.4.3", common_name), ("0.9.2342.19200300.100.1.25", "ad"), ("0.9.2342.19200300.100.1.25", "example"))
    return x509.Name([x509.NameAttribute(x509.ObjectIdentifier(oid), value) for oid, value in reversed(pairs)])


@cache
def ca_certificate(subject: str, issuer: str | None, days: int, urls: tuple[str, ...] = ()) -> bytes:
    """A CA certificate in DER that ends ``days`` from now; ``urls``: CDP and AIA."""
    now = datetime.now(UTC).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer or subject))
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2000))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(_key().public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_key().public_key()), critical=False)
    )
    if urls:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(urls[0])], None, None, None)
        access = x509.AccessDescription(
            x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(urls[1])
        )
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return builder.sign(_key(), hashes.SHA256()).public_bytes(Encoding.DER)


def certificate_of(ca: LabCA) -> bytes:
    return ca_certificate(ca.display_name, ca.issuer, ca.days)


def enrollment_service(ca: LabCA) -> DirectoryObject:
    return DirectoryObject(
        f"CN={escape_rdn(ca.sanitized)},CN=Enrollment Services,{PKS}",
        "pKIEnrollmentService",
        {
            "cn": [ca.sanitized],
            "displayName": [ca.sanitized if ca.display_name.startswith("Second") else ca.display_name],
            "dNSHostName": [ca.host],
            "flags": [str(ca.flags)],
            "cACertificate": [certificate_of(ca)],
            "cACertificateDN": [f"CN={escape_rdn(ca.display_name)}, DC=ad, DC=example"],
            "certificateTemplates": list(ca.templates),
            "msPKI-Enrollment-Servers": list(ca.endpoints),
        },
        ca.sddl,
    )


def trust_objects(cas: tuple[LabCA, ...] = CAS) -> list[DirectoryObject]:
    """NTAuthCertificates, AIA, Certification Authorities and CDP."""
    root = ca_certificate(ROOT, None, 3000)
    empty: Values = {"authorityRevocationList": [b"\0"], "certificateRevocationList": [b"\0"]}
    trusted = [certificate_of(ca) for ca in cas if ca.is_trusted]
    nt_auth: Values = {"cn": ["NTAuthCertificates"], "cACertificate": list(trusted), **empty}
    found = [
        DirectoryObject(f"CN=NTAuthCertificates,{PKS}", "certificationAuthority", nt_auth),
        _anchor(ROOT, root, "Certification Authorities"),
        _anchor(ROOT, root, "AIA"),
        DirectoryObject(f"CN=ca1,CN=CDP,{PKS}", "container", {"cn": ["ca1"]}),
    ]
    found += [_anchor(ca.display_name, certificate_of(ca), "AIA") for ca in cas if ca.is_trusted]
    found += [_anchor(ca.display_name, certificate_of(ca), "Certification Authorities") for ca in cas if not ca.issuer]
    return found


def _anchor(name: str, certificate: bytes, container: str) -> DirectoryObject:
    return DirectoryObject(
        f"CN={escape_rdn(name)},CN={container},{PKS}",
        "certificationAuthority",
        {
            "cn": [name],
            "cACertificate": [certificate],
            "authorityRevocationList": [b"\0"],
            "certificateRevocationList": [b"\0"],
        },
    )


def forest(users: str = "DU", computers: str = "DC") -> list[DirectoryObject]:
    """Every object of the lab, parents before children."""
    all_templates = templates(users, computers)
    return [*oid_objects(all_templates), *all_templates, *trust_objects(), *map(enrollment_service, CAS)]


def many(templates_wanted: int, cas_wanted: int) -> list[DirectoryObject]:
    """As many further templates and CAs as asked for, for measurements."""
    base = own_templates()[0]
    found = []
    for index in range(templates_wanted):
        name = f"Bulk-{index:05d}"
        attributes: Values = {
            **base.attributes,
            "cn": [name],
            "displayName": [f"Vorlage {index} für VPN"],
            "msPKI-Cert-Template-OID": [f"{FOREST_OID}.{5000 + index}.{index}"],
        }
        found.append(replace(_template_object(attributes, base.sddl or ""), attributes=attributes))
    published = tuple(f"Bulk-{index:05d}" for index in range(min(templates_wanted, 60)))
    for index in range(cas_wanted):
        name = f"Bulk CA {index:03d}"
        found.append(enrollment_service(LabCA(name, name, f"bulk{index}.ad.example.test", templates=published)))
    return found


def to_ldif(objects: list[DirectoryObject], config_dn: str, domain_sid: str | None = None) -> str:
    """LDIF; descriptors only with a domain SID."""
    return "\n".join(item.ldif(config_dn, domain_sid) for item in objects)
