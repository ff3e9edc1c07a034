"""Cases of chains and of whole connections, run without a network."""

from __future__ import annotations

from connector.pipeline.testing.cases import Checked, record_connection_case
from connector.pipeline.testing.files import found_files, load_for_cases, run_files
from connector.pipeline.testing.junit import junit

__all__ = ["Checked", "found_files", "junit", "load_for_cases", "record_connection_case", "run_files"]
