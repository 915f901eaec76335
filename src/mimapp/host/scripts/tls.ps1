#Requires -Version 4.0
<#
.SYNOPSIS
Sets TLS 1.2 and .NET strong cryptography on a MIM Service server.

.DESCRIPTION
Made by mimapp. Run it with -WhatIf first, then in an elevated PowerShell.
It sets only what differs, makes missing keys without touching what present keys hold, writes a backup of what it is
about to change, and changes nothing when all is right. -Undo takes such a backup and puts everything back.
TLS 1.0 and 1.1 are left alone unless the script was made with --disable-legacy. Turning them off means:
#<consequences>

Parsed and run against a model of the registry by its makers; not yet run on Windows.

.PARAMETER Undo
The backup file to put back.

.PARAMETER BackupFolder
Where the backup is written.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $Undo = '',
    [string] $BackupFolder = (Join-Path -Path $env:ProgramData -ChildPath 'mimapp')
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# .NET would take a relative path from where the process started, not from where you are.
$Paths = $ExecutionContext.SessionState.Path
if ($Undo -ne '') { $Undo = $Paths.GetUnresolvedProviderPathFromPSPath($Undo) }
$BackupFolder = $Paths.GetUnresolvedProviderPathFromPSPath($BackupFolder)

$DisableLegacy = #<disable-legacy>
$Wanted = @(
#<wanted>
)
$Legacy = @(
#<legacy>
)

# The 64-bit view whatever the bitness of this PowerShell: in a 32-bit one HKLM:\SOFTWARE would be WOW6432Node.
$Machine = [Microsoft.Win32.RegistryKey]::OpenBaseKey(
    [Microsoft.Win32.RegistryHive]::LocalMachine,
    [Microsoft.Win32.RegistryView]::Registry64
)
$AsIs = [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames

function Read-Setting {
    param([string] $Key, [string] $Name)
    $handle = $Machine.OpenSubKey($Key)
    if ($null -eq $handle) {
        return @{ HasValue = $false; Kind = ''; Data = $null }
    }
    try {
        if ($handle.GetValueNames() -notcontains $Name) {
            return @{ HasValue = $false; Kind = ''; Data = $null }
        }
        return @{
            HasValue = $true
            Kind     = $handle.GetValueKind($Name).ToString()
            Data     = $handle.GetValue($Name, $null, $AsIs)
        }
    } finally {
        $handle.Close()
    }
}

function Write-Setting {
    param([string] $Key, [string] $Name, [string] $Kind, $Data)
    # CreateSubKey opens a key that is there and keeps what it holds.
    $handle = $Machine.CreateSubKey($Key)
    try {
        $handle.SetValue($Name, $Data, [Microsoft.Win32.RegistryValueKind]$Kind)
    } finally {
        $handle.Close()
    }
}

function Get-MissingKey {
    param([string] $Key)
    $missing = @()
    $path = $Key
    while ($path -ne '') {
        $handle = $Machine.OpenSubKey($path)
        if ($null -ne $handle) {
            $handle.Close()
            break
        }
        $missing += $path
        $cut = $path.LastIndexOf('\')
        if ($cut -lt 0) { break }
        $path = $path.Substring(0, $cut)
    }
    return $missing
}

function Assert-Elevated {
    $me = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList ([Security.Principal.WindowsIdentity]::GetCurrent())
    if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'Run this in an elevated PowerShell (or with -WhatIf to look only).'
    }
}

function Show-Restart {
    param([string[]] $Groups)
    if ($Groups -contains 'schannel' -or $Groups -contains 'legacy') {
        Write-Output 'Restart this server: SCHANNEL reads its values at start.'
    } elseif ($Groups -contains 'dotnet') {
        Write-Output 'Restart the service: Restart-Service FIMService. Other .NET programs read the values at their next start.'
    }
}

function Restore-Backup {
    $backup = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($Undo))
    if ($backup.schema -ne 'mimapp.host-tls-backup/1') { throw "$Undo is not a backup of this script." }
    if ($backup.server -ne $env:COMPUTERNAME) { throw "$Undo was taken on $($backup.server), this is $env:COMPUTERNAME." }
    $groups = @()
    foreach ($old in $backup.values) {
        # Only what this script sets: a file that was tampered with reaches no other value.
        $known = @($Wanted + $Legacy | Where-Object { $_.Key -eq $old.key -and $_.Name -eq $old.name })
        if ($known.Count -ne 1) { throw "$Undo names $($old.key)\$($old.name), which this script never sets." }
        $now = Read-Setting -Key $old.key -Name $old.name
        if ($old.hasValue) {
            $data = $old.data
            if ($old.kind -eq 'Binary') { $data = [byte[]]@($old.data) }
            if ($old.kind -eq 'MultiString') { $data = [string[]]@($old.data) }
            if ($PSCmdlet.ShouldProcess("HKLM\$($old.key)\$($old.name)", "put back $($old.kind) $($old.data)")) {
                Write-Setting -Key $old.key -Name $old.name -Kind $old.kind -Data $data
                $groups += $known[0].Group
            }
        } elseif ($now.HasValue) {
            if ($PSCmdlet.ShouldProcess("HKLM\$($old.key)\$($old.name)", 'remove')) {
                $handle = $Machine.OpenSubKey($old.key, $true)
                $handle.DeleteValue($old.name)
                $handle.Close()
                $groups += $known[0].Group
            }
        }
    }
    foreach ($key in $backup.keys) {
        $handle = $Machine.OpenSubKey($key)
        if ($null -eq $handle) { continue }
        $inUse = ($handle.ValueCount + $handle.SubKeyCount) -gt 0
        $handle.Close()
        if ($inUse) { continue }
        if (@($Wanted + $Legacy | Where-Object { "$($_.Key)\".StartsWith("$key\") }).Count -eq 0) { continue }
        if ($PSCmdlet.ShouldProcess("HKLM\$key", 'remove the empty key')) {
            $Machine.DeleteSubKey($key)
        }
    }
    Show-Restart -Groups $groups
}

if (-not $WhatIfPreference) { Assert-Elevated }

if ($Undo -ne '') {
    Restore-Backup
    exit 0
}

if ($DisableLegacy) { $Wanted = $Wanted + $Legacy; $Legacy = @() }

$due = @()
$before = @()
$missing = @()
foreach ($row in $Wanted) {
    $now = Read-Setting -Key $row.Key -Name $row.Name
    if ($now.HasValue -and $now.Kind -eq 'DWord' -and $now.Data -eq $row.Data) { continue }
    $due += $row
    $before += @{
        key      = $row.Key
        name     = $row.Name
        hasValue = $now.HasValue
        kind     = $now.Kind
        data     = $now.Data
    }
    foreach ($key in @(Get-MissingKey -Key $row.Key)) {
        if ($missing -notcontains $key) { $missing += $key }
    }
}
if ($due.Count -eq 0) {
    Write-Output 'All values are right. Nothing to do.'
    exit 0
}

if (-not $WhatIfPreference) {
    $null = [IO.Directory]::CreateDirectory($BackupFolder)
    $stamp = [DateTime]::UtcNow.ToString('yyyyMMdd-HHmmss-fff')
    $file = Join-Path -Path $BackupFolder -ChildPath "tls-backup-$stamp.json"
    $backup = @{
        schema = 'mimapp.host-tls-backup/1'
        server = $env:COMPUTERNAME
        values = $before
        # Deepest first, so that -Undo can remove what is empty.
        keys   = @($missing | Sort-Object -Property Length -Descending)
    }
    [IO.File]::WriteAllText($file, (ConvertTo-Json -InputObject $backup -Depth 4))
    Write-Output "Backup: $file (put back with -Undo)"
}

$groups = @()
foreach ($row in $due) {
    if ($PSCmdlet.ShouldProcess("HKLM\$($row.Key)\$($row.Name)", "set DWORD $($row.Data)")) {
        Write-Setting -Key $row.Key -Name $row.Name -Kind 'DWord' -Data $row.Data
        $groups += $row.Group
    }
}
Show-Restart -Groups $groups
exit 0
