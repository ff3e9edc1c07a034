"""Brings a catalogue folder up to a newer SDK and a newer document: built beside it, then put into its place."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connector.aio.atomic_folder import replace_folder, stage_folder
from connector.catalogue.catalogue import Catalogue
from connector.catalogue.importer.build import DOCUMENT, build_document, write_catalogue
from connector.catalogue.importer.document import read_document, read_servers
from connector.catalogue.importer.drift import Drift, compare_catalogues
from connector.catalogue.importer.sdk.facts import SdkOverlays, read_overlays_of_sdk
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.model_registry.update import rebuild

__all__ = ["CatalogueUpdate", "find_update_drift", "prepare_update"]

SDK_SERVER = "https://api.openai.com/v1"
OVERLAYS = Path("overlays")
FACTS, NAMES = OVERLAYS / "sdk.yaml", OVERLAYS / "sdk-names.yaml"
MODELS = Path("models")


@dataclass(frozen=True, slots=True)
class CatalogueUpdate:
    """A newer catalogue in a folder of its own, and what is different in it."""

    drift: Drift
    models: tuple[str, ...] = ()
    """What is different in the registry of models."""
    notes: tuple[str, ...] = field(default=())
    """What could not be read, or found no place."""
    staged: Path = Path()
    into: Path = Path()

    def __bool__(self) -> bool:
        return bool(self.drift or self.models)

    def lines(self) -> list[str]:
        """Return one line per difference, for people."""
        return [*self.drift.lines(), *(f"model    {line}" for line in self.models)]

    def as_document(self) -> dict[str, JSON]:
        """Return the differences as JSON."""
        return {**self.drift.as_document(), "models": list(self.models)}

    def apply(self) -> bool:
        """Put the new folder into its place; return whether a byte of it is different."""
        if self.into.is_dir() and _contents(self.staged) == _contents(self.into):
            return False
        replace_folder(self.staged, self.into)
        return True


@contextmanager
def prepare_update(
    base: Path, into: Path, *, document: Path | None = None, sdk: Path | None = None, where: str = ""
) -> Generator[CatalogueUpdate]:
    """Build a newer catalogue beside its place, where it waits to be applied; nothing else is changed.

    Args:
        base: the catalogue to start from, and to compare with.
        into: the folder that is to be written.
        document: a newer OpenAPI document; by default the one that the catalogue carries.
        sdk: the official SDK, as a wheel or folder; without it what is known from the SDK stays.
        where: what the document is called in messages.
    """
    into = into.resolve()
    _check_target(into)
    source = document or base / DOCUMENT
    if document is None and not source.is_file():
        raise ConfigurationError(
            f"{base}: no {DOCUMENT} in it: the catalogue that ships has none, and one made by `entities import` has;"
            " name the API's OpenAPI document with --document FILE or URL"
        )
    content = read_document(source, where)
    found = None if sdk is None else _read_sdk(sdk, content, where or str(source))
    with stage_folder(into) as staged:
        _copy_base(base, staged)
        if found is not None:
            names = staged / NAMES
            text = found.names_text(names.read_text(encoding="utf-8") if names.is_file() else None)
            (staged / OVERLAYS).mkdir(exist_ok=True)
            (staged / FACTS).write_text(found.text(), encoding="utf-8")
            names.write_text(text, encoding="utf-8")
        own = staged / OVERLAYS
        built = build_document(content, where or str(source), own if own.is_dir() else None)
        write_catalogue(staged, built)
        models, notes = ((), ()) if sdk is None else _update_models(staged, sdk)
        drift = compare_catalogues(Catalogue.open(base), Catalogue.open(staged))
        unread = () if found is None else found.notes
        yield CatalogueUpdate(drift, models, (*unread, *notes, *built.notices), staged, into)


def _read_sdk(sdk: Path, content: dict[str, JSON], where: str) -> SdkOverlays:
    if SDK_SERVER not in read_servers(content):
        raise ConfigurationError(f"{where}: it describes another API than the official SDK's, {SDK_SERVER}")
    try:
        return read_overlays_of_sdk(sdk, content)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        found = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"{sdk}: the SDK and the document cannot be compared ({found})") from error


def _check_target(into: Path) -> None:
    """Refuse to replace a folder that is no catalogue."""
    if into.exists() and not into.is_dir():
        raise ConfigurationError(f"{into}: a file; a folder is needed")
    if into.is_dir() and any(into.iterdir()) and not ((into / "index.json").is_file() or (into / OVERLAYS).is_dir()):
        raise ConfigurationError(f"{into}: not empty, and no catalogue; name another folder with --into")


def _copy_base(base: Path, staged: Path) -> None:
    """Copy what a catalogue is made from, where the folder has none of its own."""
    for part in (OVERLAYS, MODELS):
        if (base / part).is_dir() and not (staged / part).is_dir():
            shutil.copytree(base / part, staged / part)


def _update_models(staged: Path, sdk: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    update = rebuild(sdk, None, staged)
    for name, data in update.files().items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(data)
    return tuple(update.changes), tuple(update.notes)


def _contents(path: Path) -> dict[str, bytes]:
    return {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}


@contextmanager
def _nowhere() -> Generator[Path]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as temporary:
        yield Path(temporary) / "entities"


def find_update_drift(
    base: Path, *, document: Path | None = None, sdk: Path | None = None, where: str = ""
) -> CatalogueUpdate:
    """Return what an update of a catalogue would change; nothing is written beside it."""
    with _nowhere() as into, prepare_update(base, into, document=document, sdk=sdk, where=where) as update:
        return update
