@{
    RootModule           = 'PkiTools.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '6f0c3b0e-3f5b-4c5e-9a3e-4b8c1f6d2a71'
    Author               = 'the pkitools authors'
    Copyright            = '(c) the pkitools authors. MIT License.'
    Description          = 'PSPKI functions for Always On VPN on Linux, macOS and Windows: TLS and SSTP servers, PFX and PEM, enterprise CAs and templates. Needs the program pkitools.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = @('Desktop', 'Core')
    FormatsToProcess     = @('PkiTools.Format.ps1xml')
    TypesToProcess       = @('PkiTools.Types.ps1xml')
    FunctionsToExport    = @(
        'Test-WebServerSSL', 'Test-IkeServer', 'Convert-PfxToPem', 'Convert-PemToPfx', 'Get-CertificateFile',
        'Get-CertificationAuthority', 'Connect-CertificationAuthority', 'Ping-ICertInterface', 'Get-CATemplate',
        'Get-CertificateTemplate', 'Get-ErrorMessage', 'Get-RasPhonebook', 'Set-RasPhonebook',
        'Get-VpnProfile', 'Compare-IPsecPolicy'
    )
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @('Get-CA', 'Connect-CA')
    PrivateData          = @{
        PSData = @{
            Tags       = @('PKI', 'ADCS', 'AlwaysOnVPN', 'SSTP', 'PFX', 'PSEdition_Core', 'PSEdition_Desktop', 'Linux', 'MacOS', 'Windows')
            LicenseUri = 'https://opensource.org/license/mit'
        }
    }
}
