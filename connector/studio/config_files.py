"""The files of a configuration as the studio shows, checks and saves them: whole or not at all, and never over a change
that somebody else has made."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from connector.aio.atomic_file import write_atomically
from connector.config import Configuration, Finding, Severity
from connector.config.lint import lint
from connector.config.loading import examine
from connector.config.renames import rename_entry
from connector.config.sources import files_of, folder_of
from connector.config.tree import read_text, walk
from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON
from connector.pipeline import kinds
from connector.studio.secret_mask import SecretMask
from connector.suggestions import closest

__all__ = ["ConfigFiles", "ConfigText", "InvalidText", "Stale", "diff_texts", "etag_of"]

LATER = frozenset({"variable-not-set", "empty-configuration"})
"""Findings that may be mended after a file was saved."""


class Stale(ConfigurationError):
    """The file is no longer what the change was made from."""


@dataclass(frozen=True, slots=True)
class ConfigText:
    """One file of a configuration.

    Attributes:
        name: relative to the configuration's folder.
        text: what it says, with markers for its secrets.
        etag: differs once the file says something else.
    """

    name: str
    text: str
    etag: str


@dataclass
class ConfigFiles:
    """Reads and saves the files of one configuration.

    Args:
        source: the configuration's file or folder.
        known_secrets: gives the secrets that are known from elsewhere, such as values of variables.
    """

    source: Path
    known_secrets: Callable[[], Collection[str]] = tuple
    mask: SecretMask = field(default_factory=SecretMask)

    def names(self) -> list[str]:
        """Return the names of the files."""
        return list(self._files())

    def read(self) -> list[ConfigText]:
        """Return all files."""
        return [self._read(name, file) for name, file in self._files().items()]

    def read_one(self, name: str) -> ConfigText:
        """Return one file; raise UnknownName when it does not belong to the configuration."""
        return self._read(name, self.path_of(name))

    def path_of(self, name: str) -> Path:
        """Return where a file is: only those of the configuration can be named."""
        files = self._files()
        if name not in files:
            raise UnknownName("file of the configuration", name, closest(name, files), f"there is {', '.join(files)}")
        return files[name]

    def lint(self, texts: Mapping[str, str]) -> list[Finding]:
        """Return what is found when some files say something else."""
        given = {self.path_of(name): self.mask.show(text) for name, text in texts.items()}
        return lint(self.source, kinds=kinds(), texts=given)

    def edit(self, name: str, text: str | None, change: Callable[[str, Path], str]) -> ConfigText:
        """Return a file as a change makes it, with markers for its secrets, also for those that are new."""
        self.path_of(name)
        after = self.mask.show(change(self.read_one(name).text if text is None else text, Path(name)))
        return ConfigText(name, self.hide(after), etag_of(after))

    def rename(self, texts: Mapping[str, str], section: str, entry: str, to: str) -> list[ConfigText]:
        """Return the files that change when an entry gets another name."""
        names = {file: name for name, file in self._files().items()}
        shown = {
            file: self.mask.show(texts[name]) if name in texts else _read_text(file) for file, name in names.items()
        }
        draft = examine(self.source, kinds=kinds(), texts=shown)
        changed = rename_entry(draft, shown, section, entry, to)
        return [ConfigText(names[file], self.hide(text), etag_of(text)) for file, text in changed.items()]

    def draft(self, texts: Mapping[str, str]) -> Configuration:
        """Return the configuration as it would be when some files said something else."""
        given = {self.path_of(name): self.mask.show(text) for name, text in texts.items()}
        for file, text in given.items():
            _refuse_new_programs(_read_text(file), text, file.name)
        loaded = examine(self.source, kinds=kinds(), texts=given)
        loaded.check(require_variables=False)
        return loaded.configuration()

    def save(self, name: str, text: str, etag: str) -> tuple[ConfigText, str]:
        """Save a file that brings no new errors, and return it with the difference, in which secrets are hidden.

        Raises:
            Stale: when the file is no longer the one of the etag.
            InvalidText: when it would have errors that it does not have now.
        """
        with self.locked():
            file = self.path_of(name)
            before = _read_text(file)
            if etag_of(before) != etag:
                raise Stale(f"{name} was changed since it was read")
            after = self.mask.show(text)
            _refuse_new_programs(before, after, name)
            self._refuse_new_errors(file, before, after)
            write_atomically(file, after.encode(), mode=0o600)
            saved = ConfigText(name, self.hide(after), etag_of(after))
            return saved, diff_texts(name, self.hide(before), saved.text)

    def hide(self, text: str) -> str:
        """Return a text with markers for its secrets."""
        return self.mask.hide(text, self.known_secrets())

    def _refuse_new_errors(self, file: Path, before: str, after: str) -> None:
        known = {(one.rule, one.words) for one in self._errors(file, before)}
        found = [one for one in self._errors(file, after) if (one.rule, one.words) not in known]
        if found:
            raise InvalidText(found)

    def _errors(self, file: Path, text: str) -> list[Finding]:
        found = lint(self.source, kinds=kinds(), texts={file: text})
        return [one for one in found if one.severity is Severity.ERROR and one.rule not in LATER]

    def _read(self, name: str, file: Path) -> ConfigText:
        text = _read_text(file)
        return ConfigText(name, self.hide(text), etag_of(text))

    def _files(self) -> dict[str, Path]:
        folder = folder_of(self.source)
        return {file.relative_to(folder).as_posix(): file for file in files_of(self.source)}

    @contextmanager
    def locked(self) -> Generator[None]:
        """Let one studio at a time save, also among processes; a folder can be locked without a file of its own."""
        try:
            import fcntl
        except ImportError:  # where there is none, the check of the etag is all there is
            yield
            return
        descriptor = os.open(folder_of(self.source).resolve(), os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


class InvalidText(ConfigurationError):
    """A text that was not saved, as it has errors that the one before has not."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("nothing was saved: the configuration would not work")
        self.findings = list(findings)


def diff_texts(name: str, before: str, after: str) -> str:
    """Return a unified diff of two texts."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"{name} (before)", name
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _refuse_new_programs(before: str, after: str, name: str) -> None:
    """Refuse a program to run that the file does not name yet: a page may change what is called, not what is run."""
    known = list(_find_programs(before, name))
    for program in _find_programs(after, name):
        if program not in known:
            raise ConfigurationError(
                f"{name} would name a program to run, which only the file itself can say; nothing was saved or tried"
            )


def _find_programs(text: str, name: str) -> Generator[JSON]:
    """Yield the commands of the identities of clients."""
    for path, value in walk(read_text(text, name).value):
        if path[-2:] == ("identity", "command"):
            yield value


def _read_text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file.name} cannot be read: {type(error).__name__}; save it as UTF-8") from None


def etag_of(text: str) -> str:
    """Return what differs once a text is another one."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
