#requires -Version 5.1
<#
Proves on this server that MIM Service's client secret gets a token, and that Exchange Online answers with it.
Made by mimapp for one application and one mailbox. It asks for the secret, keeps it nowhere, sends it to the sign-in
host alone, and changes nothing: it reads the id of the inbox, no mail.
Parsed, and compared with what mimapp itself sends; not yet run on Windows.
Ends with 0 when mail access works, 1 when it does not, 2 when the secret cannot be used as typed.
#>
[CmdletBinding()]
param()
$ErrorActionPreference = 'Stop'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$applicationId = #<application-id>
$tenantId = #<tenant-id>
$mailbox = #<mailbox>
$login = #<login>
$exchange = #<exchange>
$scope = #<scope>

function Read-Answer($failure) {
    # What the service said, from either PowerShell: 7 keeps the body, 5.1 leaves it in the stream.
    if ($failure.ErrorDetails -and $failure.ErrorDetails.Message) { return $failure.ErrorDetails.Message }
    $response = $failure.Exception.Response
    if ($null -eq $response) { return $failure.Exception.Message }
    try {
        $reader = New-Object IO.StreamReader($response.GetResponseStream())
        return $reader.ReadToEnd()
    } catch { return $failure.Exception.Message }
}

$typed = Read-Host -Prompt 'Client secret (it is not shown)' -AsSecureString
$secret = (New-Object Net.NetworkCredential('', $typed)).Password
$guid = [Guid]::Empty
if ([Guid]::TryParse($secret, [ref]$guid)) {
    Write-Output 'This is the id of a secret, not its value.'
    exit 2
}
$form = @{ client_id = $applicationId; client_secret = $secret; scope = $scope; grant_type = 'client_credentials' }
try {
    $token = Invoke-RestMethod -Method Post -Uri "$login/$tenantId/oauth2/v2.0/token" -Body $form
} catch {
    Write-Output 'Token: refused. Entra said:'
    Write-Output (Read-Answer $_)
    exit 1
} finally {
    $secret = $null
    $form = $null
}
Write-Output 'Token: came.'

$address = [Security.SecurityElement]::Escape($mailbox)
$body = @"
<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">
  <soap:Header>
    <t:RequestServerVersion Version="Exchange2016"/>
    <t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>$address</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>
  </soap:Header>
  <soap:Body>
    <m:GetFolder>
      <m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>
      <m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds>
    </m:GetFolder>
  </soap:Body>
</soap:Envelope>
"@
$headers = @{ Authorization = "Bearer $($token.access_token)"; 'X-AnchorMailbox' = $mailbox }
try {
    $reply = Invoke-WebRequest -UseBasicParsing -Method Post -Uri "$exchange/EWS/Exchange.asmx" -Headers $headers -ContentType 'text/xml; charset=utf-8' -Body $body
} catch {
    $response = $_.Exception.Response
    if ($null -ne $response) {
        Write-Output "EWS: refused with HTTP $([int]$response.StatusCode)."
        foreach ($name in 'X-EWS-Policy-Reason', 'x-ms-diagnostics') {
            $said = $response.Headers[$name]
            if ($said) { Write-Output "${name}: $said" }
        }
    }
    Write-Output (Read-Answer $_)
    exit 1
}
if ($reply.Content -match 'ResponseCode>NoError<') {
    Write-Output "EWS: answered for $mailbox. Mail access works from this server."
    exit 0
}
Write-Output 'EWS: answered, and not with the folder:'
Write-Output $reply.Content
exit 1
