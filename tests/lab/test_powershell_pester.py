"""tests/powershell/*.Tests.ps1, run with Pester where it can be imported."""

from __future__ import annotations

import pytest

from tests.lab.powershell_lab import REPOSITORY, PowerShellLab
from tests.lab.pwsh import run_file

pytestmark = [pytest.mark.lab, pytest.mark.pwsh]

RUN = """
if (-not (Get-Module -ListAvailable Pester | Where-Object Version -ge '5.0')) {{ 'no Pester'; exit 0 }}
Import-Module Pester -MinimumVersion 5.0
$settings = New-PesterConfiguration
$settings.Run.Path = '{folder}'; $settings.Run.PassThru = $true; $settings.Output.RenderMode = 'Plaintext'
$result = Invoke-Pester -Configuration $settings
"passed $($result.PassedCount) failed $($result.FailedCount)"
exit $result.FailedCount
"""


def test_pester(plain_powershell: PowerShellLab) -> None:
    script = RUN.format(folder=REPOSITORY / "tests" / "powershell")
    done = run_file(plain_powershell.pwsh, script, plain_powershell.environment, timeout=100)
    if done.stdout.strip() == "no Pester":
        pytest.skip("Pester 5 cannot be imported")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed 0" in done.stdout and "passed 0" not in done.stdout
