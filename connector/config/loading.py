"""Load a configuration: report every fault at once, or return the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as File

from connector.config.configuration import Configuration
from connector.config.findings import Finding, InvalidConfiguration, Place, Severity, path_text
from connector.config.kinds import Kinds
from connector.config.models import Document
from connector.config.normalization import normalize
from connector.config.providers import Providers
from connector.config.rules import Subject
from connector.config.rules.chains import check_steps
from connector.config.rules.names import check_cycles, check_variables
from connector.config.rules.routes import check_templates, check_transports
from connector.config.rules.settings import (
    check_amounts,
    check_budgets,
    check_engine,
    check_hosts,
    check_listener,
    check_origins,
    check_tokens,
)
from connector.config.sources import SECTIONS, catalogue_in, files_of, folder_of, read_files
from connector.config.tree import Tree
from connector.config.validation import Validator
from connector.config.variables import Variables
from connector.model import JSON, Fault
from connector.model_registry import ModelRegistry, load_registry

__all__ = ["Draft", "Live", "demote_disabled", "examine", "load", "parse"]

STRICT = (
    check_steps,
    check_variables,
    check_engine,
    check_templates,
    check_cycles,
    check_transports,
    check_amounts,
    check_budgets,
    check_tokens,
    check_listener,
    check_origins,
    check_hosts,
)
"""The rules that a configuration must fulfil to be loaded."""


class Draft:
    """The files of a configuration as far as they can be understood, with their findings."""

    def __init__(
        self, tree: Tree, folder: File, environ: Mapping[str, str] | None, kinds: Kinds, *, whole: bool = False
    ) -> None:
        self.tree = tree
        self._whole = whole
        self.folder = folder
        self.kinds = kinds
        references = Variables(Providers(environ, folder), place_of=tree.value_place)
        self.findings: list[Finding] = list(tree.findings)
        self.findings += _dotenv_faults(references.providers)
        self.document: Document = normalize(tree, references, self.findings)
        self.variables = replace(references, declared=self.document.variables)
        self.subject = Subject(tree, self.document, kinds, find_models=self._find_models)

    def _find_models(self) -> ModelRegistry:
        """Return the facts about models of the catalogue that the configuration uses."""
        entities = catalogue_in(self.folder, self.document.entities)
        return load_registry(entities)

    def check(self, *, require_variables: bool) -> None:
        """Check names, prototypes, parameters, variables and the strict rules; add the findings."""
        validator = Validator(self.tree, self.document, self.variables, self.kinds)
        found = [*self.findings, *validator.validate(require_variables=require_variables)]
        found += [finding for rule in STRICT for finding in rule(self.subject)]
        unread = {finding.place for finding in self.tree.findings}
        # A value that could not be read is null; findings about the null add nothing.
        kept = (one for one in found if one in self.tree.findings or one.place not in unread)
        self.findings = list(demote_disabled(kept, self.document))

    def configuration(self) -> Configuration:
        """Return the configuration; raise InvalidConfiguration with all errors if there are any."""
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        if errors:
            raise InvalidConfiguration(errors)
        return Configuration.from_document(self.document, self.tree, self.variables, self.folder, whole=self._whole)


def _dotenv_faults(providers: Providers) -> Iterator[Finding]:
    for line in providers.wrong_lines():
        fault = Fault("", "not a variable", "write NAME=value or # a comment")
        yield Finding("syntax", Place(str(providers.dotenv), line, 1), fault)


def load(
    source: File | str,
    *,
    environ: Mapping[str, str] | None = None,
    kinds: Kinds | None = None,
    require_variables: bool = False,
) -> Configuration:
    """Return the configuration in a file or folder; raise InvalidConfiguration with every fault and its place.

    Args:
        source: a YAML or JSON file, or a folder of such files.
        environ: where `${NAME}` is looked up, before `.env`; by default the environment of the process.
        kinds: the kinds of subscribers and publishers; without them parameters are not checked.
        require_variables: whether a variable that is not set is an error now, not only when it is used.
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
) -> Draft:
    """Read the files of a configuration without checking them; `texts` replace the contents of some."""
    path, texts = File(source), texts or {}
    there = files_of(path) if path.exists() or not texts else []
    files = [*there, *(file for file in texts if file not in there)]
    return Draft(read_files(files, texts), folder_of(path), environ, kinds or Kinds(), whole=path.is_dir())


def parse(
    document: Mapping[str, JSON], *, folder: File | str = ".", environ: Mapping[str, str] | None = None,
    kinds: Kinds | None = None, name: str = "configuration",
) -> Configuration:  # fmt: skip
    """Return the configuration that a document of plain values describes, for programs that make one."""
    place = Place(name, 1, 1)
    loaded = Draft(Tree(dict(document), {(): (place, place)}), File(folder), environ, kinds or Kinds())
    loaded.check(require_variables=False)
    return loaded.configuration()


class Live:
    """The configuration in force: the last one that was read without errors."""

    def __init__(
        self, source: File | str, *, environ: Mapping[str, str] | None = None, kinds: Kinds | None = None
    ) -> None:
        self._source = source
        self._environ = environ
        self._kinds = kinds
        self.current = load(source, environ=environ, kinds=kinds)

    def reload(self) -> Configuration:
        """Read the files again; if one is broken, raise InvalidConfiguration and keep the old configuration."""
        self.current = load(self._source, environ=self._environ, kinds=self._kinds)
        return self.current


STILL_WRONG = frozenset({"syntax", "duplicate-key", "duplicate-name", "wrong-type", "malformed-variable"})
"""Rules about the file itself, which stay errors in a disabled entry."""


def demote_disabled(findings: Iterable[Finding], document: Document) -> Iterator[Finding]:
    """Yield the findings; errors in disabled entries become warnings."""
    entries = [(section, name, entry) for section in SECTIONS for name, entry in getattr(document, section).items()]
    kept = [path_text((section, name)) for section, name, entry in entries if getattr(entry, "disabled", False)]
    for part, tokens in (("gateway", document.gateway.tokens), ("studio", document.studio.tokens)):
        kept += [path_text((part, "tokens", name)) for name, token in tokens.items() if token.disabled]
    for finding in findings:
        where = finding.fault.where
        inside = any(where == place or where.startswith((f"{place}.", f"{place}[")) for place in kept)
        yield replace(finding, severity=Severity.WARNING) if inside and finding.rule not in STILL_WRONG else finding
