"""An authenticating proxy: applications call it with a token of the gateway, and it calls on with the client's credentials."""
