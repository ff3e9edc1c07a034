"""Bound the number of connections: in all, by address, and a few extra ones that only health pages may use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

__all__ = ["EXTRA", "ConnectionLimits", "Slot", "network_of"]

EXTRA = 16
IPV6_PREFIX = 64
"""One subscriber of IPv6 has a whole network of this length, and may call from any of its addresses."""


class Slot:
    """The place of one connection; released once."""

    __slots__ = ("_release", "is_busy", "is_extra")

    def __init__(self, release: Callable[[Slot], None], *, is_extra: bool) -> None:
        self._release: Callable[[Slot], None] | None = release
        self.is_extra = is_extra
        """Whether it is beyond the bounds, so that only a health page is answered."""
        self.is_busy = False
        """Whether a call of an authenticated caller is under way on it."""

    def release(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release(self)


class ConnectionLimits:
    """Hand out the slots of connections.

    Args:
        total: slots of all addresses together.
        per_address: slots of one address.
    """

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._taken = 0
        self._by_network: dict[str, OrderedDict[Slot, Callable[[], None]]] = {}
        self._extra: OrderedDict[Slot, Callable[[], None]] = OrderedDict()

    def acquire(self, address: str, evict: Callable[[], None]) -> Slot:
        """Return a slot for a connection; an extra one when every other is taken.

        Args:
            address: where the connection comes from.
            evict: ends the connection, when another one needs its slot more.
        """
        network = network_of(address)
        held = len(self._by_network.get(network, ()))
        if held >= self._per_address or (self._taken >= self._total and not self._evict_idle(held)):
            return self._acquire_extra(evict)
        slot = Slot(lambda slot: self._release(network, slot), is_extra=False)
        self._taken += 1
        self._by_network.setdefault(network, OrderedDict())[slot] = evict
        return slot

    def _evict_idle(self, held: int) -> bool:
        """End the oldest idle connection of the address that has the most, and return whether there was one.

        Nothing is ended for an address that would then have as many itself.
        """
        most = max(self._by_network.values(), key=len)
        idle = next((slot for slot in most if not slot.is_busy), None) if len(most) > held + 1 else None
        if idle is None:
            return False
        evict = most[idle]
        idle.release()
        evict()
        return True

    def _acquire_extra(self, evict: Callable[[], None]) -> Slot:
        if len(self._extra) >= EXTRA:
            # The newest is as likely a health check as any, and is answered before sixteen others come.
            _, evict_oldest = self._extra.popitem(last=False)
            evict_oldest()
        slot = Slot(self._release_extra, is_extra=True)
        self._extra[slot] = evict
        return slot

    def _release_extra(self, slot: Slot) -> None:
        self._extra.pop(slot, None)

    def _release(self, network: str, slot: Slot) -> None:
        self._taken -= 1
        slots = self._by_network[network]
        del slots[slot]
        if not slots:
            del self._by_network[network]


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the network of an IPv6 address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    mapped = found.ipv4_mapped
    return str(mapped) if mapped is not None else str(int(found) >> (128 - IPV6_PREFIX))
