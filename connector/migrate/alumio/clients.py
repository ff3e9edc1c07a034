"""Exported HTTP clients: ours where it is the same, any other as a plain one with what can be said of it."""

from __future__ import annotations

from connector.migrate.alumio.export import Exported
from connector.migrate.alumio.requests import read_plugins
from connector.migrate.folder import Entry
from connector.migrate.notation import as_list, as_map, environment_name, translate_secrets
from connector.migrate.report import ObjectLog
from connector.model import JSON, is_object

__all__ = ["make_stub", "translate_client"]

ADDRESSES = ("baseUri", "baseUrl", "base_uri", "base_url", "url", "uri", "endpoint", "host")
OPENAI = {
    "baseUri": "base_uri",
    "baseUrl": "base_uri",
    "token": "token",
    "apiKey": "token",
    "adminToken": "admin_token",
    "organization": "organization",
    "project": "project",
}
AZURE = {
    "endpoint": "endpoint",
    "baseUri": "endpoint",
    "apiKey": "api_key",
    "token": "token",
    "apiVersion": "api_version",
}
SECRETS = ("token", "admin_token", "api_key")
TOKENS = {"shopify": ("X-Shopify-Access-Token", "{}")}
"""Where a plain token goes, by the name that the prototype begins with; else it is a bearer's."""
LOGGING = {"simple": "basic", "short": "basic", "long": "full", "full": "full"}
LOGINS = ("username", "password", "clientId", "clientSecret", "user", "secret", "consumerKey", "accessToken")
SILENT = frozenset(
    (*ADDRESSES, *LOGINS, "token", "key", "plugins", "authentications", "enableLogging", "loggerFormatter")
)


def translate_client(exported: Exported, name: str) -> Entry:
    """Return the client in our notation."""
    given, log = exported.parameters, exported.log
    prototype = exported.prototype
    if prototype.startswith(("openai", "azure-openai")):
        body = _openai(prototype, given, log)
    else:
        body = {"prototype": "http", "parameters": _plain(prototype, given, name, log)}
    if prototype:
        log.count_mapped(prototype)
    body = {"description": exported.title, **body}
    return Entry("clients", name, body, exported.title, exported.comment)


def make_stub(name: str, address: str) -> Entry:
    """A client that is named but not part of the export."""
    parameters = {"base_uri": address or _variable(name, "BASE_URI")}
    note = "Not part of the export: say where it is, and how to be let in."
    return Entry("clients", name, {"prototype": "http", "parameters": parameters}, name, note)


def _openai(prototype: str, given: dict[str, JSON], log: ObjectLog) -> dict[str, JSON]:
    azure = prototype.startswith("azure")
    parameters: dict[str, JSON] = {}
    for key, value in given.items():
        if key in (spelt := AZURE if azure else OPENAI):
            if value not in (None, "", []):
                parameters[spelt[key]] = _text(value)
                if spelt[key] in SECRETS:
                    _keep_out(str(value), f"parameters.{key}", log)
        elif value not in (None, "", [], False) and key not in SILENT:
            log.add_changed(f"parameters.{key}", "the client has no such parameter here; left out")
    return {"prototype": "azure-openai" if azure else "openai", "parameters": parameters}


def _plain(prototype: str, given: dict[str, JSON], name: str, log: ObjectLog) -> dict[str, JSON]:
    headers: dict[str, str] = {}
    base = read_plugins(given, "parameters", log, headers)
    address = next((_text(given[key]) for key in ADDRESSES if isinstance(given.get(key), str) and given[key]), base)
    if not address:
        address = _variable(name, "BASE_URI")
        log.add_changed("parameters", f"nothing says where the API is; set it in the environment as {address}")
    _let_in(prototype, given, name, headers, log)
    parameters: dict[str, JSON] = {"base_uri": address}
    parameters |= {"headers": dict(headers)} if headers else {}
    parameters |= _logging(given)
    _rest(prototype, given, log)
    return parameters


def _let_in(prototype: str, given: dict[str, JSON], name: str, headers: dict[str, str], log: ObjectLog) -> None:
    """Headers that let calls in, as far as a fixed header can."""
    token = given.get("token")
    logins = [key for key in LOGINS if given.get(key)]
    for index, item in enumerate(as_list(given.get("authentications"))):
        token, logins = _authentication(item, f"parameters.authentications[{index}]", token, logins, log)
    if isinstance(token, str) and token:
        header, form = next(
            (found for key, found in TOKENS.items() if prototype.startswith(key)), ("Authorization", "Bearer {}")
        )
        headers[header] = form.format(_text(token))
        _keep_out(token, "parameters.token", log)
    elif logins:
        headers["Authorization"] = f"Bearer {_variable(name, 'TOKEN')}"
        log.add_changed(
            "parameters",
            f"the login of {prototype or 'the client'} ({', '.join(logins)}) is not made here; "
            f"put an access token into {_variable(name, 'TOKEN')}",
        )


def _keep_out(value: str, path: str, log: ObjectLog) -> None:
    """Warns of a secret that is no reference."""
    if "${" not in value and "{{" not in value:
        log.add_changed(path, "the secret stands in the file; better keep it in the environment, as ${NAME}")


def _authentication(raw: JSON, path: str, token: JSON, logins: list[str], log: ObjectLog) -> tuple[JSON, list[str]]:
    item = as_map(raw)
    given, kind = as_map(item.get("parameters")), str(item.get("prototype"))
    found = next((given[key] for key in ("token", "bearer", "accessToken") if given.get(key)), None)
    if kind in ("bearer", "bearer-token", "token", "http-bearer") and found:
        log.count_mapped(kind)
        return found, logins
    log.add_refused(
        raw, path, f"the authentication {kind!r} is not known here; only fixed headers let a plain client in"
    )
    return token, [*logins, *(key for key in given if isinstance(given[key], str))]


def _logging(given: dict[str, JSON]) -> dict[str, JSON]:
    formats = [as_map(as_map(item).get("parameters")).get("formatter") for item in as_list(given.get("plugins"))]
    wanted = [*formats, given.get("loggerFormatter") if given.get("enableLogging") else None]
    found = next((LOGGING[one] for one in wanted if isinstance(one, str) and one in LOGGING), "basic")
    return {} if found == "basic" else {"logging": found}


def _rest(prototype: str, given: dict[str, JSON], log: ObjectLog) -> None:
    if prototype not in ("", "http-client", "default"):
        log.add_changed("", f"the client {prototype!r} is a plain http client here")
    for key, value in given.items():
        if key not in SILENT and _holds_something(value):
            log.add_changed(f"parameters.{key}", "the client has no such parameter here; left out")


def _holds_something(value: JSON) -> bool:
    """Whether a setting is more than its usual, such as checks of certificates that are on."""
    if is_object(value):
        return any(_holds_something(item) for item in value.values())
    return value not in (None, "", [], False, True)


def _text(value: JSON) -> str:
    return translate_secrets(str(value))


def _variable(name: str, suffix: str) -> str:
    return f"${{{environment_name(f'{name}_{suffix}').upper()}}}"
