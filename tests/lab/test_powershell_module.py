"""PSPKI's script lines in a real PowerShell, unchanged, against the lab: each with what it must give.

The lines are PSPKI's documented examples that do not write to Windows, lines that stand in public scripts, and our own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.contract.pspki_parameters import GET_COMMAND, MODULE, bindings, flat, pspki, read_module, unexplained
from tests.lab.powershell_lab import CA_SANITIZED, PowerShellLab

pytestmark = [pytest.mark.lab, pytest.mark.pwsh, pytest.mark.usefixtures("kerberos_library")]

SECRET = "Gehéim 🔑 $`\"' 1"
FILES = """
$certificate = [Security.Cryptography.X509Certificates.CertificateRequest]::new(
    'CN=Zo\u00eb VPN, O=B\u00fcro \U0001f511',
    [Security.Cryptography.RSA]::Create(2048), 'SHA256', [Security.Cryptography.RSASignaturePadding]::Pkcs1
    ).CreateSelfSigned([datetime]::UtcNow.AddDays(-1), [datetime]::UtcNow.AddDays(90))
[IO.File]::WriteAllBytes('{folder}/foo.pfx', $certificate.Export('Pfx', '{secret}'))
[IO.File]::WriteAllText('{folder}/ssl.crt', $certificate.ExportCertificatePem())
[IO.File]::WriteAllText('{folder}/ssl.key', $certificate.PrivateKey.ExportPkcs8PrivateKeyPem())
[IO.File]::WriteAllText('{folder}/ssl.pem',
    $certificate.ExportCertificatePem() + "`n" + $certificate.PrivateKey.ExportPkcs8PrivateKeyPem())
"""
DRIVE = """
$null = New-PSDrive -Name C -PSProvider FileSystem -Root '{folder}'
$cert = [Security.Cryptography.X509Certificates.X509Certificate2]::new('{folder}/foo.pfx', '{secret}', 'Exportable')
Get-ChildItem '{folder}' -Filter 'out*' | Remove-Item
Set-Location C:
$pwd = $mypwd = $Password = ConvertTo-SecureString -AsPlainText -Force '{secret}'
"""


@dataclass(frozen=True)
class Line:
    """A line as it stands in a script; ``check`` looks at $result, the line's output, or its variables."""

    line: str
    check: str
    expected: tuple[str, ...]


COMPANY = ("RootCa|ca01.company.com|Enterprise Root CA",)
CA_CHECK = '$result | ForEach-Object { "$($_.DisplayName)|$($_.ComputerName)|$($_.Type)" }'
PEM_CHECK = (
    "Get-ChildItem out* | ForEach-Object { $_.Name; (Get-Content $_.FullName | Select-String -- '-----BEGIN') -join ''"
    "; $_.UnixMode }; $result.Count"
)
PKCS8 = "-----BEGIN PRIVATE KEY----------BEGIN CERTIFICATE-----"
PKCS1 = "-----BEGIN RSA PRIVATE KEY----------BEGIN CERTIFICATE-----"
MODE = "-rw-------"
TLS_CHECK = (
    '$result | ForEach-Object { "$($_.OriginalUri)|$($_.CertificateIsValid)|$($_.NameMatch)|'
    '$($_.Certificate.GetType().Name)|$($_.Certificate.Thumbprint.Length)" }'
)
PFX_CHECK = '$found = if ($cert2) { $cert2 } else { $result[0] }; "$($found.GetType().Name)|$($found.HasPrivateKey)|$($found.Subject)"'
PFX = ("X509Certificate2|True|CN=Zoë VPN, O=Büro 🔑",)


def tls(name: str, valid: bool = True, port: str = "") -> str:
    return f"https://{name}{port}/|{valid}|True|X509Certificate2|40"


LINES = (
    # Test-WebServerSSL: both documented examples, the line in the wild, ours
    Line("Test-WebServerSSL -URL login.live.com", TLS_CHECK, (tls("login.live.com"),)),
    Line(
        'Test-WebServerSSL -url paypal.com -Proxy "http://proxy.company.com:8080" -Timeout 20000',
        TLS_CHECK,
        (tls("paypal.com"),),
    ),
    Line(
        "[pscustomobject]@{Name='login.live.com'} | ForEach-Object { Test-WebServerSSL -URL $_.Name | Select OriginalURi, "
        'CertificateIsValid, Issuer, @{N="Expires";E={$_.Certificate.NotAfter}}, @{N="DaysTillExpire";'
        "E={(New-TimeSpan -Start (Get-Date) -End ($_.Certificate.NotAfter)).Days}} }",
        "$result.CertificateIsValid; $result.Issuer; $result.DaysTillExpire -in 363..365; $result.Expires.GetType().Name",
        ("True", "CN=Lab Issuing CA, O=Büro 🔑", "True", "DateTime"),
    ),
    Line(
        "'login.live.com', 'paypal.com', 'sstp401.lab.test', 'nothing404.lab.test' | Test-WebServerSSL | Sort-Object OriginalUri",
        TLS_CHECK,
        (tls("login.live.com"), tls("nothing404.lab.test"), tls("paypal.com"), tls("sstp401.lab.test")),
    ),
    Line(
        "Test-WebServerSSL login.live.com 8443 -UseUserContext",
        TLS_CHECK
        + "; $result.UserContext; @($result.ErrorInformation.Status) -contains 'NotTimeValid'; \"$($result.ErrorInformation[0])\"",
        (tls("login.live.com", False, ":8443"), "True", "True", "NotTimeValid"),
    ),
    Line(
        "Test-WebServerSSL login.live.com",
        "$result.SubjectAlternativeNames[0]; $result.Pkcs7Chain.Count; $result.Pkcs7Chain[1].Subject; "
        "$result.Certificate.Extensions['2.5.29.37'].EnhancedKeyUsages.Value; $result.Certificate.PublicKey.Oid.FriendlyName",
        ("DNS Name=login.live.com", "2", "CN=Lab Issuing CA, O=Büro 🔑", "1.3.6.1.5.5.7.3.1", "RSA"),
    ),
    Line(
        "Test-WebServerSSL login.live.com | Export-Clixml out.xml; $back = Import-Clixml out.xml",
        "$back.Certificate.GetType().Name; $back.Certificate.Verify(); $back.CertificateIsValid",
        ("X509Certificate2", "True", "True"),
    ),
    # Convert-PfxToPem: the documented examples with files, a certificate object, lines in the wild
    Line(
        "Convert-PfxToPem -InputPath C:\\foo.pfx -Password $pwd -OutputPath C:\\out.pem",
        PEM_CHECK,
        ("out.pem", PKCS8, MODE, "0"),
    ),
    Line(
        "Convert-PfxToPem -InputPath .\\foo.pfx -Password $pwd -OutputPath .\\out.pem -OutputType Pkcs1",
        PEM_CHECK,
        ("out.pem", PKCS1, MODE, "0"),
    ),
    Line(
        "Convert-PfxToPem -Certificate $cert -OutputFile .\\out.pem -IncludeChain",
        PEM_CHECK,
        ("out.pem", PKCS8, MODE, "0"),
    ),
    Line(
        "Convert-PfxToPem -InputFile C:\\foo.pfx -Password $pwd -OutputFile C:\\out.pem -OutputType Pkcs1 -Verbose",
        PEM_CHECK,
        ("out.pem", PKCS1, MODE, "0"),
    ),
    Line(
        '$pfxpath = "C:\\foo.pfx"; $pempath = "C:\\out.pem"; '
        'Convert-PfxToPem -InputFile "$pfxpath" -Password $mypwd -OutputFile "$pempath"',
        PEM_CHECK,
        ("out.pem", PKCS8, MODE, "0"),
    ),
    Line("Convert-PfxToPem foo.pfx $mypwd out.pem pkcs1", PEM_CHECK, ("out.pem", PKCS1, MODE, "0")),
    # Convert-PemToPfx
    Line(
        "Convert-PemToPfx -InputPath C:\\ssl.pem -OutputPath C:\\out.pfx -Password $pwd",
        PFX_CHECK + "; (Get-Item out.pfx).UnixMode",
        (*PFX, MODE),
    ),
    Line(
        "Convert-PemToPfx -InputPath C:\\ssl.crt -KeyPath C:\\ssl.key -OutputPath C:\\out.pfx -Password $pwd",
        PFX_CHECK + "; (Get-PfxCertificate out.pfx -Password $pwd).Thumbprint -eq $cert.Thumbprint",
        (*PFX, "True"),
    ),
    Line(
        "$clientCert = Get-Item ssl.crt; $clientKey = 'ssl.key'; $p12CertPath = './out.p12'; "
        "$cert2=Convert-PemToPfx -InputPath $clientCert.FullName -KeyPath $clientKey -OutputPath $p12CertPath -Password $password",
        PFX_CHECK + "; $result.Count",
        (*PFX, "0"),
    ),
    Line("Convert-PemToPfx -CertPath ssl.pem", PFX_CHECK + "; @(Get-ChildItem out*).Count", (*PFX, "0")),
    Line(
        "Convert-PemToPfx ssl.pem -KeySpec AT_SIGNATURE -ProviderName 'Microsoft Enhanced RSA and AES Cryptographic Provider' "
        "-StoreLocation LocalMachine -OutputPath out.pfx -Password $pwd | Out-Null; Get-CertificateFile out.pfx -Password $pwd",
        "$result.Keys.KeySpec; $result.Keys.Provider",
        ("AT_SIGNATURE", "Microsoft Enhanced RSA and AES Cryptographic Provider"),
    ),
    # Get-CertificationAuthority and Connect-CertificationAuthority
    Line(
        "Get-CertificationAuthority",
        "$result.Count; $result[0].pstypenames[0]; ($result | Where-Object Name -eq RootCa).Certificate.GetType().Name",
        ("8", "PKI.CertificateServices.CertificateAuthority", "X509Certificate2"),
    ),
    Line('Get-CertificationAuthority -Name "RootCa"', CA_CHECK, COMPANY),
    Line('Get-CertificationAuthority "ca01*"', CA_CHECK, COMPANY),
    Line(
        "Get-CertificationAuthority -Standalone",
        CA_CHECK,
        ("Standalone CA|ca4.ad.example.test|Standalone Subordinate CA",),
    ),
    Line(
        "Get-CertificationAuthority -Enterprise",
        "$result.Count; $result.IsEnterprise | Select-Object -Unique",
        ("7", "True"),
    ),
    Line(
        "Get-CertificationAuthority -ComputerName ca01.company.com | Format-List *",
        "($result | Out-String) -match 'ConfigString\\s+: ca01.company.com.RootCa'",
        ("True",),
    ),
    Line(
        "Get-CertificationAuthority | select Name,Enroll* | Format-List *",
        "($result | Out-String) -match 'CES_Kerberos'",
        ("True",),
    ),
    Line(
        "$ca = Get-CertificationAuthority RootCa* -ErrorAction Stop; $ca = Get-CA -Name RootCa -ErrorAction Stop; "
        "$ca.ServiceStatus; $ca.Name",
        "$result",
        ("Unknown", "RootCa"),
    ),
    Line(
        "Get-CA -Name 'K*ln*'",
        "$result.Name; $result.ConfigString; $result.DisplayName; $result.SetupStatus -eq $null",
        (CA_SANITIZED, f"ca1.ad.example.test\\{CA_SANITIZED}", "Köln & Partner Sub CA", "True"),
    ),
    Line(
        "Get-CertificationAuthority -Name RootCa | Where-Object { $_.Certificate.NotAfter -gt (Get-Date) }",
        "$result.Certificate.NotAfter.Kind",
        ("Local",),
    ),
    Line("Get-CertificationAuthority -Name 'no such CA'", "$result.Count", ("0",)),
    Line(
        "$caHost = 'ca01.company.com'; $ca = Connect-CertificationAuthority -ComputerName $caHost",
        "$ca.Name",
        ("RootCa",),
    ),
    Line(
        "Connect-CertificationAuthority -ErrorAction Stop | Select-Object -ExpandProperty ComputerName",
        "$result",
        ("ca01.company.com",),
    ),
    Line("[pscustomobject]@{ComputerName='ca01.company.com'} | Connect-CA", CA_CHECK, COMPANY),
    # Ping-ICertInterface
    Line(
        "Get-CertificationAuthority | Ping-ICertInterface",
        "$result.Count; $result | Where-Object ICertRequest | ForEach-Object { $_.ConfigString; $_.ICertAdmin }",
        ("8", f"ca1.ad.example.test\\{CA_SANITIZED}", "True"),
    ),
    Line(
        f"Ping-ICertInterface 'ca1.ad.example.test\\{CA_SANITIZED}'",
        "@($result[0].psobject.Properties.Name)[0..2]; $result.ICertRequest",
        ("ConfigString", "ICertAdmin", "ICertRequest", "True"),
    ),
    Line(
        f"Ping-ICertInterface -CA ([pscustomobject]@{{ConfigString='ca1.ad.example.test\\{CA_SANITIZED}'}})",
        "$result.ICertAdmin",
        ("True",),
    ),
    # Get-CATemplate and Get-CertificateTemplate
    Line(
        "Get-CertificationAuthority -Name 'K*ln*' | Get-CATemplate",
        "$result[0].pstypenames[0]; 'Ghost-Template' -in $result.MissingTemplates; 'VPN 😀' -in $result.Templates.Name",
        ("PKI.CertificateServices.CATemplate", "True", "True"),
    ),
    Line(
        "$ca = Get-CA -Name RootCa; $ca | Get-CATemplate | ForEach-Object { $_.Templates } | Select-Object Name, DisplayName, OID",
        '$result | ForEach-Object { "$($_.Name)|$($_.DisplayName)|$($_.OID.FriendlyName)" }',
        ("User|User|User", "WebServer|Web Server|Web Server"),
    ),
    Line(
        "Get-CertificateTemplate",
        "$result[0].pstypenames[0]; $result.Count -gt 30",
        ("PKI.CertificateTemplates.CertificateTemplate", "True"),
    ),
    Line("Get-CertificateTemplate -DisplayName Computer", "$result.Name; $result.SchemaVersion", ("Machine", "1")),
    Line("Get-CertificateTemplate -Name WebServer, CrossCA", "$result.Name | Sort-Object", ("CrossCA", "WebServer")),
    Line(
        '$oid = (Get-CertificateTemplate -Name "WebServer").Oid.Value; Get-CertificateTemplate -OID $oid',
        "$result.DisplayName; $result.OID.Value -eq $oid; $result.Settings.SubjectType",
        ("Web Server", "True", "Computer"),
    ),
    Line(
        "(Get-CertificateTemplate -Name WebServer) | Foreach-Object { $template=$_; $template.Oid.Value } | Format-List",
        "($result | Out-String).Trim() -match '^1\\.3\\.6\\.1\\.4\\.1\\.311\\.21\\.8\\.[\\d.]+$'",
        ("True",),
    ),
    # Get-ErrorMessage
    Line("Get-ErrorMessage 0x80070005", "$result[0].Substring(0, 16)", ("Access is denied",)),
    Line("Get-ErrorMessage -ErrorCode 5", "$result[0].Substring(0, 16)", ("Access is denied",)),
    Line(
        "Get-ErrorMessage 2147942405",
        "$result[0].Substring(0, 16); $result[0].GetType().Name",
        ("Access is denied", "String"),
    ),
    Line("Get-ErrorMessage -2147024891", "$result[0].Substring(0, 16)", ("Access is denied",)),
    Line("Get-ErrorMessage '0x80070005'", "$result[0].Substring(0, 16)", ("Access is denied",)),
)


@pytest.fixture(scope="module")
def lab(powershell_lab: PowerShellLab) -> Iterator[PowerShellLab]:
    before = powershell_lab.preamble
    settings = {"folder": str(powershell_lab.folder), "secret": SECRET.replace("'", "''")}
    powershell_lab.output(FILES.format(**settings))
    powershell_lab.preamble = before + DRIVE.format(**settings)
    yield powershell_lab
    powershell_lab.preamble = before


@pytest.mark.parametrize("case", LINES, ids=[re.sub(r"[^ -~]", "", item.line)[:60] for item in LINES])
def test_lines_run_unchanged(lab: PowerShellLab, case: Line) -> None:
    script = f"$result = @(. {{ {case.line} }})\n{case.check}"
    assert tuple(lab.output(script)) == case.expected


def test_there_are_forty_lines():
    assert len({item.line for item in LINES}) >= 40


def test_get_command_is_pspkis_but_for_the_listed_deviations(lab: PowerShellLab) -> None:
    ours = json.loads(str(lab.output(GET_COMMAND)[0]))
    assert unexplained(pspki(), ours) == ({}, [])
    assert {name: flat(item) for name, item in ours.items()} == {
        name: flat(item) for name, item in read_module().items()
    }, "PowerShell and the syntax tree read the same tables"


def test_the_module_passes_powershells_own_checks(lab: PowerShellLab) -> None:
    script = f"""
        $errors = $null; $tokens = $null
        $null = [Management.Automation.Language.Parser]::ParseFile('{MODULE}', [ref] $tokens, [ref] $errors)
        $errors.Count
        (Test-ModuleManifest '{MODULE.with_suffix(".psd1")}').ExportedFunctions.Count -eq (Get-Command -Module PkiTools -CommandType Function).Count
        $verbs = (Get-Verb).Verb
        @(Get-Command -Module PkiTools -CommandType Function | Where-Object Verb -notin $verbs).Count
        foreach ($command in Get-Command -Module PkiTools -CommandType Function) {{
            $help = Get-Help $command.Name -Full
            if (-not $help.Description -and -not $help.Synopsis) {{ "$command has no synopsis" }}
            if (-not $help.examples) {{ "$command has no example" }}
            Get-Help $command.Name -Parameter * | Where-Object {{ -not $_.description -and $_.name -notin 'WhatIf', 'Confirm' }} |
                ForEach-Object {{ "$command -$($_.name) has no help" }}
        }}"""
    assert lab.output(script) == ["0", "True", "0"]


# how the lines of PSPKI's own table bind here; the others differ by a listed deviation
BINDING = {
    "Convert-PfxToPem -InputFile a.pfx -OutputFile key.pem Pkcs8": "ParameterArgumentTransformationError",
    "Convert-PfxToPem -InputFile a.pfx -Password 'text' -OutputFile b.pem": "ParameterArgumentTransformationError",
    "Convert-PemToPfx a b": "PositionalParameterNotFound",
    "Convert-PemToPfx a -KeySpec Exchange": "ParameterArgumentValidationError",
    "Test-WebServerSSL a 0": "ParameterArgumentValidationError",
    "Get-CA -Name a -ComputerName b": "AmbiguousParameterSet",
    "Get-CertificateTemplate WebServer": "PositionalParameterNotFound",
    "'a' | Get-CA": "InputObjectNotBound",
}


def test_what_pspki_refuses_to_bind_is_refused_for_the_same_reason(lab: PowerShellLab) -> None:
    known = {item["line"]: item["result"] for item in bindings()}
    for line, error in BINDING.items():
        answer = lab.run(line)
        found = [answer["thrown"]["id"]] if answer["thrown"] else [item["id"] for item in answer["errors"]]
        assert found[0].split(",")[0] == error, line
        if line in known and "KeySpec" not in line:
            assert error in known[line] or "not" in known[line], line


def test_completion_knows_what_the_session_has_seen_and_asks_nobody(lab: PowerShellLab) -> None:
    script = """
        function complete($text) { [Management.Automation.CommandCompletion]::CompleteInput($text, $text.Length, $null).CompletionMatches.CompletionText }
        complete 'Ping-ICertInterface ca01'
        $null = Get-CA; $null = Get-CertificateTemplate -Name WebServer, AOVPN*
        complete 'Ping-ICertInterface ca01'
        complete 'Get-CertificateTemplate -Name AOVPN-S'
        complete 'Test-IkeServer vpn -Expect aovpn-s'"""
    found = [item for item in lab.output(script) if item and "RootCa" not in (item or "") or "'" in (item or "")]
    assert found == ["'ca01.company.com\\RootCa'", "AOVPN-Server", "aovpn-standard"]


def test_format_views_of_pspki_apply(lab: PowerShellLab) -> None:
    text = "\n".join(
        str(item)
        for item in lab.output(
            "$ca = Get-CA -Name RootCa; $ca | Out-String -Width 200; $ca | Get-CATemplate | Out-String -Width 200; $ca | Ping-ICertInterface | Out-String -Width 200; Test-WebServerSSL login.live.com | Out-String -Width 200"
        )
    )
    assert re.search(r"DisplayName +ComputerName +IsAccessible +ServiceStatus +Type", text)
    assert re.search(r"RootCa +User, WebServer", text)
    assert re.search(r"ConfigString +ICertAdmin +ICertRequest", text)
    assert re.search(r"OriginalUri +: https://login.live.com/\nReturnedUri", text.replace("\r", ""))


def test_a_wrong_password_is_one_terminating_error(lab: PowerShellLab) -> None:
    script = """
        $bad = [pscredential]::new('AD\\careful', (ConvertTo-SecureString -AsPlainText -Force 'wröng'))
        try { Get-CertificationAuthority -Credential $bad } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.Exception.Message -match 'wröng' }"""
    assert lab.output(script) == ["LogonRefused,Get-CertificationAuthority", "AuthenticationError", "False"]
