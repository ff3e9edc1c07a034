"""`{{secrets.NAME}}`: in place of a key it names a client of the configuration, elsewhere a declared secret variable.

No job says a key in plain text, and none reads a variable that the configuration does not declare to be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connector.config.references import Reference, parse
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["SecretMissing", "client_of_key", "fill_secrets", "first_secret", "own_client"]

SECRET = re.compile(r"\{\{\s*secrets\.([\w.-]+?)\s*\}\}")
BROKER = "camunda"
"""The prototype of clients that reach an orchestration cluster."""


class SecretMissing(ConfigurationError):
    """A placeholder of a job that names nothing of the configuration."""


def own_client(configuration: Configuration) -> str:
    """Return the client that operations are called with where a job names no key."""
    if configuration.camunda.client is not None:
        return configuration.camunda.client
    found = next(iter(_callers(configuration)), None)
    if found is None:
        raise ConfigurationError("camunda: there is no client to call operations with; declare one in `clients`")
    return found


def first_secret(configuration: Configuration) -> str:
    """Return the name of the secret that a form holds at first; empty where the own client's token is no variable."""
    try:
        return _token_name(configuration, own_client(configuration))
    except ConfigurationError:
        return ""


def client_of_key(configuration: Configuration, key: JSON) -> str:
    """Return the client whose token a job's key is; the own one where there is none. No secret is looked up."""
    if key is None or key == "":
        return own_client(configuration)
    found = SECRET.fullmatch(key.strip()) if isinstance(key, str) else None
    names = {name: client for client in _callers(configuration) if (name := _token_name(configuration, client))}
    known = ", ".join(f"{{{{secrets.{name}}}}}" for name in names) or "none, since no token is a variable"
    if found is None:
        raise SecretMissing(f"OpenAI API key: no placeholder of a secret; allowed are {known}, or nothing")
    name = found[1]
    if configuration.camunda.client is not None and _token_name(configuration, configuration.camunda.client) == name:
        return configuration.camunda.client
    if name not in names:
        raise SecretMissing(f"OpenAI API key: {{{{secrets.{name}}}}} is the token of no client; allowed are {known}")
    return names[name]


def fill_secrets(configuration: Configuration, value: JSON) -> JSON:
    """Return a value whose placeholders hold the declared secret variables; SecretMissing names the others."""
    if isinstance(value, str):
        return SECRET.sub(lambda found: _secret(configuration, found[1]), value) if "{{" in value else value
    if is_document(value):
        return {name: fill_secrets(configuration, one) for name, one in value.items()}
    return [fill_secrets(configuration, one) for one in value] if is_list(value) else value


def _secret(configuration: Configuration, name: str) -> str:
    variable = configuration.variables.get(name)
    if variable is None or not variable.secret:
        what = "no variable of the configuration" if variable is None else "a variable that is not a secret"
        raise SecretMissing(f"{{{{secrets.{name}}}}}: {what}; declare it: `variables: {{{name}: {{secret: true}}}}`")
    if configuration.lookup.is_unset(name):
        raise SecretMissing(f"{{{{secrets.{name}}}}}: the variable is declared and not set; set it for the worker")
    return str(configuration.lookup.value_of(name))


def _callers(configuration: Configuration) -> Iterator[str]:
    """Yield the clients that operations can be called with."""
    for name, client in configuration.clients.items():
        if client.prototype != BROKER:
            yield name


def _token_name(configuration: Configuration, client: str) -> str:
    """Return the variable that is a client's whole token; empty where that is something else."""
    written = configuration.clients[client].raw_parameters
    token = written.get("token", written.get("api_key"))
    if token is None and "token" not in written and configuration.clients[client].prototype == "openai":
        return "OPENAI_API_KEY"  # where it comes from unless given
    parts = parse(token, declared=True) if isinstance(token, str) else ()
    reference = parts[0] if len(parts) == 1 else None
    is_named = isinstance(reference, Reference) and reference.kind in ("environment", "variable")
    return reference.name if is_named and isinstance(reference, Reference) else ""
