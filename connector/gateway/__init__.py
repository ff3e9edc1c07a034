"""An authenticating proxy: applications call it with its own tokens, and it calls on with a client's credentials."""

from __future__ import annotations

from connector.gateway.gateway import Gateway
from connector.gateway.listening import Listening
from connector.gateway.making import Clocks

__all__ = ["Clocks", "Gateway", "Listening"]
