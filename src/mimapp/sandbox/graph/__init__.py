"""Microsoft Graph v1.0 of the sandbox: applications, service principals, credentials, grants and the directory."""
