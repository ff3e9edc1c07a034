"""Bounds on connections: in all, by address, and a few extra ones that only health pages may use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

__all__ = ["Seat", "Seats", "network_of"]

EXTRA = 16
IPV6_PREFIX = 64
"""One subscriber of IPv6 has a whole network of this length, and may call from any of its addresses."""


class Seat:
    """The place of one connection; given back once."""

    __slots__ = ("_give_back", "extra", "in_use")

    def __init__(self, give_back: Callable[[Seat], None], *, extra: bool) -> None:
        self._give_back: Callable[[Seat], None] | None = give_back
        self.extra = extra
        """Whether it is beyond the bounds, so that only a health page is answered."""
        self.in_use = False
        """Whether a call of a known caller is under way on it."""

    def leave(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back(self)


class Seats:
    """Counts connections.

    Args:
        most: of all addresses together.
        most_of_one: of one address.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken = 0
        self._by_network: dict[str, OrderedDict[Seat, Callable[[], None]]] = {}
        self._extra: OrderedDict[Seat, Callable[[], None]] = OrderedDict()

    def take(self, address: str, evict: Callable[[], None]) -> Seat:
        """A place for a connection; an extra one when every other is taken.

        Args:
            address: where the connection comes from.
            evict: ends the connection, when somebody else needs its place more.
        """
        network = network_of(address)
        held = len(self._by_network.get(network, ()))
        if held >= self._most_of_one or (self._taken >= self._most and not self._one_less_for(held)):
            return self._take_extra(evict)
        seat = Seat(lambda seat: self._give_back(network, seat), extra=False)
        self._taken += 1
        self._by_network.setdefault(network, OrderedDict())[seat] = evict
        return seat

    def _one_less_for(self, held: int) -> bool:
        """Ends the oldest connection without a call under way of the address that has the most.

        Nothing is ended for an address that would then have as many itself.
        """
        most = max(self._by_network.values(), key=len)
        idle = next((seat for seat in most if not seat.in_use), None) if len(most) > held + 1 else None
        if idle is None:
            return False
        evict = most[idle]
        idle.leave()
        evict()
        return True

    def _take_extra(self, evict: Callable[[], None]) -> Seat:
        if len(self._extra) >= EXTRA:
            # The newest is a health check as likely as any, and is answered before sixteen others come.
            _, evict_oldest = self._extra.popitem(last=False)
            evict_oldest()
        seat = Seat(self._give_back_extra, extra=True)
        self._extra[seat] = evict
        return seat

    def _give_back_extra(self, seat: Seat) -> None:
        self._extra.pop(seat, None)

    def _give_back(self, network: str, seat: Seat) -> None:
        self._taken -= 1
        held = self._by_network[network]
        del held[seat]
        if not held:
            del self._by_network[network]


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the network that an IPv6 address belongs to."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    mapped = found.ipv4_mapped
    return str(mapped) if mapped is not None else str(int(found) >> (128 - IPV6_PREFIX))
