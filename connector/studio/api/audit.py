"""The audit log."""

from __future__ import annotations

from fastapi import APIRouter

from connector.studio.access import Context, Viewer
from connector.studio.cursors import Cursor, Limit, read_cursor, write_cursor
from connector.studio.schemas.audit import AuditEntry
from connector.studio.schemas.base import Page, as_time

__all__ = ["router"]

router = APIRouter(tags=["audit"])


@router.get("/audit", summary="Read who did what")
async def read_audit(context: Context, _: Viewer, cursor: Cursor = None, limit: Limit = 50) -> Page[AuditEntry]:
    """Return what people and programs did through the studio, the newest first; what was refused too."""
    position = read_cursor(cursor, 1)
    before = position[0] if position and isinstance(position[0], int) else None
    found = await context.audit.read(before=before, limit=limit)
    items = [
        AuditEntry(
            id=str(one.number),
            at=as_time(one.at),
            who=one.who,
            role=one.role,
            action=one.action,
            subject=one.subject,
            verdict=one.verdict,
            detail=one.detail,
        )
        for one in found
    ]
    return Page[AuditEntry](items=items, next=write_cursor([found[-1].number]) if len(found) == limit else None)
