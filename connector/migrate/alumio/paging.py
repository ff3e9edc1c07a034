"""Exported ways of going from page to page."""

from __future__ import annotations

from connector.migrate.report import Log
from connector.migrate.shapes import as_map
from connector.model import JSON

__all__ = ["our_paging"]


def our_paging(raw: dict[str, JSON], path: str, log: Log) -> dict[str, JSON] | None:
    """How the pages go on here; nothing when there is one page, or no way that is known."""
    kind = raw.get("prototype")
    if not isinstance(kind, str):
        return None
    given = as_map(raw.get("parameters"))
    found = _known(kind, given)
    if found is None:
        log.refused(raw, path, f"the pagination {kind!r} has no counterpart here; one page is read")
        return None
    log.mapped(kind)
    for name in ("pageLimit", "page_limit"):
        if given.get(name):
            log.changed(
                f"{path}.{name}",
                f"pages are not counted here; give `limit`, in documents, to stop early ({given[name]})",
            )
    return found


def _known(kind: str, given: dict[str, JSON]) -> dict[str, JSON] | None:
    name = str(given.get("parameter") or given.get("queryParameter") or given.get("name") or "")
    pattern = given.get("pattern")
    if kind in ("next", "next-link") and isinstance(pattern, str) and pattern:
        return {"by": "next_link", "read": pattern}
    if kind in ("link", "link-header", "next", "next-link"):
        return {"by": "next_link"}
    if kind in ("page", "page-number"):
        return {"by": "page", "write": f"query.{name or 'page'}"}
    if kind in ("offset", "limit-offset"):
        return {"by": "offset", "write": f"query.{name or 'offset'}"}
    if kind == "cursor" and isinstance(pattern, str) and pattern:
        return {"by": "cursor", "read": pattern, "write": f"query.{name or 'cursor'}"}
    return None
