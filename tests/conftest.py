"""What holds in every test."""

from __future__ import annotations

import os

# Models that examples name retire one after the other; what a test expects must not change with the day.
os.environ["OPENAI_CONNECTOR_TODAY"] = "2026-01-01"
