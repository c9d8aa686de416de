"""Windows' names of object identifiers that certificates hold. Unknown ones are shown as numbers."""

from __future__ import annotations

from pkitools.models.certificate import Oid

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
IPSEC_IKE = "1.3.6.1.5.5.7.3.17"
IKE_INTERMEDIATE = "1.3.6.1.5.5.8.2.2"
ANY_EKU = "2.5.29.37.0"
MS_ANY_PURPOSE = "1.3.6.1.4.1.311.10.12.1"

EKU_NAMES = {
    SERVER_AUTH: "Server Authentication",
    CLIENT_AUTH: "Client Authentication",
    "1.3.6.1.5.5.7.3.3": "Code Signing",
    "1.3.6.1.5.5.7.3.4": "Secure Email",
    "1.3.6.1.5.5.7.3.5": "IP security end system",
    "1.3.6.1.5.5.7.3.6": "IP security tunnel termination",
    "1.3.6.1.5.5.7.3.7": "IP security user",
    "1.3.6.1.5.5.7.3.8": "Time Stamping",
    OCSP_SIGNING: "OCSP Signing",
    IPSEC_IKE: "IP security IKE (RFC 4945)",
    "1.3.6.1.5.2.3.5": "KDC Authentication",
    IKE_INTERMEDIATE: "IP security IKE intermediate",
    ANY_EKU: "Any Purpose",
    MS_ANY_PURPOSE: "Any Purpose",
    "1.3.6.1.4.1.311.10.3.1": "Microsoft Trust List Signing",
    "1.3.6.1.4.1.311.10.3.4": "Encrypting File System",
    "1.3.6.1.4.1.311.10.3.4.1": "File Recovery",
    "1.3.6.1.4.1.311.10.3.11": "Key Recovery",
    "1.3.6.1.4.1.311.10.3.12": "Document Signing",
    "1.3.6.1.4.1.311.20.2.1": "Certificate Request Agent",
    "1.3.6.1.4.1.311.20.2.2": "Smart Card Logon",
    "1.3.6.1.4.1.311.21.5": "Private Key Archival",
    "1.3.6.1.4.1.311.21.6": "Key Recovery Agent",
    "1.3.6.1.4.1.311.21.19": "Directory Service Email Replication",
    "1.3.6.1.4.1.311.54.1.2": "Remote Desktop Authentication",
    "1.3.6.1.4.1.311.67.1.1": "BitLocker Drive Encryption",
    "1.3.6.1.4.1.311.87": "AAD VPN client",
}

# name shown by Windows, hash
SIGNATURES = {
    "1.2.840.113549.1.1.2": ("md2RSA", "md2"),
    "1.2.840.113549.1.1.3": ("md4RSA", "md4"),
    "1.2.840.113549.1.1.4": ("md5RSA", "md5"),
    "1.2.840.113549.1.1.5": ("sha1RSA", "sha1"),
    "1.3.14.3.2.29": ("sha1RSA", "sha1"),
    "1.2.840.113549.1.1.10": ("RSASSA-PSS", ""),
    "1.2.840.113549.1.1.11": ("sha256RSA", "sha256"),
    "1.2.840.113549.1.1.12": ("sha384RSA", "sha384"),
    "1.2.840.113549.1.1.13": ("sha512RSA", "sha512"),
    "1.2.840.113549.1.1.14": ("sha224RSA", "sha224"),
    "1.2.840.10040.4.3": ("sha1DSA", "sha1"),
    "2.16.840.1.101.3.4.3.2": ("sha256DSA", "sha256"),
    "1.2.840.10045.4.1": ("sha1ECDSA", "sha1"),
    "1.2.840.10045.4.3.1": ("sha224ECDSA", "sha224"),
    "1.2.840.10045.4.3.2": ("sha256ECDSA", "sha256"),
    "1.2.840.10045.4.3.3": ("sha384ECDSA", "sha384"),
    "1.2.840.10045.4.3.4": ("sha512ECDSA", "sha512"),
    "1.3.101.112": ("Ed25519", ""),
    "1.3.101.113": ("Ed448", ""),
    "2.16.840.1.101.3.4.3.17": ("ML-DSA-44", ""),
    "2.16.840.1.101.3.4.3.18": ("ML-DSA-65", ""),
    "2.16.840.1.101.3.4.3.19": ("ML-DSA-87", ""),
}
HASHES = {
    "1.2.840.113549.2.5": "md5",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
KEYS = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.10045.2.1": "ECC",
    "1.2.840.10040.4.1": "DSA",
    "1.3.101.110": "X25519",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}
# name shown by Windows, bits
CURVES = {
    "1.2.840.10045.3.1.7": ("nistP256", 256),
    "1.3.132.0.34": ("nistP384", 384),
    "1.3.132.0.35": ("nistP521", 521),
    "1.3.132.0.33": ("nistP224", 224),
    "1.2.840.10045.3.1.1": ("nistP192", 192),
    "1.3.132.0.10": ("secP256k1", 256),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256),
    "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512),
}
EXTENSIONS = {
    "2.5.29.9": "Subject Directory Attributes",
    "2.5.29.14": "Subject Key Identifier",
    "2.5.29.15": "Key Usage",
    "2.5.29.16": "Private Key Usage Period",
    "2.5.29.17": "Subject Alternative Name",
    "2.5.29.18": "Issuer Alternative Name",
    "2.5.29.19": "Basic Constraints",
    "2.5.29.30": "Name Constraints",
    "2.5.29.31": "CRL Distribution Points",
    "2.5.29.32": "Certificate Policies",
    "2.5.29.33": "Policy Mappings",
    "2.5.29.35": "Authority Key Identifier",
    "2.5.29.36": "Policy Constraints",
    "2.5.29.37": "Enhanced Key Usage",
    "2.5.29.46": "Freshest CRL",
    "2.5.29.54": "Inhibit Any Policy",
    "1.3.6.1.5.5.7.1.1": "Authority Information Access",
    "1.3.6.1.5.5.7.1.3": "Qualified Certificate Statements",
    "1.3.6.1.5.5.7.1.24": "TLS Feature",
    "1.3.6.1.5.5.7.48.1.5": "OCSP No Revocation Checking",
    "1.3.6.1.4.1.11129.2.4.2": "SCT List",
    "1.3.6.1.4.1.311.20.2": "Certificate Template Name",
    "1.3.6.1.4.1.311.21.1": "CA Version",
    "1.3.6.1.4.1.311.21.2": "Previous CA Certificate Hash",
    "1.3.6.1.4.1.311.21.4": "Next CRL Publish",
    "1.3.6.1.4.1.311.21.7": "Certificate Template Information",
    "1.3.6.1.4.1.311.21.10": "Application Policies",
    "1.3.6.1.4.1.311.21.11": "Application Policy Mappings",
    "1.3.6.1.4.1.311.21.12": "Application Policy Constraints",
    "1.3.6.1.4.1.311.25.2": "NTDS CA Security Extension",
}
POLICIES = {
    "2.5.29.32.0": "All issuance policies",
}
# Key of an attribute in an X500 name as Windows writes it; others become OID.1.2.3.
NAME_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "S",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.13": "Description",
    "2.5.4.17": "PostalCode",
    "2.5.4.18": "POBox",
    "2.5.4.20": "Phone",
    "2.5.4.24": "X21Address",
    "2.5.4.42": "G",
    "2.5.4.43": "I",
    "2.5.4.46": "dnQualifier",
    "1.2.840.113549.1.9.1": "E",
    "0.9.2342.19200300.100.1.25": "DC",
}


def named(oid: str, *tables: dict[str, str]) -> Oid:
    """An OID with its name from the first table that knows it."""
    return Oid(oid, next((table[oid] for table in tables if oid in table), ""))
