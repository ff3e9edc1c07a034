"""What a configuration says beside its entries, and what routes, cursors and schedules gained with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.config import InvalidConfiguration, load, parse
from connector.config.lint import lint
from connector.config.models.gateway import hash_token, is_hash
from connector.config.models.measures import parse_duration
from connector.config.secrets import passwords_in
from connector.config.variable_usage import used_variables
from connector.errors import ConfigurationError
from connector.telemetry.costs import Prices

Write = Callable[..., Path]
HASH = hash_token("gw-a-long-random-token")


def ends(**route: Any) -> dict[str, Any]:
    """A document with one route that says some things."""
    return {
        "incoming": {"i": {"subscriber": {"prototype": "none"}}},
        "outgoing": {"o": {"publisher": {"prototype": "none"}}},
        "routes": {"r": {"incoming": "i", "outgoing": "o", **route}},
    }


def test_what_is_not_said_has_its_defaults() -> None:
    config = parse({}, folder="/data/shop")
    assert config.engine_url == "sqlite:////data/shop/connector.db"
    assert (config.retention.finished, config.retention.failed, config.retention.unknown) == (2592000, 7776000, None)
    assert (config.gateway.host, config.gateway.port, config.gateway.loopback) == ("127.0.0.1", 8788, True)
    assert (dict(config.prices), dict(config.gateway.tokens)) == ({}, {})
    assert (config.telemetry.traces, config.telemetry.logs, config.telemetry.bodies) == (None, "auto", False)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("sqlite:///tasks.db", "sqlite:////data/tasks.db"),
        ("sqlite:///state/my%20tasks.db", "sqlite:////data/state/my tasks.db"),
        ("sqlite:////var/lib/tasks.db", "sqlite:////var/lib/tasks.db"),
        (
            "postgresql://me:${PASSWORD}@db/x?sslmode=verify-full",
            "postgresql://me:canary-p&{a}@db/x?sslmode=verify-full",
        ),
        ("${URL}", "postgresql://db/x"),
        ("@{variables.where}", "sqlite:////data/declared.db"),
    ],
)
def test_the_engine_is_found(written: str, url: str) -> None:
    environ = {"PASSWORD": "canary-p&{a}", "URL": "postgresql://db/x"}
    document = {"engine": written, "variables": {"where": "sqlite:///declared.db"}}
    assert parse(document, folder="/data", environ=environ).engine_url == url


def test_an_engine_that_a_variable_names_is_judged_when_it_is_known() -> None:
    config = parse({"engine": "${URL}"}, environ={})
    with pytest.raises(InvalidConfiguration, match=r"engine: \$\{URL\} is not set"):
        _ = config.engine_url
    with pytest.raises(ConfigurationError, match="unknown engine 'mysql'; sqlite:///FILE and postgresql:") as refused:
        _ = parse({"engine": "${URL}"}, environ={"URL": "mysql://me:canary-password@db/x"}).engine_url
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("written", ["", "connector.db", "sqlite://", "sqlite:///", "sqlite://connector.db"])
def test_an_engine_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(InvalidConfiguration, match="configuration:1:1 engine: found no"):
        parse({"engine": written})


def test_passwords_of_an_engine_are_found_as_they_are_written_and_meant() -> None:
    assert list(passwords_in("postgresql://me:p%40ss@db/x?password=second")) == ["p%40ss", "p@ss", "second"]
    assert list(passwords_in("sqlite:////data/x.db")) == []
    assert list(passwords_in("postgresql://[::1/x")) == []


def test_no_secret_of_the_settings_is_shown() -> None:
    environ = {"DATABASE_URL": "postgresql://me:canary%2Dpassword@db/x", "GATEWAY": HASH}
    document = {"engine": "${DATABASE_URL}", "gateway": {"tokens": {"bot": {"hash": "${GATEWAY}"}}}}
    config = parse(document, environ=environ)
    shown = repr(config) + repr(config.gateway) + str(config)
    redact = config.redactor()
    digest = HASH.partition(":")[2]
    for secret in ("canary%2Dpassword", "canary-password", digest):
        assert secret not in shown
        assert redact(f"cannot reach {secret}!") == "cannot reach ***!"
    assert config.gateway.tokens["bot"].hash == HASH


def test_a_token_is_hashed_and_never_kept() -> None:
    assert hash_token("x") == "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert is_hash(HASH)
    assert not is_hash("gw-a-long-random-token")
    assert not is_hash(f"{HASH}0")
    with pytest.raises(InvalidConfiguration) as refused:
        parse({"gateway": {"tokens": {"bot": {"hash": "canary-plain-token"}}}})
    assert "sha256" in str(refused.value)
    assert "canary" not in str(refused.value)
    late = parse({"gateway": {"tokens": {"bot": {"hash": "${GATEWAY}"}}}}, environ={"GATEWAY": "canary-plain-token"})
    with pytest.raises(ConfigurationError, match="hash is no hash") as unhashed:
        _ = late.gateway.tokens["bot"].hash
    assert "canary" not in str(unhashed.value)


def test_a_rotated_hash_is_the_new_one_from_then_on() -> None:
    environ = {"GATEWAY": HASH}
    token = parse({"gateway": {"tokens": {"bot": {"hash": "${GATEWAY}"}}}}, environ=environ).gateway.tokens["bot"]
    assert token.hash == HASH
    environ["GATEWAY"] = hash_token("another")
    assert token.hash == hash_token("another")


@pytest.mark.parametrize(
    ("listen", "host", "port", "loopback"),
    [("localhost:0", "localhost", 0, True), ("[::1]:8788", "::1", 8788, True), ("127.9.9.9:1", "127.9.9.9", 1, True),
     ("10.0.0.1:443", "10.0.0.1", 443, False), ("gateway.example.com:443", "gateway.example.com", 443, False)],
)  # fmt: skip
def test_the_address_is_taken_apart(listen: str, host: str, port: int, loopback: bool) -> None:
    gateway = parse(
        {"gateway": {"listen": listen, "tls": {"certificate": "c", "key": "k"}, "tokens": {"a": {"hash": HASH}}}}
    ).gateway
    assert (gateway.host, gateway.port, gateway.loopback) == (host, port, loopback)


@pytest.mark.parametrize("listen", ["8788", ":8788", "127.0.0.1", "127.0.0.1:99999", "::1:80", "http://x:80", "a b:1"])
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(InvalidConfiguration, match="an address and a port such as"):
        parse({"gateway": {"listen": listen}})


def test_one_thing_stands_for_a_list_and_disabled_tokens_are_kept() -> None:
    tokens = {
        "bot": {"hash": HASH, "clients": "openai", "allow": "models *", "requestsPerMinute": 60},
        "old": {"hash": hash_token("old"), "disabled": True},
    }
    document = {"clients": {"openai": {"prototype": "openai"}}, "gateway": {"hosts": "a.example", "tokens": tokens}}
    gateway = parse(document).gateway
    assert list(gateway.active_tokens) == ["bot"]
    bot = gateway.tokens["bot"]
    assert (bot.clients, bot.allow, bot.requests_per_minute, gateway.hosts) == (
        ("openai",), ("models *",), 60, ("a.example",)
    )  # fmt: skip
    assert (gateway.tokens["old"].clients, gateway.tokens["old"].allow) == (None, None)


def test_what_is_wrong_with_a_disabled_token_stops_nobody(write: Write) -> None:
    path = write("gateway:\n  tokens:\n    old: {hash: x, clients: gone, allow: nothing *, disabled: true}\n")
    assert load(path, environ={}).gateway.active_tokens == {}
    assert {finding.severity for finding in lint(path, environ={})} == {"warning"}


def test_prices_are_what_calls_are_reckoned_by() -> None:
    config = parse({"prices": {"gpt-5*": {"input": 1.25, "cachedInput": 0.125, "output": 10}, "x/y@1": {"per": 1000}}})
    body: Any = {"model": "gpt-5-mini", "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 100_000}}
    assert Prices(config.prices).read_cost(body).amount == 2.25
    assert (config.currency, parse({"currency": "EUR"}).currency) == ("USD", "EUR")
    with pytest.raises(ConfigurationError, match=r"currency: .*three capital letters"):
        parse({"currency": "euro"})


@pytest.mark.parametrize(
    ("written", "length"), [("30s", 30), ("15m", 900), ("6h", 21600), ("1d", 86400), (2.5, 2.5), ("90", 90), (0, 0)]
)
def test_lengths_of_time_are_seconds(written: Any, length: float) -> None:
    assert parse_duration(written) == length
    assert parse({"retention": {"failed": written}}).retention.failed == length


@pytest.mark.parametrize("written", ["1w", "1 d", "d", -1, True, [], {}, "forever", float("nan")])
def test_what_is_no_length_of_time_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="30s, 15m, 6h or 1d"):
        parse_duration(written)


def test_a_length_of_time_may_come_from_the_environment() -> None:
    config = parse({"retention": {"finished": "${KEEP}", "failed": None}}, environ={"KEEP": "7d"})
    assert (config.retention.finished, config.retention.failed) == (604800, None)


def test_a_route_says_by_what_its_documents_are_known() -> None:
    route = parse(
        ends(key="id", version="&{updated}-${SALT:-1}", order="shop || 'none'", retryDelay="1m", max_delay=5),
        environ={"SALT": "&{x}"},
    ).routes["r"]
    assert route.key == "&{id}"
    assert route.version == r"&{updated}-\&{x}"
    assert route.order == "&{shop || 'none'}"
    assert (route.attempts, route.retry_delay, route.max_delay, route.max_tasks) == (5, 60, 5, 1_000_000)
    assert (route.deletions, route.budget, route.deadline, route.priority) == ("ignore", None, None, 0)


def test_schedules_need_a_time_and_take_several() -> None:
    document = ends() | {"schedules": {"s": {"every": "1h", "onStart": True, "after": "r", "run": "i"}}}
    schedule = parse(document).schedules["s"]
    assert (schedule.every, schedule.on_start, schedule.after) == ("1h", True, ("r",))
    with pytest.raises(InvalidConfiguration, match=r"schedules\.s: found no time; one or more of every"):
        parse({"schedules": {"s": {"run": "r"}}})
    with pytest.raises(InvalidConfiguration, match="unknown route 'x'; declared: r"):
        parse(ends() | {"schedules": {"s": {"after": "x", "run": "r"}}})


def test_a_route_that_reads_another_routes_answers_names_it() -> None:
    with pytest.raises(InvalidConfiguration, match="unknown route 'q'; declared: r"):
        parse(ends() | {"incoming": {"i": {"subscriber": {"prototype": "route", "parameters": {"route": "q"}}}}})


def test_settings_are_put_together_from_files_and_stand_once(write: Write) -> None:
    write("gateway: {listen: 'localhost:1'}\nengine: sqlite:///a.db\nprices: {a: {input: 1}}\n", "a.yaml")
    write(f"tokens_: 1\ngateway:\n  tokens: {{bot: {{hash: '{HASH}'}}}}\nprices: {{b: {{input: 1}}}}\n", "b.yaml")
    folder = write("x-any: 1\n", "prices/c.yaml").parent.parent
    (folder / "b.yaml").write_text((folder / "b.yaml").read_text().replace("tokens_: 1\n", ""))
    config = load(folder, environ={})
    assert (config.gateway.port, list(config.gateway.tokens), list(config.prices)) == (1, ["bot"], ["a", "b"])
    write("engine: sqlite:///c.db\ngateway: {listen: 'localhost:2'}\nretention:\n", "c.yaml")
    with pytest.raises(InvalidConfiguration) as refused:
        load(folder, environ={})
    found = [str(finding).replace(f"{folder}/", "") for finding in refused.value.findings]
    assert found == [
        "c.yaml:1:1 engine: given twice; it stands at a.yaml:2:1 already; rename or remove one of them",
        "c.yaml:2:11 gateway.listen: given twice; it stands at a.yaml:1:11 already; rename or remove one of them",
    ]


def test_variables_of_settings_are_listed(write: Write) -> None:
    from connector.config.loading import examine

    path = write("engine: '${DATABASE_URL}'\ngateway: {tokens: {bot: {hash: '${GATEWAY}'}}}\n")
    rows = {row.name: row.state for row in used_variables(examine(path, environ={"GATEWAY": HASH}))}
    assert rows == {"${DATABASE_URL}": "missing", "${GATEWAY}": "set"}
    with pytest.raises(InvalidConfiguration, match=r"engine: \$\{DATABASE_URL\} is not set"):
        load(path, environ={}, require_variables=True)


@pytest.mark.parametrize("written", ["none", None])
def test_telemetry_may_be_none(written: str | None) -> None:
    assert parse({"telemetry": {"traces": written, "metrics": written}}).telemetry.traces is None


def test_a_studio_has_tokens_with_roles_and_is_not_open_to_others() -> None:
    tokens = {"a": {"hash": HASH, "role": "operator"}, "b": {"hash": "sha256:" + "b" * 64, "disabled": True}}
    studio = parse({"studio": {"listen": "127.0.0.1:0", "tokens": tokens}}).studio
    assert {name: token.role for name, token in studio.active_tokens.items()} == {"a": "operator"}
    assert (studio.host, studio.port, studio.loopback) == ("127.0.0.1", 0, True)
    with pytest.raises(InvalidConfiguration, match=r"studio\.tokens\.a\.hash: the same hash as b"):
        parse({"studio": {"tokens": {"b": {"hash": HASH}, "a": {"hash": HASH}}}})
    with pytest.raises(InvalidConfiguration, match="studio-token NAME"):
        parse({"studio": {"tokens": {"a": {"hash": "st-canary"}}}})
    with pytest.raises(InvalidConfiguration, match=r"studio\.listen: 0\.0\.0\.0:1 can be reached from elsewhere"):
        parse({"studio": {"listen": "0.0.0.0:1"}})
    with pytest.raises(InvalidConfiguration, match=r"studio\.tokens\.a\.role"):
        parse({"studio": {"tokens": {"a": {"hash": HASH, "role": "admin"}}}})
