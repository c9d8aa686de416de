# PkiTools: PSPKI's functions for Always On VPN, on Linux, macOS and Windows. ASCII only.
#
# Every function collects its targets, asks the program pkitools once over its standard input, and writes what comes back
# as it comes. Nothing of a request stands in a command line or in the environment. What is written here runs in Windows
# PowerShell 5.1 too: no classes, no Add-Type, no clean blocks.

$script:Protocol = 1

#region the program

function Find-PkiToolsProgram {
    # $env:PKITOOLS_PROGRAM, then what 'pkitools powershell install' noted beside this file, then PATH.
    if ($env:PKITOOLS_PROGRAM) { return $env:PKITOOLS_PROGRAM }
    $note = Join-Path $PSScriptRoot 'program.txt'
    if (Test-Path -LiteralPath $note) {
        $noted = (Get-Content -LiteralPath $note -TotalCount 1).Trim()
        if ($noted -and (Test-Path -LiteralPath $noted)) { return $noted }
    }
    $found = Get-Command -Name pkitools -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($found) { return $found.Source }
    return 'pkitools'
}

function New-PkiToolsError {
    param([string] $Message, [string] $Id, [string] $Category, $Target, [int] $HResult, [string] $Hint)
    $text = $Message
    if ($Hint) { $text = "$Message (next: $Hint)" }
    $exception = New-Object System.InvalidOperationException $text
    if ($HResult) {
        # HResult has no public setter in .NET Framework
        $field = [System.Exception].GetProperty('HResult')
        if ($field.SetMethod -and $field.SetMethod.IsPublic) { $exception.HResult = $HResult }
    }
    $kind = [System.Management.Automation.ErrorCategory]::NotSpecified
    if ([Enum]::IsDefined([System.Management.Automation.ErrorCategory], $Category)) {
        $kind = [System.Management.Automation.ErrorCategory] $Category
    }
    $record = New-Object System.Management.Automation.ErrorRecord $exception, $Id, $kind, $Target
    if ($Hint) {
        $details = New-Object System.Management.Automation.ErrorDetails $text
        $details.RecommendedAction = $Hint
        $record.ErrorDetails = $details
    }
    return $record
}

function ConvertTo-AsciiJson {
    param($InputObject)
    $json = ConvertTo-Json -InputObject $InputObject -Depth 8 -Compress
    $builder = New-Object System.Text.StringBuilder
    foreach ($character in $json.ToCharArray()) {
        $number = [int] $character
        if ($number -lt 0x20 -or $number -gt 0x7E) { $null = $builder.AppendFormat('\u{0:x4}', $number) }
        else { $null = $builder.Append($character) }
    }
    return $builder.ToString()
}

function ConvertFrom-PkiToolsSecret {
    # A SecureString as the request's secret. SecureStringToBSTR is right on every platform, PtrToStringAuto is not.
    param([System.Security.SecureString] $Value)
    $pointer = [Runtime.InteropServices.Marshal]::SecureStringToBSTR($Value)
    try { return @{ Secret = [Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer) } }
    finally { [Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer) }
}

function Invoke-PkiTools {
    # Asks the program and writes what it answers: output as output, the rest to the streams of $Cmdlet.
    param([string] $Command, [hashtable] $Arguments, $Cmdlet)
    $program = Find-PkiToolsProgram
    $request = ConvertTo-AsciiJson @{ Protocol = $script:Protocol; Command = $Command; Arguments = $Arguments }
    $start = New-Object System.Diagnostics.ProcessStartInfo $program
    $start.Arguments = 'powershell-bridge'
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = [System.Text.Encoding]::ASCII
    $start.WorkingDirectory = (Get-Location -PSProvider FileSystem).ProviderPath
    try { $process = [System.Diagnostics.Process]::Start($start) }
    catch {
        $Cmdlet.ThrowTerminatingError((New-PkiToolsError -Message "the program '$program' cannot be started" `
            -Id 'ProgramMissing' -Category NotInstalled -Target $program `
            -Hint 'install pkitools (pipx install pkitools), or set $env:PKITOOLS_PROGRAM to its path'))
    }
    $errorText = $process.StandardError.ReadToEndAsync()   # read beside, else a full pipe stops both
    $ended = $false
    $answered = $false
    $emitting = $false
    $continued = $false
    $exitCode = $null
    try {
        $bytes = [System.Text.Encoding]::ASCII.GetBytes($request)
        try {
            $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
            $process.StandardInput.Close()
        } catch [System.IO.IOException] { }   # it ended early; what it said is read below
        while ($true) {
            if ($emitting) { $continued = $true; break }   # a continue in the caller's pipeline came back here
            $reading = $process.StandardOutput.ReadLineAsync()
            while (-not $reading.Wait(100)) { }   # short waits keep Ctrl-C working
            $line = $reading.Result
            if ($null -eq $line) { $ended = $true; break }
            $record = $null
            $broken = $null
            try { $record = [System.Management.Automation.PSSerializer]::Deserialize($line); $answered = $true }
            catch { $broken = $_ }
            # if and elseif, never switch: a consumer's break would end at a switch of ours
            if ($broken) {
                $Cmdlet.WriteError((New-PkiToolsError -Message "pkitools wrote a line that is no record: $($broken.Exception.Message)" `
                    -Id 'BadRecord' -Category ProtocolError))
            }
            elseif ($record.Stream -eq 'Output') {
                $value = $record.Value
                $names = $value.pstypenames   # PSPKI's own name too, for views, [PSTypeName()] and comparisons
                if ($names -and $names[0].StartsWith('Deserialized.')) { $names.Insert(0, $names[0].Substring(13)) }
                $emitting = $true
                $value
                $emitting = $false
            }
            elseif ($record.Stream -eq 'Error') {
                $failure = New-PkiToolsError -Message $record.Message -Id $record.Id -Category $record.Category `
                    -Target $record.Target -HResult $record.HResult -Hint $record.Hint
                if ($record.Terminating) { $Cmdlet.ThrowTerminatingError($failure) }
                $Cmdlet.WriteError($failure)
            }
            elseif ($record.Stream -eq 'Warning') { $Cmdlet.WriteWarning($record.Message) }
            elseif ($record.Stream -eq 'Verbose') { $Cmdlet.WriteVerbose($record.Message) }
            elseif ($record.Stream -eq 'End') { $exitCode = $record.ExitCode }
        }
        # break and continue in the caller's pipeline met our loop first: pass them on to the caller's
        if ($continued) { continue }
        if (-not $ended) { break }
        $process.WaitForExit()
        if ($null -eq $exitCode) {
            $said = $errorText.Result.Trim()
            $hint = 'the program was killed or broke off: try again, with -Verbose'
            if (-not $answered) { $hint = "is '$program' a pkitools, and not older than this module? Then: pkitools powershell install" }
            $Cmdlet.ThrowTerminatingError((New-PkiToolsError `
                -Message "pkitools ended before it had answered (exit code $($process.ExitCode)). $said".Trim() `
                -Id 'ProgramEnded' -Category OperationStopped -Target $program -Hint $hint))
        }
        $Cmdlet.WriteVerbose("pkitools $Command ended with exit code $exitCode")
    } finally {
        if (-not $process.HasExited) { try { $process.Kill() } catch { $null = $_ } }
        $process.Dispose()
    }
}

function Set-CallerPreference {
    # A module's functions see the global preferences only; take those of the caller.
    param($Cmdlet, [System.Management.Automation.SessionState] $State)
    foreach ($pair in @(@('ErrorAction', 'ErrorActionPreference'), @('WarningAction', 'WarningPreference'),
                        @('Verbose', 'VerbosePreference'), @('Debug', 'DebugPreference'))) {
        if (-not $Cmdlet.MyInvocation.BoundParameters.ContainsKey($pair[0])) {
            $value = $Cmdlet.GetVariableValue($pair[1])
            if ($null -ne $value) { Set-Variable -Scope 1 -Name $pair[1] -Value $value }
        }
    }
}

function Resolve-OutputPath {
    param($Cmdlet, [string] $Path)
    if (-not $Path) { return $null }
    return $Cmdlet.GetUnresolvedProviderPathFromPSPath($Path)
}

function Get-ConnectionArgument {
    # -Server, -Domain, -Credential and -UseKerberos as the program's arguments.
    param([string] $Server, [string] $Domain, [pscredential] $Credential, [bool] $UseKerberos)
    $arguments = @{}
    if ($Server) { $arguments.server = $Server }
    if ($Domain) { $arguments.domain = $Domain }
    if ($Credential -and $Credential -ne [pscredential]::Empty) {
        $arguments.user = $Credential.UserName
        $arguments.password_file = @{ Secret = $Credential.GetNetworkCredential().Password }
    }
    if ($UseKerberos) { $arguments.auth = 'kerberos' }
    return $arguments
}

function Get-CATarget {
    # A CA as the user gave it: text, or an object with a config string or a host name.
    param($Value)
    if ($Value -is [string]) { return $Value }
    if ($Value.ConfigString) { return [string] $Value.ConfigString }
    if ($Value.ComputerName) { return [string] $Value.ComputerName }
    return $null
}

#endregion

#region VPN servers

function Test-WebServerSSL {
<#
.SYNOPSIS
Shows the certificate of a TLS or SSTP server and judges it as a Windows client would.
.DESCRIPTION
As in PSPKI, with three differences: every name that is piped in is tested, an answer of 401 or 404 (which SSTP servers
give) does not hide the certificate, and Pkcs7Chain is the chain as the server sent it. With -Sstp the SSTP listener is
asked too.
.PARAMETER URL
Host name, host:port, address or https:// URL.
.PARAMETER Port
TCP port; used when URL names none.
.PARAMETER Proxy
Web proxy to go through (CONNECT).
.PARAMETER Timeout
Milliseconds for one host, from DNS to the last byte.
.PARAMETER UseUserContext
Accepted for compatibility and echoed in UserContext; there is one trust store.
.PARAMETER Sstp
Ask whether an SSTP server listens, and judge it.
.PARAMETER CAFile
PEM, DER or PKCS #7 files with roots to trust beside the system's.
.PARAMETER Revocation
What to ask about revocation: crl (as the SSTP client does), ocsp, both or off.
.EXAMPLE
Test-WebServerSSL -URL login.live.com
.EXAMPLE
'vpn1.example.com', 'vpn2.example.com' | Test-WebServerSSL -Sstp | Select-Object OriginalUri, CertificateIsValid
.OUTPUTS
PKI.Web.WebSSL
#>
    [CmdletBinding()]
    [OutputType('PKI.Web.WebSSL')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, Position = 0)]
        [string] $URL,
        [Parameter(Position = 1)]
        [ValidateRange(1, 65535)]
        [int] $Port = 443,
        [Parameter(Position = 2)]
        [System.Net.WebProxy] $Proxy,
        [Parameter(Position = 3)]
        [int] $Timeout = 15000,
        [switch] $UseUserContext,
        [switch] $Sstp,
        [string[]] $CAFile,
        [ValidateSet('crl', 'ocsp', 'both', 'off')]
        [string] $Revocation = 'crl'
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $targets = New-Object System.Collections.Generic.List[string]
    }
    process { $targets.Add((Join-HostAndPort $URL $Port)) }
    end {
        if ($targets.Count -eq 0) { return }
        $arguments = @{ target = $targets.ToArray(); timeout = $Timeout / 1000; revocation = $Revocation }
        $arguments.service = if ($Sstp) { 'sstp' } else { 'https' }
        if ($CAFile) { $arguments.ca_file = @($CAFile | ForEach-Object { Resolve-OutputPath $PSCmdlet $_ }) }
        if ($Proxy -and $Proxy.Address) { $arguments.proxy = $Proxy.Address.GetLeftPart([System.UriPartial]::Authority) }
        $user = [bool] $UseUserContext
        Invoke-PkiTools -Command test-ssl -Arguments $arguments -Cmdlet $PSCmdlet | ForEach-Object {
            $_.UserContext = $user
            foreach ($item in $_.ErrorInformation) {   # as .NET's enumeration, which scripts compare with names
                $item.Status = [System.Security.Cryptography.X509Certificates.X509ChainStatusFlags] [int] $item.Status
            }
            $_
        }
    }
}

function Join-HostAndPort {
    param([string] $Name, [int] $Port)
    $Name = $Name.Trim()
    if ($Name -match '^[a-z]+://' -or $Name -match '\]:\d+$' -or $Name -match '^[^:]+:\d+$') { return $Name }
    if ($Name -match ':' -and $Name -notmatch '^\[') { return "[$Name]:$Port" }
    return "${Name}:$Port"
}

function Test-IkeServer {
<#
.SYNOPSIS
Finds out which of the IKE policies that Windows can express an IKEv2 server accepts (error 13868).
.PARAMETER ComputerName
Names or addresses of servers.
.PARAMETER Timeout
Milliseconds for one server.
.PARAMETER Fast
Make real offers; a half-open SA stays behind on the server.
.PARAMETER Certificate
Fetch the server's certificate too and judge it (errors 13801 and 13806).
.PARAMETER Expect
A baseline (windows-default, windows11-default, aovpn-standard, aovpn-enhanced) or a file with a policy.
.EXAMPLE
Test-IkeServer vpn.example.com -Certificate -Expect aovpn-standard
#>
    [CmdletBinding()]
    [OutputType('PkiTools.IkeServer')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [string[]] $ComputerName,
        [int] $Timeout = 10000,
        [switch] $Fast,
        [switch] $Certificate,
        [string] $Expect
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $targets = New-Object System.Collections.Generic.List[string]
    }
    process { $targets.AddRange($ComputerName) }
    end {
        if ($targets.Count -eq 0) { return }
        $arguments = @{ host = $targets.ToArray(); timeout = $Timeout / 1000; fast = [bool] $Fast; certificate = [bool] $Certificate }
        if ($Expect) { $arguments.expect = $Expect }
        Invoke-PkiTools -Command test-ike -Arguments $arguments -Cmdlet $PSCmdlet
    }
}

#endregion

#region certificates and keys

function Convert-PfxToPem {
<#
.SYNOPSIS
Writes the key and the certificate of a PFX as PEM, with the chain if wanted.
.DESCRIPTION
As in PSPKI, and keys of a KSP, EC keys and every other kind open too. The file with the key is readable by its owner
only. Nothing is overwritten without -Force. Nothing is written to the pipeline.
.PARAMETER InputFile
The PFX. InputPath is accepted too, as PSPKI's own examples write it.
.PARAMETER Certificate
A certificate with an exportable private key.
.PARAMETER Password
Password of the PFX.
.PARAMETER OutputFile
The PEM to write. OutputPath is accepted too.
.PARAMETER OutputType
Pkcs8 (default) or Pkcs1.
.PARAMETER IncludeChain
Write the certificates of the issuers as well.
.PARAMETER Force
Overwrite an existing file.
.EXAMPLE
Convert-PfxToPem -InputFile .\vpn.pfx -Password (Read-Host -AsSecureString) -OutputFile .\vpn.pem
.EXAMPLE
Convert-PfxToPem -InputPath .\ssl.pfx -Password $password -OutputPath .\ssl.pem -OutputType Pkcs1 -IncludeChain
#>
    [CmdletBinding(DefaultParameterSetName = '__pfxfile', SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true, ParameterSetName = '__pfxfile', Position = 0)]
        [Alias('InputPath')]
        [System.IO.FileInfo] $InputFile,
        [Parameter(Mandatory = $true, ParameterSetName = '__cert', Position = 0)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,
        [Parameter(Mandatory = $true, ParameterSetName = '__pfxfile', Position = 1)]
        [System.Security.SecureString] $Password,
        [Parameter(Mandatory = $true, Position = 2)]
        [Alias('OutputPath')]
        [System.IO.FileInfo] $OutputFile,
        [Parameter(Position = 3)]
        [ValidateSet('Pkcs1', 'Pkcs8')]
        [string] $OutputType = 'Pkcs8',
        [switch] $IncludeChain,
        [switch] $Force
    )
    Set-CallerPreference $PSCmdlet
    # ToString is the path as it was written: FileInfo resolves against the process's folder, not against $PWD
    $target = Resolve-OutputPath $PSCmdlet $OutputFile.ToString()
    $arguments = @{ out = $target; key_format = $OutputType.ToLowerInvariant(); force = [bool] $Force }
    $arguments.chain = if ($IncludeChain) { 'full' } else { 'leaf' }
    if ($PSCmdlet.ParameterSetName -eq '__cert') {
        if (-not $Certificate.HasPrivateKey) {
            $PSCmdlet.ThrowTerminatingError((New-PkiToolsError -Message 'the certificate has no private key' `
                -Id 'NoPrivateKey' -Category InvalidOperation -Target $Certificate))
        }
        $secret = [Guid]::NewGuid().ToString('N')
        try { $exported = $Certificate.Export([System.Security.Cryptography.X509Certificates.X509ContentType]::Pfx, $secret) }
        catch {
            $PSCmdlet.ThrowTerminatingError((New-PkiToolsError -Message "the private key cannot be exported: $($_.Exception.InnerException.Message)" `
                -Id 'KeyNotExportable' -Category InvalidOperation -Target $Certificate))
        }
        $arguments.files = @(@{ Bytes = [Convert]::ToBase64String($exported) })
        $arguments.password_file = @{ Secret = $secret }
    } else {
        $arguments.files = @(Resolve-OutputPath $PSCmdlet $InputFile.ToString())
        $arguments.password_file = ConvertFrom-PkiToolsSecret $Password
    }
    if (-not $PSCmdlet.ShouldProcess($target, 'Write the private key and certificates as PEM')) { return }
    $null = Invoke-PkiTools -Command pfx-to-pem -Arguments $arguments -Cmdlet $PSCmdlet
}

function Convert-PemToPfx {
<#
.SYNOPSIS
Makes a PFX of a PEM certificate, its chain and its key, and returns the certificate with its key.
.DESCRIPTION
As in PSPKI, and the chain goes into the PFX, the leaf is the certificate that the key matches, and keys of every kind
and form are read. Installing into a store is for Windows and not offered.
.PARAMETER InputPath
File with the certificate, its chain and possibly the key.
.PARAMETER KeyPath
File with the private key, when InputPath has none.
.PARAMETER OutputPath
The PFX to write. Without it nothing is written, and the certificate is returned.
.PARAMETER KeySpec
AT_NONE, AT_KEYEXCHANGE or AT_SIGNATURE; counts with a CSP as provider only.
.PARAMETER Password
Password of the PFX; asked for when a file is written.
.PARAMETER ProviderName
CSP or KSP that Windows shall import the key into.
.PARAMETER StoreLocation
LocalMachine marks the key as a machine key.
.PARAMETER Install
Not on this platform: an error that says so.
.PARAMETER KeyPassword
Password of an encrypted private key.
.PARAMETER Force
Overwrite an existing file.
.EXAMPLE
Convert-PemToPfx -InputPath .\vpn.pem -OutputPath .\vpn.pfx -Password $password
.EXAMPLE
$certificate = Convert-PemToPfx -InputPath .\vpn.crt -KeyPath .\vpn.key -OutputPath .\vpn.pfx -Password $password
.OUTPUTS
System.Security.Cryptography.X509Certificates.X509Certificate2
#>
    [CmdletBinding(SupportsShouldProcess = $true)]
    [OutputType('System.Security.Cryptography.X509Certificates.X509Certificate2')]
    param(
        [Parameter(Mandatory = $true, Position = 0)]
        [Alias('CertificatePath', 'CertPath')]
        [string] $InputPath,
        [string] $KeyPath,
        [string] $OutputPath,
        [ValidateSet('AT_NONE', 'AT_KEYEXCHANGE', 'AT_SIGNATURE', '0', '1', '2')]
        [string] $KeySpec = 'AT_KEYEXCHANGE',
        [System.Security.SecureString] $Password,
        [string] $ProviderName = 'Microsoft Software Key Storage Provider',
        [System.Security.Cryptography.X509Certificates.StoreLocation] $StoreLocation = 'CurrentUser',
        [switch] $Install,
        [System.Security.SecureString] $KeyPassword,
        [switch] $Force
    )
    Set-CallerPreference $PSCmdlet
    if ($Install) {
        $PSCmdlet.ThrowTerminatingError((New-PkiToolsError -Message '-Install needs a Windows certificate store' `
            -Id 'NotSupported' -Category NotImplemented -Target $InputPath `
            -Hint 'write a PFX and import it on Windows with Import-PfxCertificate'))
    }
    $inputs = New-Object System.Collections.Generic.List[string]
    try { foreach ($item in $PSCmdlet.GetResolvedProviderPathFromPSPath($InputPath, [ref] $null)) { $inputs.Add($item) } }
    catch { $inputs.Add((Resolve-OutputPath $PSCmdlet $InputPath)) }
    $spec = @{ AT_NONE = 'none'; AT_KEYEXCHANGE = 'exchange'; AT_SIGNATURE = 'signature'; '0' = 'none'; '1' = 'exchange'; '2' = 'signature' }[$KeySpec]
    $arguments = @{ inputs = $inputs.ToArray(); provider = $ProviderName; force = [bool] $Force }
    if ($KeyPath) { $arguments.key = Resolve-OutputPath $PSCmdlet $KeyPath }
    if ($ProviderName -notlike '*Key Storage Provider' -or $PSBoundParameters.ContainsKey('KeySpec')) { $arguments.key_spec = $spec }
    if ($ProviderName -like '*Key Storage Provider') { $arguments.Remove('key_spec') }
    if ($StoreLocation -eq 'LocalMachine') { $arguments.machine = $true }
    if ($KeyPassword) { $arguments.in_password_file = ConvertFrom-PkiToolsSecret $KeyPassword }
    if ($OutputPath -and -not $Password) { $Password = Read-Host -Prompt 'Password of the new PFX' -AsSecureString }
    if ($Password) { $arguments.password_file = ConvertFrom-PkiToolsSecret $Password }
    else { $arguments.password_file = @{ Secret = [Guid]::NewGuid().ToString('N') } }
    $secret = $arguments.password_file.Secret
    if ($OutputPath) {
        $arguments.out = Resolve-OutputPath $PSCmdlet $OutputPath
        if (-not $PSCmdlet.ShouldProcess($arguments.out, 'Write the private key and certificates as PFX')) { return }
        $null = Invoke-PkiTools -Command pem-to-pfx -Arguments $arguments -Cmdlet $PSCmdlet
        $bytes = $null
        if (Test-Path -LiteralPath $arguments.out) { $bytes = [System.IO.File]::ReadAllBytes($arguments.out) }
    } else {
        $arguments.out = '-'
        $bytes = [byte[]] @(Invoke-PkiTools -Command pem-to-pfx -Arguments $arguments -Cmdlet $PSCmdlet)
    }
    if (-not $bytes) { return }
    $flags = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]::Exportable
    New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $bytes, $secret, $flags
}

function Get-CertificateFile {
<#
.SYNOPSIS
Shows what is in a PFX, PEM, DER, P7B, CSR or CRL, without writing keys, and who can open it.
.PARAMETER Path
The files.
.PARAMETER Password
Password of the PFX; without it only what the outside tells is shown.
.PARAMETER For
Judge fitness for a purpose: aovpn-user, aovpn-device, rras or nps.
.EXAMPLE
Get-CertificateFile vpn.pfx -Password $password | Select-Object -ExpandProperty Readers
#>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [Alias('FullName', 'PSPath')]
        [string[]] $Path,
        [System.Security.SecureString] $Password,
        [ValidateSet('aovpn-user', 'aovpn-device', 'rras', 'nps')]
        [string] $For
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $files = New-Object System.Collections.Generic.List[string]
    }
    process { foreach ($item in $Path) { $files.Add((Resolve-OutputPath $PSCmdlet $item)) } }
    end {
        if ($files.Count -eq 0) { return }
        $arguments = @{ files = $files.ToArray() }
        if ($Password) { $arguments.password_file = ConvertFrom-PkiToolsSecret $Password }
        if ($For) { $arguments.purpose = $For }
        Invoke-PkiTools -Command show -Arguments $arguments -Cmdlet $PSCmdlet
    }
}

#endregion

#region enterprise CAs

function Get-CertificationAuthority {
<#
.SYNOPSIS
Lists the certification authorities that Active Directory knows.
.DESCRIPTION
As in PSPKI, for a plain account and from any machine: type and certificate come from the directory, all hosts are asked
at the same time, and a property that could not be read has a reason beside it.
.PARAMETER ComputerName
Host name of the CA; wildcards are understood.
.PARAMETER Name
Name of the CA, plain or sanitized; wildcards are understood.
.PARAMETER Enterprise
Enterprise CAs only.
.PARAMETER Standalone
Standalone CAs only.
.PARAMETER Server
Domain controller to ask.
.PARAMETER Domain
DNS name of the domain.
.PARAMETER Credential
Account to ask with; by default the Kerberos ticket that is there.
.PARAMETER UseKerberos
Kerberos alone, never NTLM.
.EXAMPLE
Get-CertificationAuthority
.EXAMPLE
Get-CertificationAuthority "ca01*"
.EXAMPLE
Get-CertificationAuthority -Domain ad.example.com -Credential (Get-Credential) | Ping-ICertInterface
.OUTPUTS
PKI.CertificateServices.CertificateAuthority
#>
    [CmdletBinding(DefaultParameterSetName = '__computer')]
    [OutputType('PKI.CertificateServices.CertificateAuthority')]
    param(
        [Parameter(ParameterSetName = '__computer', Position = 0)]
        [string] $ComputerName = '*',
        [Parameter(ParameterSetName = '__name', Position = 0)]
        [string] $Name = '*',
        [switch] $Enterprise,
        [switch] $Standalone,
        [string] $Server,
        [string] $Domain,
        [pscredential] $Credential,
        [switch] $UseKerberos
    )
    Set-CallerPreference $PSCmdlet
    $arguments = Get-ConnectionArgument $Server $Domain $Credential $UseKerberos
    $arguments.computer_name = $ComputerName
    $arguments.name = $Name
    # as in PSPKI a switch that is given counts, whatever its value
    $arguments.enterprise = $PSBoundParameters.ContainsKey('Enterprise')
    $arguments.standalone = $PSBoundParameters.ContainsKey('Standalone')
    Invoke-PkiTools -Command get-ca -Arguments $arguments -Cmdlet $PSCmdlet | ForEach-Object {
        $script:SeenCA["$($_.ConfigString)"] = [pscustomobject]@{
            Name = $_.Name; ConfigString = $_.ConfigString; ComputerName = $_.ComputerName
        }
        $_
    }
}

function Connect-CertificationAuthority {
<#
.SYNOPSIS
Finds the certification authorities on hosts.
.PARAMETER ComputerName
Host names; by default this machine's.
.PARAMETER Server
Domain controller to ask.
.PARAMETER Domain
DNS name of the domain.
.PARAMETER Credential
Account to ask with; by default the Kerberos ticket that is there.
.PARAMETER UseKerberos
Kerberos alone, never NTLM.
.EXAMPLE
Connect-CertificationAuthority -ComputerName ca01.company.com
.OUTPUTS
PKI.CertificateServices.CertificateAuthority
#>
    [CmdletBinding()]
    [OutputType('PKI.CertificateServices.CertificateAuthority')]
    param(
        [Parameter(ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [string[]] $ComputerName = @([System.Net.Dns]::GetHostName()),
        [string] $Server,
        [string] $Domain,
        [pscredential] $Credential,
        [switch] $UseKerberos
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $hosts = New-Object System.Collections.Generic.List[string]
    }
    process { $hosts.AddRange($ComputerName) }
    end {
        foreach ($name in $hosts) {
            $arguments = Get-ConnectionArgument $Server $Domain $Credential $UseKerberos
            $arguments.computer_name = $name
            $found = $false
            Invoke-PkiTools -Command get-ca -Arguments $arguments -Cmdlet $PSCmdlet | ForEach-Object { $found = $true; $_ }
            if (-not $found) {
                $PSCmdlet.WriteError((New-PkiToolsError -Message "the directory knows no certification authority on '$name'" `
                    -Id 'CANotFound' -Category ObjectNotFound -Target $name -Hint 'Get-CertificationAuthority lists those that it knows'))
            }
        }
    }
}

function Ping-ICertInterface {
<#
.SYNOPSIS
Pings the ICertRequest and ICertAdmin interfaces of certification authorities, and says why one does not answer.
.PARAMETER CertificationAuthority
Objects of Get-CertificationAuthority, host names or config strings (host\name).
.PARAMETER Server
Domain controller to ask, for names of CAs.
.PARAMETER Domain
DNS name of the domain.
.PARAMETER Credential
Account to ask with; by default the Kerberos ticket that is there.
.PARAMETER UseKerberos
Kerberos alone, never NTLM.
.EXAMPLE
Get-CertificationAuthority | Ping-ICertInterface
.EXAMPLE
Ping-ICertInterface 'ca01.example.com\Example Issuing CA' -Credential $credential | Format-List *
#>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [Alias('CA')]
        [object[]] $CertificationAuthority,
        [string] $Server,
        [string] $Domain,
        [pscredential] $Credential,
        [switch] $UseKerberos
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $targets = New-Object System.Collections.Generic.List[string]
    }
    process { Add-CATarget $targets $CertificationAuthority $PSCmdlet }
    end {
        if ($targets.Count -eq 0) { return }
        $arguments = Get-ConnectionArgument $Server $Domain $Credential $UseKerberos
        $arguments.ca = $targets.ToArray()
        Invoke-PkiTools -Command ping-ca -Arguments $arguments -Cmdlet $PSCmdlet
    }
}

function Add-CATarget {
    param($Targets, [object[]] $Values, $Cmdlet)
    foreach ($value in $Values) {
        $target = Get-CATarget $value
        if ($target) { $Targets.Add($target); continue }
        $Cmdlet.WriteError((New-PkiToolsError -Message "'$value' is no certification authority: it has no ConfigString and no ComputerName" `
            -Id 'NotACertificationAuthority' -Category InvalidArgument -Target $value))
    }
}

function Get-CATemplate {
<#
.SYNOPSIS
Lists the certificate templates that certification authorities publish.
.DESCRIPTION
As in PSPKI; a template that is gone from the directory is listed as missing and hides no other.
.PARAMETER CertificationAuthority
Objects of Get-CertificationAuthority, names, host names or config strings.
.PARAMETER Server
Domain controller to ask.
.PARAMETER Domain
DNS name of the domain.
.PARAMETER Credential
Account to ask with; by default the Kerberos ticket that is there.
.PARAMETER UseKerberos
Kerberos alone, never NTLM.
.EXAMPLE
Get-CertificationAuthority -Enterprise | Get-CATemplate | ForEach-Object { $_.Templates } | Select-Object Name, DisplayName
.OUTPUTS
PKI.CertificateServices.CATemplate
#>
    [CmdletBinding()]
    [OutputType('PKI.CertificateServices.CATemplate')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [Alias('CA')]
        [object[]] $CertificationAuthority,
        [string] $Server,
        [string] $Domain,
        [pscredential] $Credential,
        [switch] $UseKerberos
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $targets = New-Object System.Collections.Generic.List[string]
    }
    process { Add-CATarget $targets $CertificationAuthority $PSCmdlet }
    end {
        if ($targets.Count -eq 0) { return }
        $arguments = Get-ConnectionArgument $Server $Domain $Credential $UseKerberos
        $arguments.ca = $targets.ToArray()
        Invoke-PkiTools -Command get-ca-template -Arguments $arguments -Cmdlet $PSCmdlet
    }
}

function Get-CertificateTemplate {
<#
.SYNOPSIS
Shows certificate templates with all their settings.
.PARAMETER Name
Common names; wildcards are understood.
.PARAMETER DisplayName
Display names; wildcards are understood.
.PARAMETER OID
Object identifiers; wildcards are understood.
.PARAMETER Server
Domain controller to ask.
.PARAMETER Domain
DNS name of the domain.
.PARAMETER Credential
Account to ask with; by default the Kerberos ticket that is there.
.PARAMETER UseKerberos
Kerberos alone, never NTLM.
.EXAMPLE
Get-CertificateTemplate -Name WebServer, CrossCA
.EXAMPLE
(Get-CertificateTemplate -Name "WebServer").Oid.Value
.OUTPUTS
PKI.CertificateTemplates.CertificateTemplate
#>
    [CmdletBinding(DefaultParameterSetName = 'Name')]
    [OutputType('PKI.CertificateTemplates.CertificateTemplate')]
    param(
        [Parameter(ParameterSetName = 'Name')]
        [string[]] $Name = '*',
        [Parameter(ParameterSetName = 'DisplayName')]
        [string[]] $DisplayName = '*',
        [Parameter(ParameterSetName = 'OID')]
        [string[]] $OID = '*',
        [string] $Server,
        [string] $Domain,
        [pscredential] $Credential,
        [switch] $UseKerberos
    )
    Set-CallerPreference $PSCmdlet
    $arguments = Get-ConnectionArgument $Server $Domain $Credential $UseKerberos
    if ($PSCmdlet.ParameterSetName -eq 'DisplayName') { $arguments.display_name = $DisplayName }
    elseif ($PSCmdlet.ParameterSetName -eq 'OID') { $arguments.oid = $OID }
    else { $arguments.name = $Name }
    Invoke-PkiTools -Command get-template -Arguments $arguments -Cmdlet $PSCmdlet | ForEach-Object {
        $script:SeenTemplate["$($_.Name)"] = $_.DisplayName
        $_
    }
}

#endregion

#region VPN clients and codes

function Get-ErrorMessage {
<#
.SYNOPSIS
Says what a Windows, RAS or IPsec error code means.
.PARAMETER ErrorCode
The code: hexadecimal, decimal (2147942405 too) or signed.
.EXAMPLE
Get-ErrorMessage 0x80070005
.EXAMPLE
Get-ErrorMessage 13868
.OUTPUTS
System.String
#>
    [CmdletBinding()]
    [OutputType('System.String')]
    param(
        [Parameter(Mandatory = $true, Position = 0)]
        [long] $ErrorCode
    )
    Set-CallerPreference $PSCmdlet
    Invoke-PkiTools -Command get-error-message -Arguments @{ codes = @([string] $ErrorCode) } -Cmdlet $PSCmdlet |
        ForEach-Object { Format-ErrorMessage $_ }
}

function Format-ErrorMessage {
    param($Record)
    [string] $Record.Message
}

function Get-RasPhonebook {
<#
.SYNOPSIS
Reads the entries of rasphone.pbk files.
.PARAMETER Path
The phonebooks.
.PARAMETER Entry
Names of entries; all without it.
.EXAMPLE
Get-RasPhonebook .\rasphone.pbk | Select-Object Name, IpInterfaceMetric
#>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [Alias('FullName', 'PSPath')]
        [string[]] $Path,
        [string[]] $Entry
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $files = New-Object System.Collections.Generic.List[string]
    }
    process { foreach ($item in $Path) { $files.Add((Resolve-OutputPath $PSCmdlet $item)) } }
    end {
        if ($files.Count -eq 0) { return }
        $arguments = @{ files = $files.ToArray() }
        if ($Entry) { $arguments.entry = $Entry }
        Invoke-PkiTools -Command get-phonebook -Arguments $arguments -Cmdlet $PSCmdlet
    }
}

function Set-RasPhonebook {
<#
.SYNOPSIS
Changes interface metrics and the VPN strategy of an entry in a rasphone.pbk, and no other byte.
.PARAMETER Path
The phonebook.
.PARAMETER Entry
Names of entries.
.PARAMETER All
Every entry.
.PARAMETER Ipv4Metric
IPv4 interface metric; 0 is automatic.
.PARAMETER Ipv6Metric
IPv6 interface metric; 0 is automatic.
.PARAMETER VpnStrategy
Such as Ikev2Only, SstpFirst or 14.
.EXAMPLE
Set-RasPhonebook .\rasphone.pbk -Entry 'Always On VPN' -Ipv4Metric 3 -Ipv6Metric 3
#>
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true, Position = 0)]
        [string] $Path,
        [string[]] $Entry,
        [switch] $All,
        [int] $Ipv4Metric,
        [int] $Ipv6Metric,
        [string] $VpnStrategy
    )
    Set-CallerPreference $PSCmdlet
    $arguments = @{ file = Resolve-OutputPath $PSCmdlet $Path; every = [bool] $All }
    if ($Entry) { $arguments.entry = $Entry }
    if ($PSBoundParameters.ContainsKey('Ipv4Metric')) { $arguments.ipv4_metric = $Ipv4Metric }
    if ($PSBoundParameters.ContainsKey('Ipv6Metric')) { $arguments.ipv6_metric = $Ipv6Metric }
    if ($VpnStrategy) { $arguments.vpn_strategy = $VpnStrategy }
    if (-not $PSCmdlet.ShouldProcess($arguments.file, 'Edit the phonebook')) { return }
    Invoke-PkiTools -Command set-phonebook -Arguments $arguments -Cmdlet $PSCmdlet
}

function Get-VpnProfile {
<#
.SYNOPSIS
Reads ProfileXML files of the VPNv2 CSP and says what is wrong with them.
.PARAMETER Path
The files.
.EXAMPLE
Get-VpnProfile .\ProfileXML.xml | Select-Object -ExpandProperty Findings
#>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true, Position = 0)]
        [Alias('FullName', 'PSPath')]
        [string[]] $Path
    )
    begin {
        Set-CallerPreference $PSCmdlet
        $files = New-Object System.Collections.Generic.List[string]
    }
    process { foreach ($item in $Path) { $files.Add((Resolve-OutputPath $PSCmdlet $item)) } }
    end {
        if ($files.Count -eq 0) { return }
        Invoke-PkiTools -Command get-profile -Arguments @{ files = $files.ToArray() } -Cmdlet $PSCmdlet
    }
}

function Compare-IPsecPolicy {
<#
.SYNOPSIS
Compares the IPsec policies of a VPN client and a server: why error 13868, and what fixes it.
.PARAMETER Client
File with the client's policy (ProfileXML, rasphone.pbk, what PowerShell wrote, a log), or a baseline such as
aovpn-standard.
.PARAMETER Server
File with the server's policy, a baseline, or ike:HOST to probe a server.
.PARAMETER Entry
The connection, when the client's file is a phonebook with several.
.PARAMETER Connection
The connection, when the server's file is a swanctl.conf or ipsec.conf with several.
.EXAMPLE
Compare-IPsecPolicy .\ProfileXML.xml .\server.txt
.EXAMPLE
Compare-IPsecPolicy windows-default ike:vpn.example.com | Select-Object -ExpandProperty Findings
#>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0)]
        [string] $Client,
        [Parameter(Mandatory = $true, Position = 1)]
        [string] $Server,
        [string] $Entry,
        [string] $Connection
    )
    Set-CallerPreference $PSCmdlet
    $arguments = @{ client = Resolve-PolicySource $PSCmdlet $Client; server = Resolve-PolicySource $PSCmdlet $Server }
    if ($Entry) { $arguments.entry = $Entry }
    if ($Connection) { $arguments.connection = $Connection }
    Invoke-PkiTools -Command compare-ipsec -Arguments $arguments -Cmdlet $PSCmdlet
}

function Resolve-PolicySource {
    # A file that exists by its full name; baselines and ike:HOST as they are.
    param($Cmdlet, [string] $Text)
    if ($Text -match '^ike:' -or -not (Test-Path -LiteralPath $Text -PathType Leaf)) { return $Text }
    return Resolve-OutputPath $Cmdlet $Text
}

#endregion

#region completion: what this session has met, and fixed words; nothing is asked over the network

$script:SeenCA = @{}
$script:SeenTemplate = @{}

function Get-Completion {
    param([string[]] $Words, [string] $Typed)
    $plain = $Typed.Trim("'", '"')
    foreach ($word in $Words | Sort-Object) {
        if (-not $word.StartsWith($plain, [StringComparison]::OrdinalIgnoreCase)) { continue }
        $text = $word
        if ($word -match '[^\w.-]') { $text = "'" + $word.Replace("'", "''") + "'" }
        New-Object System.Management.Automation.CompletionResult $text, $word, 'ParameterValue', $word
    }
}

Register-ArgumentCompleter -CommandName Ping-ICertInterface, Get-CATemplate -ParameterName CertificationAuthority -ScriptBlock {
    Get-Completion @($script:SeenCA.Values | ForEach-Object { $_.ConfigString }) $args[2]
}
Register-ArgumentCompleter -CommandName Get-CertificationAuthority -ParameterName Name -ScriptBlock {
    Get-Completion @($script:SeenCA.Values | ForEach-Object { $_.Name }) $args[2]
}
Register-ArgumentCompleter -CommandName Get-CertificationAuthority, Connect-CertificationAuthority -ParameterName ComputerName -ScriptBlock {
    Get-Completion @($script:SeenCA.Values | ForEach-Object { $_.ComputerName } | Select-Object -Unique) $args[2]
}
Register-ArgumentCompleter -CommandName Get-CertificateTemplate -ParameterName Name -ScriptBlock {
    Get-Completion @($script:SeenTemplate.Keys) $args[2]
}
Register-ArgumentCompleter -CommandName Get-CertificateTemplate -ParameterName DisplayName -ScriptBlock {
    Get-Completion @($script:SeenTemplate.Values) $args[2]
}
Register-ArgumentCompleter -CommandName Test-IkeServer -ParameterName Expect -ScriptBlock {
    Get-Completion @('windows-default', 'windows11-default', 'aovpn-standard', 'aovpn-enhanced') $args[2]
}

#endregion

New-Alias -Name Get-CA -Value Get-CertificationAuthority -Force
New-Alias -Name Connect-CA -Value Connect-CertificationAuthority -Force
Export-ModuleMember -Alias Get-CA, Connect-CA -Function Test-WebServerSSL, Test-IkeServer, Convert-PfxToPem,
    Convert-PemToPfx, Get-CertificateFile, Get-CertificationAuthority, Connect-CertificationAuthority, Ping-ICertInterface,
    Get-CATemplate, Get-CertificateTemplate, Get-ErrorMessage, Get-RasPhonebook, Set-RasPhonebook, Get-VpnProfile, Compare-IPsecPolicy
