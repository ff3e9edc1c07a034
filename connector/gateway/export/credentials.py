"""The headers that authorise a client's calls, with secrets replaced by their names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, get_args

from pydantic import SecretStr

from connector.config.references import Malformed, Reference, parse
from connector.errors import ConfigurationError
from connector.gateway.export.plan import Header, Secret
from connector.http import prototypes
from connector.http.configuration import configure, find_environment_variable, is_sensitive, normalise
from connector.model import JSON, is_object
from connector.request.wire import Wire

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.config.models import ClientEntry
    from connector.http.parameters import Common
    from connector.http.prototypes import Endpoint, Prototype

__all__ = ["ClientCredentials", "make_slugs"]

SCHEME = re.compile(r"[A-Za-z][A-Za-z-]* +")
MARK = re.compile(r"\[\[secret (\d+)\]\]")
ADMINISTRATION_PATH = "/organization/users"
ORDINARY_PATH = "/models"


def make_slugs() -> Callable[[str], str]:
    """Return a function that makes unique names which a proxy's configuration allows."""
    taken: set[str] = set()

    def name(text: str) -> str:
        base = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "unnamed"
        found = next(each for number in count(1) if (each := base if number == 1 else f"{base}_{number}") not in taken)
        taken.add(found)
        return found

    return name


class ClientCredentials:
    """A client made with marks in place of secrets, so that its headers show where each of them goes.

    Args:
        name: of the client.
        entry: what the configuration says of it.
        configuration: resolves its references.
        secrets: all secrets found so far, by reference.
        make_slug: makes names of variables.
    """

    def __init__(
        self,
        name: str,
        entry: ClientEntry,
        configuration: Configuration,
        secrets: dict[str, Secret],
        make_slug: Callable[[str], str],
    ) -> None:
        self._name = name
        self._entry = entry
        self._configuration = configuration
        self._secrets = secrets
        self._make_slug = make_slug
        self._by_mark: dict[str, Secret] = {}
        self._kind: Prototype = prototypes().find(entry.prototype)
        given = normalise(entry.raw_parameters, self._kind.parameters.model_fields)
        self._given = {key: self._parameter(key, value) for key, value in given.items()}
        self.parameters, self.endpoint = self._build()

    def headers(self, path: str = ORDINARY_PATH) -> dict[str, Header]:
        """Return the headers of calls of a path, beside the caller's."""
        own = {name: value.get_secret_value() for name, value in self.parameters.headers.items()}
        wire = Wire(method="GET", path=path)
        return {name: self._split_marks(value) for name, value in {**own, **self.endpoint.credentials(wire)}.items()}

    def admin_headers(self) -> dict[str, Header]:
        """Return those of calls that administer an organization."""
        return self.headers(ADMINISTRATION_PATH)

    def _build(self) -> tuple[Common, Endpoint]:
        """Build with the credentials of the environment; when it has none, with those that it should have."""
        parameters, endpoint = self._build_with(self._environ(all_keys=False))
        try:
            endpoint.credentials(Wire(method="GET", path=ORDINARY_PATH))
        except ConfigurationError:
            return self._build_with(self._environ(all_keys=True))
        return parameters, endpoint

    def _build_with(self, environ: Mapping[str, str]) -> tuple[Common, Endpoint]:
        parameters = configure(self._kind, self._given, environ)
        return parameters, self._kind.endpoint(parameters)

    def _environ(self, *, all_keys: bool) -> dict[str, str]:
        """Return the environment, with marks for the keys that a client takes from it."""
        environ = dict(self._configuration.lookup.providers.environment)
        model = self._kind.parameters
        for field in model.model_fields:
            variable, _ = find_environment_variable(model, field)
            if variable and _is_secret(model.model_fields[field].annotation) and (all_keys or environ.get(variable)):
                environ[variable] = self._mark(Reference("environment", variable))
        return environ

    def _parameter(self, name: str, value: JSON) -> JSON:
        fields = self._kind.parameters.model_fields
        if name == "headers" and is_object(value):
            return {key: self._header(key, text) for key, text in value.items()}
        if name in fields and isinstance(value, str) and _is_secret(fields[name].annotation):
            return self._secret(value, f"{self._name} {name}")
        return self._entry.resolve(value, "parameters", name, for_client=True)

    def _header(self, name: str, text: JSON) -> JSON:
        if not isinstance(text, str):
            return text
        parts = parse(text, declared=True)
        if is_sensitive(name) or any(isinstance(part, Reference) for part in parts):
            return self._secret(text, f"{self._name} {name}")
        return self._entry.resolve(text, "parameters", "headers", name, for_client=True)

    def _secret(self, text: str, variable: str) -> str:
        """Mark the references in a text; a literal secret becomes a variable."""
        parts = parse(text, declared=True)
        plain = [part for part in parts if isinstance(part, str)]
        if any(isinstance(part, Malformed) for part in parts) or not all(SCHEME.fullmatch(part) for part in plain):
            return self._mark(Reference("environment", re.sub(r"\W+", "_", variable).upper()))
        return "".join(self._mark(part) if isinstance(part, Reference) else str(part) for part in parts)

    def _mark(self, reference: Reference) -> str:
        key = f"{reference.kind}:{reference.name}"
        if key not in self._secrets:
            self._secrets[key] = Secret(f"credential_{self._make_slug(reference.name)}", self._shell_value(reference))
        source = self._secrets[key]
        mark = f"[[secret {list(self._secrets).index(key)}]]"
        self._by_mark[mark] = source
        return mark

    def _shell_value(self, reference: Reference) -> str:
        """Return the shell expression of a secret."""
        if reference.kind == "file":
            return f'"$(cat -- {shlex.quote(str(self._configuration.folder / reference.name))})"'
        if reference.kind == "keyring":
            service, _, user = reference.name.rpartition("/")
            return f'"$(keyring get {shlex.quote(service)} {shlex.quote(user)})"'
        return f'"${{{re.sub(r"[^A-Za-z0-9_]", "_", reference.name)}:?}}"'

    def _split_marks(self, value: str) -> Header:
        texts = MARK.split(value)
        parts: list[str | Secret] = []
        for place, text in enumerate(texts):
            if place % 2:
                parts.append(self._by_mark[f"[[secret {text}]]"])
            elif text:
                parts.append(text)
        return tuple(parts)


def _is_secret(annotation: Any) -> bool:
    """Whether a field holds what must not be shown."""
    return annotation is SecretStr or any(_is_secret(inner) for inner in get_args(annotation))
