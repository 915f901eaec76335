$Managed = $false

function Invoke-Prepare {
    $account = Get-ServiceAccount
    if ($PSCmdlet.ShouldProcess($WorkFolder, "make the folder, for administrators and $($account.Name)")) {
        New-WorkFolder -Sid $account.Sid
        Write-Output "Now run -Phase Protect as $($account.Name)."
    }
}

function Invoke-Protect {
    # Runs as the service account: only it can open what it protects, and on this server only.
    $account = Get-ServiceAccount
    $me = [Security.Principal.WindowsIdentity]::GetCurrent()
    if ($me.User.Value -ne $account.Sid) { throw "Run this phase as $($account.Name), on this server." }
    $old = Read-MachineText -Key $MimKey -Name $SecretName
    if ($old -eq '' -or (Test-Value -Value $old) -lt 1) {
        throw 'The value in use now does not decrypt as this account: nothing is written. Use the installer.'
    }
    if (-not $PSCmdlet.ShouldProcess($WorkFolder, 'protect the new secret as this account')) { return }
    $new = Read-NewSecret
    $plain = [Text.Encoding]::Unicode.GetBytes($new.Secret)
    try {
        $blob = [Security.Cryptography.ProtectedData]::Protect($plain, $null, [Security.Cryptography.DataProtectionScope]::CurrentUser)
    } finally {
        [Array]::Clear($plain, 0, $plain.Length)
    }
    $value = [Convert]::ToBase64String($blob)
    if ((Test-Value -Value $value) -ne $new.Secret.Length) { throw 'What was protected does not decrypt again.' }
    Write-Document -Path (Join-Path -Path $WorkFolder -ChildPath 'protected.json') -Document ([ordered]@{
        schema  = 'mimapp.secret-script-protected/1'
        server  = $env:COMPUTERNAME
        sid     = $account.Sid
        old     = Get-Fingerprint -Text $old
        value   = $value
        keyId   = $new.KeyId
        ticks   = [DateTime]::UtcNow.Ticks
    })
    Write-Output 'Protected. Now run -Phase Apply in an elevated PowerShell.'
}

function Get-NewValue {
    param($Account, [string] $Old)
    $file = Join-Path -Path $WorkFolder -ChildPath 'protected.json'
    if (-not [IO.File]::Exists($file)) { throw "Run -Phase Protect as $($Account.Name) first." }
    $made = Read-Document -Path $file
    if ($made.schema -ne 'mimapp.secret-script-protected/1' -or $made.server -ne $env:COMPUTERNAME -or $made.sid -ne $Account.Sid) {
        throw "$file was made on another server or by another account."
    }
    # Protect has shown that the old value decrypts; that holds for the value it saw, no other.
    if ($made.old -cne (Get-Fingerprint -Text $Old)) { throw 'The value in the registry has changed since -Phase Protect: run that again.' }
    if ($made.ticks -lt [DateTime]::UtcNow.AddHours(-24).Ticks) { throw "$file is older than a day: run -Phase Protect again." }
    [IO.File]::Delete($file)
    return @{ Value = $made.value; KeyId = $made.keyId }
}

