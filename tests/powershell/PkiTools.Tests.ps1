# The module as its users test it: Pester 5, run by tests/lab/test_powershell_pester.py.
# The program comes from $env:PKITOOLS_PROGRAM, the module from PSModulePath.

BeforeAll {
    Import-Module PkiTools -Force
    $folder = Join-Path ([System.IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString('N'))
    $null = New-Item -ItemType Directory -Path $folder
    $book = Join-Path $folder 'rasphone.pbk'
    Set-Content -LiteralPath $book -Value "[Always On VPN]", "IpInterfaceMetric=3", "VpnStrategy=14"
}

AfterAll { Remove-Item -LiteralPath $folder -Recurse -Force }

Describe 'The module' {
    It 'has a valid manifest that lists its functions' {
        $manifest = Test-ModuleManifest (Join-Path (Get-Module PkiTools).ModuleBase 'PkiTools.psd1')
        $manifest.ExportedFunctions.Keys | Sort-Object | Should -Be ((Get-Command -Module PkiTools -CommandType Function).Name | Sort-Object)
        $manifest.CompatiblePSEditions | Should -Be 'Desktop', 'Core'
    }

    It 'has the aliases of PSPKI' {
        (Get-Alias Get-CA).ResolvedCommandName | Should -Be 'Get-CertificationAuthority'
        (Get-Alias Connect-CA).ResolvedCommandName | Should -Be 'Connect-CertificationAuthority'
    }

    It 'takes a prefix' {
        Import-Module PkiTools -Prefix Pt -Force
        Get-PtErrorMessage 5 | Should -Match 'denied'
        Remove-Module PkiTools
        Import-Module PkiTools
    }
}

Describe 'Get-ErrorMessage' {
    It 'takes <code>' -ForEach @(@{ code = 5 }, @{ code = 0x80070005 }, @{ code = 2147942405 }, @{ code = '-2147024891' }) {
        Get-ErrorMessage $code | Should -Match 'denied'
        Get-ErrorMessage $code | Should -BeOfType [string]
    }
}

Describe 'Get-RasPhonebook and Set-RasPhonebook' {
    It 'reads an entry' {
        (Get-RasPhonebook $book).IPv4InterfaceMetric | Should -Be 3
    }

    It 'reads what Get-Item pipes' {
        (Get-Item -LiteralPath $book | Get-RasPhonebook).Name | Should -Be 'Always On VPN'
    }

    It 'throws with an id and a category when the file is missing' {
        { Get-RasPhonebook (Join-Path $folder 'none.pbk') -ErrorAction Stop } | Should -Throw -ErrorId 'FileAccess,Get-RasPhonebook'
    }

    It 'writes nothing with -WhatIf' {
        Set-RasPhonebook $book -All -Ipv4Metric 7 -WhatIf
        (Get-RasPhonebook $book).IPv4InterfaceMetric | Should -Be 3
    }

    It 'writes the metric' {
        $null = Set-RasPhonebook $book -All -Ipv4Metric 7
        (Get-RasPhonebook $book).IPv4InterfaceMetric | Should -Be 7
    }
}

Describe 'Convert-PemToPfx' {
    It 'needs no store: -Install says what to do instead' {
        { Convert-PemToPfx -InputPath $book -Install } | Should -Throw -ErrorId 'NotSupported,Convert-PemToPfx'
    }
}
