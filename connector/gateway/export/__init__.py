"""The same gateway as a configuration of another proxy, for when one machine is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from connector.gateway.export.envoy import envoy
from connector.gateway.export.nginx import nginx
from connector.gateway.export.planning import plan_of

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Configuration

__all__ = ["Proxy", "exported"]

Proxy = Literal["nginx", "envoy"]


def exported(configuration: Configuration, proxy: Proxy, catalogue: Catalogue, port: int | None = None) -> str:
    """A configuration of that proxy, without any secret; what it cannot carry is listed in its comments."""
    plan = plan_of(configuration, catalogue, port)
    return nginx(plan) if proxy == "nginx" else envoy(plan)
