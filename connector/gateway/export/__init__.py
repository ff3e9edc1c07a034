"""The gateway as a configuration of another proxy, for when one machine is too small; no request loads this."""

from __future__ import annotations

from typing import Literal

from connector.catalogue import Catalogue
from connector.config import Configuration
from connector.gateway.export.envoy import write_envoy
from connector.gateway.export.nginx import write_nginx
from connector.gateway.export.planner import make_plan

__all__ = ["Proxy", "export_proxy_config"]

Proxy = Literal["nginx", "envoy"]


def export_proxy_config(
    configuration: Configuration, proxy: Proxy, catalogue: Catalogue, port: int | None = None
) -> str:
    """Return a configuration of a proxy, without secrets; comments list what the proxy cannot do.

    Args:
        configuration: with its `gateway` section.
        proxy: which proxy.
        catalogue: says what paths mean.
        port: replaces the configured one.
    """
    plan = make_plan(configuration, catalogue, port)
    return write_nginx(plan) if proxy == "nginx" else write_envoy(plan)
