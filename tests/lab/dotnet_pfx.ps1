# What .NET makes of PFX files: one JSON request a line on stdin ({"path", "password" or null, "limits": "default"|"none"}),
# one JSON answer a line: opens, error, and of the certificate that LoadPkcs12 returns its thumbprint and whether it has a key.
using namespace System.Security.Cryptography.X509Certificates
$ErrorActionPreference = 'Stop'
$in = [IO.StreamReader]::new([Console]::OpenStandardInput(), [Text.UTF8Encoding]::new($false))
while ($null -ne ($line = $in.ReadLine())) {
    $request = [Text.Json.JsonDocument]::Parse($line).RootElement
    $secret = $request.GetProperty('password')
    # $null would become '' on its way to a string parameter
    $password = if ($secret.ValueKind -eq 'Null') { [NullString]::Value } else { $secret.GetString() }
    $limits = if ($request.GetProperty('limits').GetString() -eq 'none') { [Pkcs12LoaderLimits]::DangerousNoLimits }
              else { [Pkcs12LoaderLimits]::Defaults }
    $answer = [ordered]@{ opens = $false; error = $null; leaf = $null; has_key = $null }
    try {
        $path = $request.GetProperty('path').GetString()
        $loaded = [X509CertificateLoader]::LoadPkcs12FromFile($path, $password, 'DefaultKeySet', $limits)
        $answer.opens = $true
        $answer.leaf = $loaded.Thumbprint
        $answer.has_key = $loaded.HasPrivateKey
    } catch {
        $cause = $_.Exception
        while ($cause -is [Management.Automation.RuntimeException] -and $cause.InnerException) { $cause = $cause.InnerException }
        $answer.error = $cause.GetType().Name + ': ' + $cause.Message
    }
    [Console]::Out.WriteLine((ConvertTo-Json $answer -Compress))
}
