"""The points of dlt's own, for those who have no dlt."""

__all__ = ["POINTS", "STEPS"]

STEPS = ("extract", "commit", "normalize", "job", "package")
POINTS = tuple(f"dlt.{step}.{when}" for step in STEPS for when in ("before", "after"))
