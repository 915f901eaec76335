#Requires -Version 4.0
<#
.SYNOPSIS
Reads what decides about MIM Service's mail on this server, and writes it to one JSON file for mimapp host check.

.DESCRIPTION
Made by mimapp. It only reads, apart from its own output file. Run it in an elevated PowerShell on each MIM Service
server. Of the encrypted client secret and of the access token it takes no data: only that they are there, how long
they are, and when their key was last written.

Parsed and run against a model by its makers; not yet run on Windows.

.PARAMETER OutFile
The JSON file to write.
#>
[CmdletBinding()]
param(
    [string] $OutFile = (Join-Path -Path (Get-Location).Path -ChildPath "mimapp-collected-$env:COMPUTERNAME.json")
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# .NET would take a relative path from where the process started, not from where you are.
$OutFile = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($OutFile)

$Hosts = @(#<hosts>)
$Watched = @(
#<watched>
)
$MimKey = #<mim-key>
$SecretName = #<secret-name>
$ServiceKey = #<service-key>
$UninstallKey = #<uninstall-key>
$Days = #<days>
$EventText = #<event-text>
$TokenText = #<token-text>

# The 64-bit view whatever the bitness of this PowerShell.
$View = [Microsoft.Win32.RegistryView]::Registry64
$Machine = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, $View)
$Users = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::Users, $View)
$AsIs = [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames

# When a key was last written is not in .NET; it needs this one call, and stays unknown where Add-Type is not allowed.
$CanReadTimes = $true
try {
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
} catch {
    $CanReadTimes = $false
}

function Get-KeyTime {
    param($Key)
    if (-not $CanReadTimes) { return $null }
    return [MimappRegistry]::Written($Key.Handle).ToString('o')
}

function Read-Watched {
    param([string] $Key, [string] $Name)
    $found = [ordered]@{ key = $Key; name = $Name; present = $false; kind = $null; data = $null }
    $handle = $Machine.OpenSubKey($Key)
    if ($null -eq $handle) { return $found }
    try {
        if ($handle.GetValueNames() -contains $Name) {
            $found.present = $true
            $found.kind = $handle.GetValueKind($Name).ToString()
            $found.data = $handle.GetValue($Name, $null, $AsIs)
        }
    } finally {
        $handle.Close()
    }
    return $found
}

function Read-Product {
    $products = @()
    $list = $Machine.OpenSubKey($UninstallKey)
    if ($null -eq $list) { return $products }
    foreach ($name in $list.GetSubKeyNames()) {
        $handle = $list.OpenSubKey($name)
        if ($null -eq $handle) { continue }
        if ("$($handle.GetValue('DisplayName'))" -eq 'Microsoft Identity Manager Service and Portal') {
            $products += [ordered]@{
                displayVersion  = "$($handle.GetValue('DisplayVersion'))"
                uninstallString = "$($handle.GetValue('UninstallString'))"
            }
        }
        $handle.Close()
    }
    $list.Close()
    return $products
}

function Read-Secret {
    $found = [ordered]@{ present = $false; length = 0; dpapi = $false; keyWritten = $null }
    $handle = $Machine.OpenSubKey($MimKey)
    if ($null -eq $handle) { return $found }
    $found.keyWritten = Get-KeyTime -Key $handle
    $text = "$($handle.GetValue($SecretName, ''))"
    $found.present = $text.Length -gt 0
    $found.length = $text.Length
    # How base64 of every DPAPI blob begins: its version and provider id, nothing of the secret.
    $found.dpapi = $text.StartsWith('AQAAANCMnd8BFdERjHoAwE/Cl+s')
    $handle.Close()
    return $found
}

function Read-Account {
    $name = "$((Read-Watched -Key $ServiceKey -Name 'ObjectName').data)"
    $found = [ordered]@{ name = $name; sid = $null; managed = $name.EndsWith('$') }
    if ($name -eq '') { return $found }
    if ($name -eq 'LocalSystem') {
        $found.sid = 'S-1-5-18'
        return $found
    }
    $full = $name
    if ($name.StartsWith('.\')) { $full = "$env:COMPUTERNAME\$($name.Substring(2))" }
    try {
        $account = New-Object -TypeName Security.Principal.NTAccount -ArgumentList $full
        $found.sid = $account.Translate([Security.Principal.SecurityIdentifier]).Value
    } catch {
        $found.sid = $null
    }
    return $found
}

function Read-Token {
    param($Sid)
    $found = [ordered]@{ readable = $false; present = $false; longest = 0; keyWritten = $null }
    if ($null -eq $Sid) { return $found }
    try {
        $hive = $Users.OpenSubKey($Sid)
    } catch {
        return $found
    }
    # The account's part of the registry is loaded while the service runs.
    if ($null -eq $hive) { return $found }
    $found.readable = $true
    $handle = $hive.OpenSubKey($MimKey)
    $hive.Close()
    if ($null -eq $handle) { return $found }
    $found.keyWritten = Get-KeyTime -Key $handle
    foreach ($name in $handle.GetValueNames()) {
        $length = "$($handle.GetValue($name))".Length
        if ($length -gt $found.longest) { $found.longest = $length }
    }
    # The name of the value is not known; a token is far longer than anything else that could stand there.
    $found.present = $found.longest -ge 200
    $handle.Close()
    return $found
}

function Read-FipsSwitch {
    $root = $Machine.OpenSubKey($ServiceKey)
    if ($null -eq $root) { return $null }
    $image = "$($root.GetValue('ImagePath'))".Replace('"', '')
    $root.Close()
    if ($image -eq '') { return $null }
    try {
        $config = New-Object -TypeName Xml.XmlDocument
        $config.XmlResolver = $null
        $config.Load("$image.config")
        $node = $config.SelectSingleNode('/configuration/runtime/enforceFIPSPolicy/@enabled')
        if ($null -eq $node) { return 'absent' }
        return $node.Value
    } catch {
        return $null
    }
}

function Test-Reach {
    param([string] $Name)
    $found = [ordered]@{ host = $Name; connected = $false; tls12 = $false; error = '' }
    $client = New-Object -TypeName Net.Sockets.TcpClient
    try {
        $waiting = $client.BeginConnect($Name, 443, $null, $null)
        if (-not $waiting.AsyncWaitHandle.WaitOne(5000)) {
            $found.error = 'no answer within 5 seconds'
            return $found
        }
        $client.EndConnect($waiting)
        $found.connected = $true
        $stream = New-Object -TypeName Net.Security.SslStream -ArgumentList ($client.GetStream())
        $stream.AuthenticateAsClient($Name, $null, [Security.Authentication.SslProtocols]::Tls12, $true)
        $found.tls12 = $true
        $stream.Close()
    } catch {
        $found.error = $_.Exception.Message
    } finally {
        $client.Close()
    }
    return $found
}

function Read-Event {
    $found = [ordered]@{
        readable = $true; days = $Days; scanned = 0
        connectCount = 0; connectLast = $null; tokenCount = 0; tokenLast = $null
    }
    $filter = @{ LogName = 'Application'; StartTime = (Get-Date).AddDays(-$Days) }
    $events = @()
    try {
        $events = @(Get-WinEvent -FilterHashtable $filter -MaxEvents 20000)
    } catch {
        # "No events were found" is an error, too; anything else means that the log cannot be read.
        if ("$($_.FullyQualifiedErrorId)" -notlike 'NoMatchingEventsFound*') { $found.readable = $false }
    }
    $found.scanned = $events.Count
    # Newest first.
    foreach ($one in $events) {
        $time = $one.TimeCreated.ToUniversalTime().ToString('o')
        if ($one.Id -eq 12 -and "$($one.Message)" -like $EventText) {
            if ($found.connectCount -eq 0) { $found.connectLast = $time }
            $found.connectCount += 1
        }
        if ("$($one.Message)" -like $TokenText) {
            if ($found.tokenCount -eq 0) { $found.tokenLast = $time }
            $found.tokenCount += 1
        }
    }
    return $found
}

$me = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList ([Security.Principal.WindowsIdentity]::GetCurrent())
$account = Read-Account
$status = $null
try { $status = (Get-Service -Name 'FIMService').Status.ToString() } catch { $status = $null }
$values = @()
foreach ($row in $Watched) { $values += Read-Watched -Key $row.Key -Name $row.Name }
$reach = @()
foreach ($name in $Hosts) { $reach += Test-Reach -Name $name }
$result = [ordered]@{
    schema      = 'mimapp.host-collected/1'
    collectedAt = [DateTime]::UtcNow.ToString('o')
    server      = $env:COMPUTERNAME
    elevated    = $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    products    = @(Read-Product)
    values      = $values
    secret      = Read-Secret
    account     = $account
    token       = Read-Token -Sid $account.sid
    fipsSwitch  = Read-FipsSwitch
    service     = $status
    reach       = $reach
    events      = Read-Event
}
[IO.File]::WriteAllText($OutFile, (ConvertTo-Json -InputObject $result -Depth 5))
Write-Output "Written: $OutFile"
Write-Output 'Take it to where mimapp is and run: mimapp host check FILE'
