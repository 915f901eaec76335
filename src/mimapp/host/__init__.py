"""The MIM server's side: what its administrator types, runs and reads; tables in, text out, never the network.

`options`, `pages`, `sheet` own the installer; `tls` the registry values of TLS and .NET; `collect` and `check` what
is read back from the server; `secret_script` the unattended change of the secret; `explain` what goes wrong.
This room owns no tenant: what it has to know of a registration comes in as `RegistrationFacts`.
"""
