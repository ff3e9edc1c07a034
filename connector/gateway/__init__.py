"""An authenticating proxy: applications call it with its own tokens, and it forwards with a client's credentials."""

from __future__ import annotations

from connector.gateway.factory import Clocks
from connector.gateway.handler import Gateway
from connector.gateway.server import GatewayServer, bind_gateway

__all__ = ["Clocks", "Gateway", "GatewayServer", "bind_gateway"]
