"""Configurations of other platforms, as folders of ours with a report of what could not be carried over."""

from connector.migrate.alumio import import_alumio
from connector.migrate.atlas import import_atlas
from connector.migrate.report import Count, Line, Report

__all__ = ["Count", "Line", "Report", "import_alumio", "import_atlas"]
