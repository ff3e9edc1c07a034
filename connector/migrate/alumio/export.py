"""Read exports: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connector.documents import parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.migrate.notation import as_map
from connector.migrate.report import ObjectLog, Report
from connector.model import JSON, is_object

__all__ = ["Exported", "make_exported", "read_exports"]


@dataclass(frozen=True, slots=True)
class Exported:
    """One object of an export."""

    kind: str
    identifier: str
    title: str
    comment: str
    owner: str
    disabled: bool
    body: dict[str, JSON]
    """What its `object` is; it holds `parameters` and, for most kinds, `prototype`."""
    whole: JSON
    log: ObjectLog

    @property
    def parameters(self) -> dict[str, JSON]:
        return as_map(self.body.get("parameters"))

    @property
    def prototype(self) -> str:
        return _text(self.body.get("prototype"))


def read_exports(paths: list[Path], report: Report) -> Iterator[Exported]:
    """Yield the objects of all files in their order; report and skip a line that holds none."""
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
            if line.strip():
                log = ObjectLog(report, path.name, number, "")
                try:
                    yield _object(line, log)
                except _Unreadable as error:
                    report.count_object("(unreadable)", imported=False)
                    log.add_lost("", str(error))


class _Unreadable(Exception):
    """Why a line is no object of an export."""


def _object(line: bytes, log: ObjectLog) -> Exported:
    try:
        return make_exported(parse(line, "the line"), log)
    except InvalidDocument as error:
        raise _Unreadable(str(error)) from None


def make_exported(value: JSON, log: ObjectLog) -> Exported:
    """Return the object that a value of an export describes."""
    if not is_object(value):
        raise _Unreadable("the line holds no object; an export has one on each line")
    kind, identifier = _text(value.get("type")), _text(value.get("identifier"))
    if not kind or not identifier:
        raise _Unreadable(f"the object has no {'identifier' if kind else 'type'}")
    return Exported(
        kind=kind,
        identifier=identifier,
        title=_text(value.get("name")) or identifier,
        comment=_text(value.get("description")),
        owner=_text(value.get("owner")),
        disabled=value.get("disabled") in (True, 1, "true"),
        body=as_map(value.get("object")),
        whole=value,
        log=ObjectLog(log.report, log.file, log.line, f"{kind} {identifier}"),
    )


def _text(value: JSON) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
