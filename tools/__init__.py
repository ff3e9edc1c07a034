"""Tools for those who develop the connector; never part of the wheel."""
