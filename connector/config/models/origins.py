"""Origins of pages in browsers: exact, in the one form in which browsers send them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from connector.config.models.section import one_or_more

__all__ = ["Origins", "check_origin"]

FORM = re.compile(r"(?P<scheme>https?)://(?P<host>\[[^\[\]/?#@]*\]|[^\[\]/?#@:]*)(?::(?P<port>\d*))?(?P<rest>[/?#].*)?")
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
DEFAULT_PORTS = {"http": "80", "https": "443"}
EXAMPLE = "https://app.example.com or http://localhost:3000 is allowed: scheme, host, and the port if there is one"
SHOWN = 80


def check_origin(text: str) -> str:
    """Return an origin as browsers send it; raise ValueError, with what is wrong with any other text."""
    found = FORM.fullmatch(text)
    if "*" in text:
        why = "a wildcard lets in pages that you do not know, and one of them is enough: name each origin"
    elif text == "null":
        why = "every local file and sandboxed frame calls itself null, so it names no page"
    elif found is None:
        why = EXAMPLE
    else:
        why = next(_faults(found), "")
    if why:
        raise ValueError(f"found {text[:SHOWN]!r}; {why}")
    return text


def _faults(found: re.Match[str]) -> Iterator[str]:
    scheme, host, port, rest = found["scheme"], found["host"], found["port"], found["rest"]
    origin = f"{scheme}://{host}{'' if port is None else f':{port}'}"
    if rest:
        yield f"an origin ends before the path, and holds for all pages of it: write {origin[:SHOWN]}"
    if not host.isascii():
        ascii_host = _encode(host)
        yield f"browsers send such a name in its ASCII form{f': write {scheme}://{ascii_host}' if ascii_host else ''}"
    if host != host.lower():
        yield f"browsers send it in lower case: write {origin.lower()[:SHOWN]}"
    if host.endswith("."):
        yield f"a host that ends in a dot is another origin than the one without: write {scheme}://{host.rstrip('.')}"
    if not _is_host(host):
        yield f"the host {host[:SHOWN]!r} is none that browsers send; {EXAMPLE}"
    if port is not None:
        yield from _port_faults(scheme, host, port)
    if scheme == "http" and not _is_this_machine(host):
        yield "whoever is on the way can change a page that comes over http, and take its token: only https is allowed"


def _port_faults(scheme: str, host: str, port: str) -> Iterator[str]:
    if port in ("", DEFAULT_PORTS[scheme]):
        yield f"browsers leave out the port that {scheme} has anyway: write {scheme}://{host}"
    elif not 0 < int(port) <= 65535 or port.startswith("0"):
        yield "a port is a number from 1 to 65535, without zeros before it"


def _is_host(host: str) -> bool:
    """Return whether a host is in the form that browsers make of it."""
    if host.startswith("["):
        return _is_canonical(IPv6Address, host[1:-1])
    labels = host.split(".")
    if labels[-1].isdecimal() or labels[-1].startswith("0x"):
        return _is_canonical(IPv4Address, host)
    return len(host) <= 253 and all(LABEL.fullmatch(label) for label in labels)


def _is_canonical(kind: type[IPv4Address | IPv6Address], text: str) -> bool:
    try:
        return "%" not in text and str(kind(text)) == text
    except ValueError:
        return False


def _is_this_machine(host: str) -> bool:
    if host.startswith("["):
        return IPv6Address(host[1:-1]).is_loopback
    labels = host.split(".")
    return labels[-1] == "localhost" or (labels[0] == "127" and labels[-1].isdecimal())


def _encode(host: str) -> str:
    """Return a name in its ASCII form, or empty text when it has none."""
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        return ""


Origins = Annotated[
    tuple[Annotated[str, AfterValidator(check_origin)], ...],
    BeforeValidator(one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
