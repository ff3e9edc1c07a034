"""Configurations of other platforms, as folders of ours with a report of what could not be carried over."""

from connector.importing.alumio import import_alumio
from connector.importing.atlas import import_atlas
from connector.importing.report import Count, Line, Report

__all__ = ["Count", "Line", "Report", "import_alumio", "import_atlas"]
