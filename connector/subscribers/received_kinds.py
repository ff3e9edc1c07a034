"""The kinds whose documents are sent to a process that listens."""

from __future__ import annotations

from connector.subscribers.http_receiver import HTTP_RECEIVER
from connector.subscribers.webhook import WEBHOOK

__all__ = ["RECEIVING"]

RECEIVING = frozenset({HTTP_RECEIVER.name, WEBHOOK.name})
"""Their names."""
