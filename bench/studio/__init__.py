"""The studio's queries over many stored tasks, on both engines, and what they cost a run beside them."""

from __future__ import annotations

from bench.studio.section import run

__all__ = ["run"]
