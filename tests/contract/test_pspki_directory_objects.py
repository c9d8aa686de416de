"""The objects of Get-CertificationAuthority, Get-CATemplate and Get-CertificateTemplate: PSPKI's type names, and its
properties in its order before ours."""

from __future__ import annotations

import pytest

from pkitools.models import ca, template
from pkitools.output.records import properties

CONTRACT = {
    ca.CertificationAuthority: (
        "PKI.CertificateServices.CertificateAuthority",
        "Name DisplayName ComputerName ConfigString DistinguishedName Type IsEnterprise IsRoot OperatingSystem "
        "IsAccessible RegistryOnline ServiceStatus SetupStatus Certificate EnrollmentEndpoints",
    ),
    ca.CATemplate: ("PKI.CertificateServices.CATemplate", "Name DisplayName ComputerName Templates IsModified"),
    template.CertificateTemplate: (
        "PKI.CertificateTemplates.CertificateTemplate",
        "Name DisplayName Version SchemaVersion AutoenrollmentAllowed OID LastWriteTime DistinguishedName SupportedCA "
        "SupportedClient Settings",
    ),
    template.CertificateTemplateSettings: (
        "PKI.CertificateTemplates.CertificateTemplateSettings",
        "ValidityPeriod RenewalPeriod SubjectType SubjectName EnhancedKeyUsage CertificatePolicies Purpose "
        "Cryptography Extensions SupersededTemplates CAManagerApproval RegistrationAuthority CriticalExtensions "
        "KeyArchivalSettings EnrollmentOptions GeneralFlags",
    ),
    template.CryptographySettings: (
        "PKI.CertificateTemplates.CryptographyTemplateSettings",
        "ProviderList KeyAlgorithm HashAlgorithm MinimalKeyLength PrivateKeyOptions KeySpec KeyUsage CNGKeyUsage "
        "PrivateKeySecuritySDDL",
    ),
    template.IssuanceRequirements: (
        "PKI.CertificateTemplates.IssuanceRequirements",
        "CAManagerApproval SignatureCount ApplicationPolicy CertificatePolicies ExistingCertForRenewal",
    ),
    template.KeyArchivalOptions: (
        "PKI.CertificateTemplates.KeyArchivalOptions",
        "KeyArchival EncryptionAlgorithm KeyLength",
    ),
}


@pytest.mark.parametrize("model", CONTRACT, ids=lambda model: model.__name__)
def test_type_name_and_properties_in_pspkis_order(model: type) -> None:
    type_name, names = CONTRACT[model]
    wanted = names.split()
    assert model.PS_TYPE == type_name  # type: ignore[attr-defined]
    assert [item.name for item in properties(model)][: len(wanted)] == wanted
