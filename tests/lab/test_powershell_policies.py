"""Policies as PowerShell itself writes them: every form that an administrator may send."""

from __future__ import annotations

import subprocess

import pytest

from pkitools.aovpn.policy import baseline
from pkitools.aovpn.policy_sources.reading import read_source

pytestmark = [pytest.mark.lab, pytest.mark.pwsh]

# A stand-in for the CIM object: enumerations by name, other properties around them.
SCRIPT = """
Add-Type -TypeDefinition 'public enum DHGroup { None = 0, Group14 = 3 }'
$policy = [pscustomobject]@{ AuthenticationTransformConstants='GCMAES128'; CipherTransformConstants='GCMAES128';
  DHGroup=[DHGroup]::Group14; IntegrityCheckMethod='SHA256'; PfsGroup='ECP256'; EncryptionMethod='GCMAES128' }
$connection = [pscustomobject]@{ Name='Büro VPN 😀'; ServerAddress='vpn.example.net'; IPSecCustomPolicy=$policy }
$folder = '%s'
$policy | Format-List | Out-File "$folder/list.txt" -Encoding unicode
$policy | Format-List | Out-String -Width 300 | Set-Content "$folder/string.txt" -Encoding utf8BOM
$policy | ConvertTo-Json | Set-Content "$folder/policy.json"
@($connection) | ConvertTo-Json -AsArray -Depth 4 | Set-Content "$folder/connection.json" -Encoding unicode
$policy | Export-Csv "$folder/policy.csv"
$policy | Export-Csv "$folder/german.csv" -Delimiter ';' -Encoding unicode
$policy | Export-Clixml "$folder/policy.xml"
$connection | Export-Clixml "$folder/connection.xml" -Encoding unicode
$table = @{ DHGroup='Group14'; IntegrityCheckMethod='SHA256'; PfsGroup='ECP256'; EncryptionMethod='GCMAES128';
  AuthenticationTransformConstants='GCMAES128'; CipherTransformConstants='GCMAES128' }
$table | Export-Clixml "$folder/table.xml"
$null | Format-List | Out-File "$folder/empty.txt"
"""


def test_every_form_that_powershell_writes(pwsh, tmp_path):
    script = tmp_path / "write.ps1"
    script.write_text(SCRIPT % tmp_path, "utf-8")
    done = subprocess.run([pwsh, "-NoProfile", "-NonInteractive", "-File", str(script)], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    script.unlink()
    wanted = baseline("aovpn-enhanced").policy
    files = sorted(tmp_path.iterdir())
    assert len(files) == 10
    for path in files:
        source = read_source(str(path), client=True)
        if path.name == "empty.txt":
            assert source.inferred
            continue
        assert source.policy == wanted, path.name
        if path.name.startswith("connection"):
            assert source.name == "Büro VPN 😀"
