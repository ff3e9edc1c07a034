"""Fields for names and words that are fixed when a chain is written."""

from __future__ import annotations

from collections.abc import Sequence

from connector.model import JSON, is_list
from connector.request.display import kind, shown
from connector.suggestions import closest, did_you_mean
from connector.transform.declaration import Field
from connector.transform.site import Site

__all__ = ["choice", "names", "word"]


def word(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """A name that is fixed when the chain is written, such as a storage's; empty allowed only when not required."""

    def read(given: JSON, site: Site) -> str | None:
        if not isinstance(given, str) or (required and not given):
            site.fault(f"found {kind(given)}", "a name is needed")
            return None
        return given

    return Field("a name", summary, read, {"type": "string"}, required, default, tuple(aliases))


def choice(summary: str, options: Sequence[str], *, required: bool = False, default: str | None = None) -> Field:
    """One of a few words."""

    def read(given: JSON, site: Site) -> str | None:
        if given not in options:
            meant = did_you_mean(closest(given, options)) if isinstance(given, str) else ""
            site.fault(f"found {shown(given)}", f"allowed: {', '.join(options)}", meant)
            return None
        return str(given)

    return Field(" or ".join(options), summary, read, {"enum": list(options)}, required, default)


def names(summary: str, *, required: bool = False, aliases: Sequence[str] = ()) -> Field:
    """A list of texts."""

    def read(given: JSON, site: Site) -> list[str]:
        if isinstance(given, str | int) and not isinstance(given, bool):
            given = [given]
        if not is_list(given) or any(not isinstance(item, str | int) for item in given):
            site.fault(f"found {kind(given)}", "a list of names is needed")
            return []
        return [str(item) for item in given]

    schema = {"type": "array", "items": {"type": ["string", "integer"]}}
    return Field("a list of names", summary, read, schema, required, [], tuple(aliases))
