"""One module a command or group of commands; `mimapp.cli.names` says which, and imports none of them."""
