"""Cases of chains and of whole connections, run without a network."""

from __future__ import annotations

from connector.connections.testing.files import found_files, run_files
from connector.connections.testing.junit import junit
from connector.connections.testing.report import Checked

__all__ = ["Checked", "found_files", "junit", "run_files"]
