"""Microsoft Entra sign-in of the sandbox: metadata, keys, and tokens for secrets, device codes and refresh tokens."""
