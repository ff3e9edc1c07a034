"""An authenticating proxy: applications call it with its own tokens, and it calls on with a client's credentials."""
