#Requires -Version 5.1
#Requires -PSEdition Desktop
<#
.SYNOPSIS
Gives MIM Service on this server a new client secret without the installer. NOT A DOCUMENTED PROCEDURE.

.DESCRIPTION
Made by mimapp for #<form-words>.

What this is: it follows the mechanism that Microsoft publishes for the twin of this value, the mailbox password
("Update of MIM Specific Service account for notifications to gMSA"). For the client secret no procedure is documented;
one consultant reports that the same mechanism works for it. The documented way is the installer's Change mode: see
mimapp host sheet. Parsed and run against a model by its makers; not yet executed on Windows.
What this is not: something that Microsoft supports, or a place where a secret is kept. It holds none.

It refuses to write unless the value that is there now decrypts in the way it is about to use. It keeps the old value,
writes, restarts FIMService and judges by the access token: a new token and no token message for five minutes is
success. Only a token failure rolls back, and only while the old secret has not expired. Event 12 (mail) is reported,
not judged. On a server that asks for a token only when it sends mail, send one while this waits.
Run it on each MIM Service node. Each run leaves a result file, which mimapp handover confirm --from takes.

Order, on each node:
#<order>

.PARAMETER EnvelopePath
The CMS envelope with the new secret, from mimapp rotate --secret-to cms:CERT:PATH. Without it the script prompts.

.PARAMETER KeyId
The key id of the new secret, where it is not in the envelope: the hand-over is confirmed for it.

.PARAMETER ApplicationId
The application that this server must be using; another one stops the script.

.PARAMETER OldSecretEnds
When the secret in use now expires (ISO 8601, UTC). Without it nothing is ever rolled back.

.PARAMETER WorkFolder
Where the results and the previous value are kept; only administrators and the service account reach it.

.PARAMETER RestoreFrom
With -Phase Restore: the file that keeps the previous value.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [ValidateSet(#<phases>)]
    [string] $Phase = 'Apply',
    [string] $EnvelopePath = '',
    [string] $KeyId = #<key-id>,
    [string] $ApplicationId = #<application-id>,
    [string] $OldSecretEnds = #<old-ends>,
    [string] $WorkFolder = (Join-Path -Path $env:ProgramData -ChildPath 'mimapp\secret'),
    [string] $RestoreFrom = ''
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# .NET would take a relative path from where the process started, not from where you are.
$Paths = $ExecutionContext.SessionState.Path
$WorkFolder = $Paths.GetUnresolvedProviderPathFromPSPath($WorkFolder)
if ($RestoreFrom -ne '') { $RestoreFrom = $Paths.GetUnresolvedProviderPathFromPSPath($RestoreFrom) }

$MimKey = #<mim-key>
$SecretName = #<secret-name>
$ServiceKey = #<service-key>
$TokenText = #<token-text>
$EventText = #<event-text>
$QuietSeconds = 300
$TokenSeconds = 600

$View = [Microsoft.Win32.RegistryView]::Registry64
$Machine = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, $View)
$Users = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::Users, $View)
$Utf8 = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false

Add-Type -AssemblyName 'System.Security'
Add-Type -TypeDefinition @'
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
public static class MimappRegistry {
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode)]
    static extern int RegQueryInfoKeyW(SafeRegistryHandle key, IntPtr name, IntPtr nameSize, IntPtr reserved,
        IntPtr keys, IntPtr longestKey, IntPtr longestClass, IntPtr values, IntPtr longestName, IntPtr longestValue,
        IntPtr security, out long written);
    public static DateTime Written(SafeRegistryHandle key) {
        long time;
        IntPtr none = IntPtr.Zero;
        int code = RegQueryInfoKeyW(key, none, none, none, none, none, none, none, none, none, none, out time);
        if (code != 0) { throw new Win32Exception(code); }
        return DateTime.FromFileTimeUtc(time);
    }
}
'@

function Read-MachineText {
    param([string] $Key, [string] $Name)
    $handle = $Machine.OpenSubKey($Key)
    if ($null -eq $handle) { return '' }
    $text = "$($handle.GetValue($Name, ''))"
    $handle.Close()
    return $text
}

function Get-Fingerprint {
    param([string] $Text)
    $sha = [Security.Cryptography.SHA256]::Create()
    $hash = $sha.ComputeHash([Text.Encoding]::UTF8.GetBytes($Text))
    $sha.Dispose()
    return [Convert]::ToBase64String($hash)
}

function Get-Optional {
    param($Object, [string] $Name)
    if (@($Object.PSObject.Properties | ForEach-Object { $_.Name }) -contains $Name) { return $Object.$Name }
    return $null
}

function Write-Document {
    param([string] $Path, $Document)
    [IO.File]::WriteAllText($Path, (ConvertTo-Json -InputObject $Document -Depth 4), $Utf8)
}

function Read-Document {
    param([string] $Path)
    return ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($Path))
}

function Get-ServiceAccount {
    $name = Read-MachineText -Key $ServiceKey -Name 'ObjectName'
    if ($name -eq '') { throw 'There is no FIMService service on this server.' }
    $full = $name
    if ($name.StartsWith('.\')) { $full = "$env:COMPUTERNAME\$($name.Substring(2))" }
    $account = New-Object -TypeName Security.Principal.NTAccount -ArgumentList $full
    return @{
        Name = $name
        Sid  = $account.Translate([Security.Principal.SecurityIdentifier]).Value
    }
}

function Assert-Elevated {
    $me = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList ([Security.Principal.WindowsIdentity]::GetCurrent())
    if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'Run this phase in an elevated PowerShell (or with -WhatIf to look only).'
    }
}

function New-WorkFolder {
    param([string] $Sid)
    $null = [IO.Directory]::CreateDirectory($WorkFolder)
    # Administrators, SYSTEM and the service account, nobody else.
    $null = icacls.exe $WorkFolder '/inheritance:r' '/grant:r' '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' "*${Sid}:(OI)(CI)M"
    if ($LASTEXITCODE -ne 0) { throw "The rights of $WorkFolder could not be set (icacls ended with $LASTEXITCODE)." }
}

function Read-NewSecret {
    $secret = ''
    $id = $KeyId
    if ($EnvelopePath -ne '') {
        $text = (Unprotect-CmsMessage -LiteralPath $EnvelopePath).Trim()
        if ($text.StartsWith('{')) {
            $document = ConvertFrom-Json -InputObject $text
            $secret = "$(Get-Optional -Object $document -Name 'clientSecret')"
            $of = "$(Get-Optional -Object $document -Name 'applicationId')"
            if ($of -ne '' -and $of -ne (Read-MachineText -Key $MimKey -Name 'ExchangeOnlineApplicationID').Trim('{', '}', ' ')) {
                throw 'The envelope is for another application than this server uses.'
            }
            $inside = "$(Get-Optional -Object $document -Name 'keyId')"
            if ($inside -ne '' -and $id -ne '' -and $inside -ne $id) { throw 'The envelope holds another key id than -KeyId.' }
            if ($id -eq '') { $id = $inside }
        } else {
            $secret = $text
        }
    } else {
        $secure = Read-Host -Prompt 'New client secret (the value, not the Secret ID)' -AsSecureString
        $pointer = [Runtime.InteropServices.Marshal]::SecureStringToBSTR($secure)
        try {
            $secret = [Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer)
        } finally {
            [Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer)
        }
    }
    if ($secret -match '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$') {
        throw 'This is a Secret ID, not the value of the secret.'
    }
    if ($secret.Length -lt 16 -or $secret.Trim() -cne $secret) {
        throw 'This is no client secret of Entra: shorter than 16 characters, or with a blank at an end.'
    }
    return @{ Secret = $secret; KeyId = $id }
}

function Test-Value {
    # Whether a stored value is base64 of a DPAPI blob of this account; the length of the plain text, or -1.
    param([string] $Value)
    try {
        $blob = [Convert]::FromBase64String($Value)
        $plain = [Security.Cryptography.ProtectedData]::Unprotect($blob, $null, [Security.Cryptography.DataProtectionScope]::CurrentUser)
        $length = [Text.Encoding]::Unicode.GetString($plain).Length
        [Array]::Clear($plain, 0, $plain.Length)
        return $length
    } catch {
        return -1
    }
}

#<form>
function Get-TokenTime {
    param([string] $Sid)
    $hive = $Users.OpenSubKey($Sid)
    # Loaded only while the service runs.
    if ($null -eq $hive) { return $null }
    $handle = $hive.OpenSubKey($MimKey)
    $hive.Close()
    if ($null -eq $handle) { return $null }
    $longest = 0
    foreach ($name in $handle.GetValueNames()) {
        $length = "$($handle.GetValue($name))".Length
        if ($length -gt $longest) { $longest = $length }
    }
    $time = [MimappRegistry]::Written($handle.Handle)
    $handle.Close()
    # The value's name is not known; a token is far longer than anything else that could stand there.
    if ($longest -lt 200) { return $null }
    return $time
}

function Get-EventCount {
    param([DateTime] $Since, [int] $Id, [string] $Text)
    $found = @()
    try {
        $found = @(Get-WinEvent -FilterHashtable @{ LogName = 'Application'; StartTime = $Since } -MaxEvents 20000)
    } catch {
        if ("$($_.FullyQualifiedErrorId)" -notlike 'NoMatchingEventsFound*') { throw }
    }
    return @($found | Where-Object { ($Id -eq 0 -or $_.Id -eq $Id) -and "$($_.Message)" -like $Text }).Count
}

function Set-SecretValue {
    param([string] $Value)
    $handle = $Machine.OpenSubKey($MimKey, $true)
    try {
        $handle.SetValue($SecretName, $Value, [Microsoft.Win32.RegistryValueKind]::String)
    } finally {
        $handle.Close()
    }
    if ((Read-MachineText -Key $MimKey -Name $SecretName) -cne $Value) { throw 'The value does not read back as it was written.' }
}

function Switch-Secret {
    # Writes while the service stands still, so that no token of its former life is taken for a new one; the moment
    # between its two lives. Where it cannot be stopped nothing is written, and it is started again in any case.
    param([string] $Value)
    Stop-Service -Name 'FIMService' -Force
    (Get-Service -Name 'FIMService').WaitForStatus('Stopped', '00:02:00')
    try {
        Set-SecretValue -Value $Value
        $since = [DateTime]::UtcNow
    } finally {
        Start-Service -Name 'FIMService'
        (Get-Service -Name 'FIMService').WaitForStatus('Running', '00:02:00')
    }
    return $since
}

function Watch-Token {
    param([string] $Sid, [DateTime] $Since)
    while ($true) {
        if ((Get-EventCount -Since $Since -Id 0 -Text $TokenText) -gt 0) {
            return @{ Ok = $false; Time = $null; Reason = 'MIM Service logged that it got no access token' }
        }
        $time = Get-TokenTime -Sid $Sid
        $fresh = $null -ne $time -and $time -gt $Since
        $passed = ([DateTime]::UtcNow - $Since).TotalSeconds
        if ($fresh -and $passed -ge $QuietSeconds) {
            return @{ Ok = $true; Time = $time; Reason = 'a new access token, and no token message for five minutes' }
        }
        if (-not $fresh -and $passed -ge $TokenSeconds) {
            return @{ Ok = $false; Time = $null; Reason = 'no new access token within ten minutes' }
        }
        Start-Sleep -Seconds 15
    }
}

function Test-OldSecretLive {
    if ($OldSecretEnds -eq '') { return $false }
    $style = [Globalization.DateTimeStyles]::RoundtripKind
    $ends = [DateTime]::Parse($OldSecretEnds, [Globalization.CultureInfo]::InvariantCulture, $style).ToUniversalTime()
    return $ends -gt [DateTime]::UtcNow
}

function Assert-Server {
    # What must hold before anything is written; the account and the value in use now.
    $account = Get-ServiceAccount
    if ($account.Name.EndsWith('$') -ne $Managed) { throw "This script is for #<form-words>; FIMService runs as $($account.Name)." }
    $found = (Read-MachineText -Key $MimKey -Name 'ExchangeOnlineApplicationID').Trim('{', '}', ' ')
    if ($found -eq '') { throw 'MIM Service was never set up for Application Context Authentication here: use the installer.' }
    if ($ApplicationId -ne '' -and $found -ne $ApplicationId) { throw "This server uses application $found, not $ApplicationId." }
    $old = Read-MachineText -Key $MimKey -Name $SecretName
    if ($old -eq '') { throw 'There is no client secret in the registry that could be kept: use the installer.' }
    if ((Get-Service -Name 'FIMService').Status.ToString() -ne 'Running') { throw 'FIMService does not run.' }
    if ($null -eq (Get-TokenTime -Sid $account.Sid)) {
        throw 'No access token can be read on this server, so nothing could be judged by it: use the installer.'
    }
    return @{ Account = $account; Application = $found; Old = $old }
}

function Invoke-Apply {
    $server = Assert-Server
    if (-not $PSCmdlet.ShouldProcess("HKLM\$MimKey\$SecretName", 'write the new encrypted secret, restart FIMService, judge by the token')) {
        Write-Output 'The server is ready for it.'
        return
    }
    New-WorkFolder -Sid $server.Account.Sid
    $new = Get-NewValue -Account $server.Account -Old $server.Old
    $stamp = [DateTime]::UtcNow.ToString('yyyyMMdd-HHmmss-fff')
    $previous = Join-Path -Path $WorkFolder -ChildPath "previous-$stamp.json"
    Write-Document -Path $previous -Document ([ordered]@{
        schema = 'mimapp.secret-script-previous/1'
        server = $env:COMPUTERNAME
        value  = $server.Old
    })
    Write-Output "The old value is kept in $previous"
    $result = [ordered]@{
        schema         = 'mimapp.secret-script-result/1'
        server         = $env:COMPUTERNAME
        applicationId  = $server.Application
        keyId          = $new.KeyId
        account        = $server.Account.Name
        writtenAt      = [DateTime]::UtcNow.ToString('o')
        restartedAt    = $null
        tokenWrittenAt = $null
        outcome        = 'unfinished'
        reason         = 'written, not judged yet'
        event12        = 0
        previous       = $previous
    }
    $file = Join-Path -Path $WorkFolder -ChildPath "result-$env:COMPUTERNAME.json"
    Write-Document -Path $file -Document $result
    $since = Switch-Secret -Value $new.Value
    $result.restartedAt = $since.ToString('o')
    $seen = Watch-Token -Sid $server.Account.Sid -Since $since
    $result.event12 = Get-EventCount -Since $since -Id 12 -Text $EventText
    $result.reason = $seen.Reason
    if ($seen.Ok) {
        $result.outcome = 'success'
        $result.tokenWrittenAt = $seen.Time.ToString('o')
    } elseif (Test-OldSecretLive) {
        $null = Switch-Secret -Value $server.Old
        $result.outcome = 'rolled-back'
    } else {
        $result.outcome = 'failed'
        $result.reason = "$($seen.Reason); the old secret has expired or its end is not known, so the new one stays"
    }
    Write-Document -Path $file -Document $result
    Write-Output "$($result.outcome): $($result.reason)"
    if ($result.event12 -gt 0) { Write-Output "Mail: event 12 came $($result.event12) times since the restart; run mimapp verify." }
    Write-Output "Result: $file (mimapp handover confirm --from takes it)"
    if (-not $seen.Ok) { exit 3 }
}

function Invoke-Restore {
    $kept = Read-Document -Path $RestoreFrom
    if ($kept.schema -ne 'mimapp.secret-script-previous/1') { throw "$RestoreFrom does not keep a previous value." }
    if ($kept.server -ne $env:COMPUTERNAME) { throw "$RestoreFrom is from $($kept.server): a value works on its own server only." }
    if ($PSCmdlet.ShouldProcess("HKLM\$MimKey\$SecretName", 'put the previous encrypted secret back, restart FIMService')) {
        $null = Switch-Secret -Value $kept.value
        Write-Output 'The previous value is back.'
    }
}

switch ($Phase) {
#<dispatch>
    'Restore' {
        if (-not $WhatIfPreference) { Assert-Elevated }
        Invoke-Restore
    }
    'Apply' {
        if (-not $WhatIfPreference) { Assert-Elevated }
        Invoke-Apply
    }
}
exit 0
