"""Resolving names without being led to a machine's metadata service."""

from __future__ import annotations

from collections.abc import Collection
from socket import AddressFamily

from aiohttp.abc import AbstractResolver, ResolveResult

from connector.http.addresses import check_resolved

__all__ = ["GuardedResolver"]


class GuardedResolver(AbstractResolver):
    """Resolves as another resolver does, and refuses names that lead to a link-local or metadata address."""

    def __init__(self, inner: AbstractResolver, allowed_hosts: Collection[str] = ()) -> None:
        self._inner = inner
        self._allowed_hosts = allowed_hosts

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        check_resolved(host, (result["host"] for result in found), self._allowed_hosts)
        return found

    async def close(self) -> None:
        await self._inner.close()
