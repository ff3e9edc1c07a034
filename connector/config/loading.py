"""Reading a configuration: everything that is wrong with it at once, or the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as File

from connector.config.checking import Checker
from connector.config.configuration import Configuration
from connector.config.disabled import softened
from connector.config.findings import Finding, InvalidConfiguration, Place, Severity
from connector.config.kinds import Kinds
from connector.config.models import Document
from connector.config.providers import Providers
from connector.config.reading import Tree
from connector.config.rules import STRICT
from connector.config.rules.subject import Subject
from connector.config.shaping import shape
from connector.config.sources import files_of, folder_of, read_files
from connector.config.variables import Variables
from connector.model import JSON, Fault

__all__ = ["Live", "Loaded", "examine", "load", "parse"]


class Loaded:
    """A configuration's files as far as they could be understood, and what is wrong with them."""

    def __init__(
        self, tree: Tree, folder: File, environ: Mapping[str, str] | None, kinds: Kinds, *, whole: bool = False
    ) -> None:
        self.tree = tree
        self._whole = whole
        self.folder = folder
        self.kinds = kinds
        self.variables = Variables(Providers(environ, folder), place_of=tree.value_place)
        self.findings: list[Finding] = list(tree.findings)
        self.findings += self._dotenv()
        self.document: Document = shape(tree, self.variables, self.findings)
        self.variables.declared = self.document.variables
        self.subject = Subject(tree, self.document, kinds)

    def _dotenv(self) -> Iterator[Finding]:
        providers = self.variables.providers
        for line in providers.wrong_lines():
            fault = Fault("", "not a variable", "write NAME=value or # a comment")
            yield Finding("syntax", Place(str(providers.dotenv), line, 1), fault)

    def check(self, *, require_variables: bool) -> None:
        """Adds what the document's parts say of each other, of their prototypes and of variables."""
        checker = Checker(self.tree, self.document, self.variables, self.kinds)
        found = [*self.findings, *checker.all(require_variables=require_variables)]
        found += [finding for rule in STRICT for finding in rule(self.subject)]
        unread = {finding.place for finding in self.tree.findings}
        # A value that could not be read is nothing, and what is said of nothing is no news.
        told = (one for one in found if one in self.tree.findings or one.place not in unread)
        self.findings = list(softened(told, self.document))

    def configuration(self) -> Configuration:
        """The configuration, or InvalidConfiguration with all that was found."""
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        if errors:
            raise InvalidConfiguration(errors)
        return Configuration.made(self.document, self.tree, self.variables, self.folder, whole=self._whole)


def load(
    source: File | str,
    *,
    environ: Mapping[str, str] | None = None,
    kinds: Kinds | None = None,
    require_variables: bool = False,
) -> Configuration:
    """The configuration in a file or folder, or InvalidConfiguration with every fault and its place.

    Args:
        source: a YAML or JSON file, or a folder of such files.
        environ: where `${NAME}` is looked up, before `.env`; the process's environment unless given.
        kinds: the kinds of subscriber and publisher; without them their parameters are not checked.
        require_variables: whether a variable that is not set is a fault already, and not only when it is used.
    """
    loaded = examine(source, environ=environ, kinds=kinds)
    loaded.check(require_variables=require_variables)
    return loaded.configuration()


def examine(
    source: File | str,
    *,
    environ: Mapping[str, str] | None = None,
    kinds: Kinds | None = None,
    texts: Mapping[File, str] | None = None,
) -> Loaded:
    """A configuration's files, read but not yet checked; `texts` are what some of them are to say."""
    path, texts = File(source), texts or {}
    there = files_of(path) if path.exists() or not texts else []
    files = [*there, *(file for file in texts if file not in there)]
    return Loaded(read_files(files, texts), folder_of(path), environ, kinds or Kinds(), whole=path.is_dir())


def parse(
    document: Mapping[str, JSON], *, folder: File | str = ".", environ: Mapping[str, str] | None = None,
    kinds: Kinds | None = None, name: str = "configuration",
) -> Configuration:  # fmt: skip
    """The configuration that a document of plain values is, for programs that make one."""
    place = Place(name, 1, 1)
    loaded = Loaded(Tree(dict(document), {(): (place, place)}), File(folder), environ, kinds or Kinds())
    loaded.check(require_variables=False)
    return loaded.configuration()


class Live:
    """The configuration in force: what was read last and was right."""

    def __init__(
        self, source: File | str, *, environ: Mapping[str, str] | None = None, kinds: Kinds | None = None
    ) -> None:
        self._source = source
        self._environ = environ
        self._kinds = kinds
        self.current = load(source, environ=environ, kinds=kinds)

    def reload(self) -> Configuration:
        """Reads the files again; a broken file raises InvalidConfiguration, and the old configuration stays."""
        self.current = load(self._source, environ=self._environ, kinds=self._kinds)
        return self.current
