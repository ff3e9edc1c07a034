"""What processes on one account share: a limit is divided among them, each second anew.

`divider` says what processes tell and are given, `division` how a limit is divided, `share` what one process does with
its part, and `rates` makes clients wait for it.
"""

from __future__ import annotations

from connector.fleet.divider import Ask, Away, Divider, Grant
from connector.fleet.division import MemoryDivider
from connector.fleet.rates import FleetRates

__all__ = ["Ask", "Away", "Divider", "FleetRates", "Grant", "MemoryDivider"]
