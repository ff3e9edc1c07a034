"""What a tap and a target say of themselves: their settings, and what they can do."""

from __future__ import annotations

from collections.abc import Sequence

from connector.hosts.streams.form import make_form
from connector.hosts.streams.settings import Settings
from connector.model import JSON
from connector.version import version

__all__ = ["describe_plugin"]


def describe_plugin(name: str, description: str, settings: type[Settings], capabilities: Sequence[str]) -> JSON:
    """Return what runners ask a plug-in for before they install or configure it."""
    return {
        "name": name,
        "description": description,
        "version": version(),
        "capabilities": ["about", *capabilities],
        "settings": make_form(settings, name),
    }
