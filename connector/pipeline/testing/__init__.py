"""Cases of chains and of whole connections, run without a network."""

from __future__ import annotations

from connector.pipeline.testing.cases import Checked
from connector.pipeline.testing.files import found_files, run_files
from connector.pipeline.testing.junit import junit

__all__ = ["Checked", "found_files", "junit", "run_files"]
