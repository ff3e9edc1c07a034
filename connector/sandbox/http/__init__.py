"""The HTTP side of a sandbox: from the socket to the handler and back."""
