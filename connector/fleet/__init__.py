"""What processes on one account share: limits are divided among them each second, and what one hears all know.

`divider` says what processes tell and are given, `division` how a limit is divided, `part` what one process does with
its part of a limit, `account` lets calls wait for it, and `shares` asks for all accounts of a process at once.
"""

from __future__ import annotations

from connector.fleet.account import AccountShare
from connector.fleet.divider import Answer, Ask, Away, Divider, Grant, Sign
from connector.fleet.division import MemoryDivider
from connector.fleet.shares import FleetShares, open_shares

__all__ = [
    "AccountShare", "Answer", "Ask", "Away", "Divider", "FleetShares", "Grant", "MemoryDivider", "Sign", "open_shares",
]  # fmt: skip
