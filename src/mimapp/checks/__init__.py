"""Read-only questions about a tenant: is it right, what is there, what does an answer mean."""
