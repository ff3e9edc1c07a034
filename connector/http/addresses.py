"""Which addresses a client may talk to: the configured one, over TLS, and never a machine's metadata service."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from connector.errors import ConfigurationError

__all__ = ["check_addresses", "check_base_uri", "find_region", "is_loopback", "is_off_limits"]

METADATA = (ip_address("100.100.100.200"), ip_address("fd00:ec2::254"), ip_address("fd20:ce::254"))
REGIONAL_HOST = re.compile(r"(?:mtls-)?([a-z]{2})\.api\.openai\.com")
"""The hosts that process requests in their region, and those of them that want a certificate."""
NAT64 = ip_network("64:ff9b::/96")


def check_base_uri(uri: str, allowed_hosts: Collection[str] = (), name: str = "base_uri") -> str:
    """Return the address without its trailing slash; ConfigurationError, with the parameter's name, if refused."""
    parts = _split_url(uri)
    if parts is None:
        raise ConfigurationError(f"{name} is not a URL: give one such as https://api.openai.com/v1")
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigurationError(f"{name} needs https:// and a host, such as https://api.openai.com/v1")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{name} must not hold credentials: give them as token or headers")
    if parts.query or parts.fragment or any(char <= " " or char == "\\" for char in uri):
        raise ConfigurationError(f"{name} must be an address and a path only, without query, fragment or spaces")
    _check_host(host, parts.scheme, allowed_hosts, name)
    return uri.rstrip("/")


def _split_url(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  a port that is no number is only found when it is asked for
    except ValueError:
        return None
    return parts


def _check_host(host: str, scheme: str, allowed_hosts: Collection[str], name: str) -> None:
    if host in allowed_hosts:
        return
    if is_off_limits(host):
        raise ConfigurationError(
            f"{name} points to {host}, a link-local or metadata address: add it to allowed_hosts if that is meant"
        )
    if scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"{name} would send credentials to {host} in the clear: use https, or add the host to allowed_hosts"
        )


def find_region(base_uri: str) -> str:
    """Return the region of an address with data residency, such as `eu`; empty for any other address."""
    parts = _split_url(base_uri)
    found = REGIONAL_HOST.fullmatch((parts.hostname or "").rstrip(".")) if parts is not None else None
    return found[1] if found is not None else ""


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine."""
    address = _parse_address(host)
    return address.is_loopback if address else host.lower() == "localhost"


def is_off_limits(host: str) -> bool:
    """Return whether the host is written as a link-local or metadata address."""
    address = _parse_address(host)
    return address is not None and (address.is_link_local or address in METADATA)


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address
    return address


def check_addresses(host: str, addresses: Iterable[str], allowed_hosts: Collection[str] = ()) -> None:
    """Refuse a name that leads to a link-local or metadata address, unless the name is allowed."""
    if host.rstrip(".") in allowed_hosts:
        return
    for address in addresses:
        if is_off_limits(address):
            raise ConfigurationError(
                f"{host} leads to {address}, a link-local or metadata address: nothing was sent; "
                "add the name to allowed_hosts if that is meant"
            )
