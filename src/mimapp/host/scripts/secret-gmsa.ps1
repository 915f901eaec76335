$Managed = $true
$KeyService = 'MIMKeyProtectService'

function Invoke-Probe {
    # Runs as the gMSA, by a task that -Phase Apply makes for it: do the old and the new value decrypt as this account?
    $ask = Read-Document -Path (Join-Path -Path $WorkFolder -ChildPath 'ask.json')
    Write-Document -Path (Join-Path -Path $WorkFolder -ChildPath 'answer.json') -Document ([ordered]@{
        id  = $ask.id
        sid = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
        old = Test-Value -Value (Read-MachineText -Key $MimKey -Name $SecretName)
        new = Test-Value -Value "$($ask.value)"
    })
}

function Test-AsAccount {
    # The plain lengths of the value in use and of a new one, as the gMSA sees them; -1 for what does not decrypt.
    param($Account, [string] $Value)
    $id = [Guid]::NewGuid().ToString()
    $ask = Join-Path -Path $WorkFolder -ChildPath 'ask.json'
    $answer = Join-Path -Path $WorkFolder -ChildPath 'answer.json'
    $copy = Join-Path -Path $WorkFolder -ChildPath 'probe.ps1'
    [IO.File]::Delete($answer)
    [IO.File]::Copy($PSCommandPath, $copy, $true)
    Write-Document -Path $ask -Document ([ordered]@{ id = $id; value = $Value })
    $shell = Join-Path -Path $env:SystemRoot -ChildPath 'System32\WindowsPowerShell\v1.0\powershell.exe'
    $words = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{0}" -Phase Probe -WorkFolder "{1}"' -f $copy, $WorkFolder
    $action = New-ScheduledTaskAction -Execute $shell -Argument $words
    $principal = New-ScheduledTaskPrincipal -UserId $Account.Name -LogonType Password
    $task = "mimapp-probe-$id"
    $null = Register-ScheduledTask -TaskName $task -Action $action -Principal $principal
    try {
        Start-ScheduledTask -TaskName $task
        $until = [DateTime]::UtcNow.AddSeconds(120)
        while (-not [IO.File]::Exists($answer) -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Seconds 2 }
        if (-not [IO.File]::Exists($answer)) {
            throw "The test as $($Account.Name) gave no answer: does the account have the right to log on as a batch job? Nothing is written."
        }
        # The file may still be open for writing.
        Start-Sleep -Seconds 2
        $found = Read-Document -Path $answer
    } finally {
        Unregister-ScheduledTask -TaskName $task -Confirm:$false
        [IO.File]::Delete($ask)
        [IO.File]::Delete($answer)
        [IO.File]::Delete($copy)
    }
    if ($found.id -ne $id -or $found.sid -ne $Account.Sid) { throw 'The test ran as another account. Nothing is written.' }
    return $found
}

function Protect-ByService {
    # Microsoft's published mechanism: a temporary service as the gMSA, argument e, plain text in and cipher text out.
    param($Account, [string] $Secret)
    if (@(Get-Service | Where-Object { $_.Name -eq $KeyService }).Count -gt 0) {
        throw "$KeyService is left over from an earlier run (the installer fails on it, too): sc.exe delete $KeyService"
    }
    $image = (Read-MachineText -Key $ServiceKey -Name 'ImagePath').Replace('"', '')
    $image = Join-Path -Path ([IO.Path]::GetDirectoryName($image)) -ChildPath 'Microsoft.IdentityManagement.KeyProtectService.exe'
    if (-not [IO.File]::Exists($image)) { throw "$image is not there." }
    $null = sc.exe create $KeyService 'binpath=' $image 'displayname=' 'MIM Key Protect Service' 'obj=' $Account.Name
    if ($LASTEXITCODE -ne 0) { throw "$KeyService could not be made (sc.exe ended with $LASTEXITCODE)." }
    try {
        $service = Get-Service -Name $KeyService
        $service.Start('e')
        $service.WaitForStatus('Running', '00:00:30')
        $pipe = New-Object -TypeName IO.Pipes.NamedPipeClientStream -ArgumentList '.', 'keypipe', 'Out'
        $pipe.Connect(30000)
        $writer = New-Object -TypeName IO.StreamWriter -ArgumentList $pipe
        $writer.AutoFlush = $true
        $writer.Write($Secret)
        $writer.Dispose()
        $pipe.Dispose()
        $pipe = New-Object -TypeName IO.Pipes.NamedPipeClientStream -ArgumentList '.', 'keypipe', 'In'
        $pipe.Connect(30000)
        $reader = New-Object -TypeName IO.StreamReader -ArgumentList $pipe
        $value = $reader.ReadToEnd()
        $reader.Dispose()
        $pipe.Dispose()
    } finally {
        try {
            $service = Get-Service -Name $KeyService
            if ($service.Status.ToString() -ne 'Stopped') {
                $service.Stop()
                $service.WaitForStatus('Stopped', '00:00:30')
            }
        } finally {
            $null = sc.exe delete $KeyService
        }
    }
    return $value
}

function Get-NewValue {
    param($Account, [string] $Old)
    if ((Test-AsAccount -Account $Account -Value $Old).old -lt 1) {
        throw "The value in use now does not decrypt as $($Account.Name): nothing is written. Use the installer."
    }
    $new = Read-NewSecret
    $value = Protect-ByService -Account $Account -Secret $new.Secret
    $seen = Test-AsAccount -Account $Account -Value $value
    if ($seen.new -ne $new.Secret.Length) {
        throw "What $KeyService gave does not decrypt as $($Account.Name): nothing is written. Use the installer."
    }
    return @{ Value = $value; KeyId = $new.KeyId }
}

