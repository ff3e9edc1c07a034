"""`python -m tests.hosts.camunda.mutants [NAME…]`: mistakes in templates, expressions and worker, and who finds each.

Each is planted in a process of its own, in which the tests of this folder are run; a test that fails has found it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["MUTANTS", "plant"]

ROOT = Path(__file__).parents[3]
VARIABLE = "CAMUNDA_MUTANT"
GROUPS = {
    "schema validator": ("test_the_published_schema", "test_a_connection_has_a_form"),
    "modeler's tool and linter": ("test_a_form_of_every_kind", "test_the_seed_maps", "test_from_the_export"),
    "feelin": ("test_feelin_says",),
    "own assertions": (),
}
"""Who judges, by the tests that ask them; all other tests are our own."""


def _put(module: str, name: str, make: Callable[[Any], Any]) -> None:
    from importlib import import_module

    place: Any = import_module(module)
    *path, last = name.split(".")
    for part in path:
        place = getattr(place, part)
    setattr(place, last, make(getattr(place, last)))


def _optional_and_needed() -> None:
    _put(
        "connector.hosts.camunda.forms", "_constraints",
        lambda known: lambda found, place: {"optional": True, "constraints": {"notEmpty": True, **known(found, place)}},
    )  # fmt: skip


def _wrong_binding() -> None:
    _put(
        "connector.hosts.camunda.forms", "_binding",
        lambda known: lambda place: {"binding": {"type": "zeebe:input", "key": known(place)["binding"]["name"]}},
    )  # fmt: skip


def _retired_models() -> None:
    from connector.model_registry import LifeCycle

    _put("connector.model_registry.registry", "Model.life_cycle", lambda _: lambda *_: LifeCycle.ACTIVE)


def _one_variable_for_two() -> None:
    from connector.hosts.camunda import seed

    def change(known: Any) -> Any:
        def models(templates: Any) -> Any:
            for one in known(templates):
                is_chosen = one["binding"]["name"] == "internal_chosenModel"
                yield {**one, "binding": {**one["binding"], "name": "internal_model"}} if is_chosen else one

        return models

    _put(seed.__name__, "_models", change)


def _no_job_type() -> None:
    _put("connector.hosts.camunda.templates", "task_properties", lambda known: lambda kind: list(known(kind))[1:])


def _version_stays() -> None:
    _put("connector.hosts.camunda.folder", "_read", lambda known: lambda path: (known(path) or None) and {"version": 0})


def _comparison_of_kinds() -> None:
    _put("connector.hosts.camunda.feel.values", "equal", lambda _: lambda one, other: one == other)
    from importlib import reload

    from connector.hosts.camunda.feel import parser

    reload(parser)


def _index_from_zero() -> None:
    _put("connector.hosts.camunda.feel.parser", "index", lambda known: lambda value, place: known(value, place + 1))


def _and_binds_less() -> None:
    from connector.hosts.camunda.feel import parser

    levels: Any = parser.LEVELS
    _put(parser.__name__, "LEVELS", lambda _: (levels[1], levels[0], *levels[2:]))


def _key_forgotten() -> None:
    from uuid import uuid4

    _put(
        "connector.hosts.camunda.worker", "HostCall",
        lambda known: lambda **given: known(**{**given, "key": f"{given['key']}/{uuid4()}"}),
    )  # fmt: skip


def _unknown_retried() -> None:
    from dataclasses import replace

    _put(
        "connector.hosts.camunda.verdict", "_unknown",
        lambda known: lambda job, *rest: replace(known(job, *rest), retries=max(job.retries - 1, 0)),
    )  # fmt: skip


def _secret_in_the_journal() -> None:
    _put("connector.hosts.camunda.requests", "Requests._checked", lambda _: _fill)


def _fill(requests: Any, document: Any) -> Any:
    from connector.hosts.camunda.keys import fill_secrets

    return fill_secrets(requests.shared.runtime.configuration, document)


def _not_kept() -> None:
    async def nothing(*_: Any) -> None:
        return None

    _put("connector.hosts.camunda.broker", "Broker.extend", lambda _: nothing)


def _everything_offered() -> None:
    class Everything:
        def __contains__(self, _: object) -> bool:
            return True

    def change(known: Any) -> Any:
        def after(self: Any) -> None:
            known(self)
            self._operations = Everything()

        return after

    _put("connector.hosts.camunda.requests", "Requests.__post_init__", change)


MUTANTS: dict[str, Callable[[], None]] = {
    "optional and needed at once": _optional_and_needed,
    "a binding without its name": _wrong_binding,
    "retired models offered": _retired_models,
    "two fields of one variable": _one_variable_for_two,
    "no job type": _no_job_type,
    "a version that stays": _version_stays,
    "kinds compared": _comparison_of_kinds,
    "places from zero": _index_from_zero,
    "and binds less than or": _and_binds_less,
    "the job's key forgotten": _key_forgotten,
    "an unknown end retried": _unknown_retried,
    "a secret in the journal": _secret_in_the_journal,
    "a job that is not kept": _not_kept,
    "every operation offered": _everything_offered,
}


def plant() -> None:
    """Plant the mistake that the environment names, if it names one."""
    name = os.environ.get(VARIABLE)
    if name:
        MUTANTS[name]()


def judge(name: str) -> dict[str, bool]:
    """Who finds a mistake."""
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "tests.hosts.camunda.planting"]
    done = subprocess.run(
        [*words, "tests/hosts/camunda"], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, VARIABLE: name},
    )  # fmt: skip
    failed = set(re.findall(r"^(?:FAILED|ERROR) \S+::(\w+)", done.stdout, re.MULTILINE))
    if done.returncode not in (0, 1):
        sys.exit(f"{name or 'without a mistake'}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    judged = {who: {test for test in failed if test.startswith(starts)} for who, starts in GROUPS.items() if starts}
    ours = failed.difference(*judged.values())
    return {**{who: bool(tests) for who, tests in judged.items()}, "own assertions": bool(ours)}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    wanted = sys.argv[1:]
    names = [name for name in MUTANTS if not wanted or any(word in name for word in wanted)]
    say(f"| mutant | {' | '.join(GROUPS)} |")
    say(f"|---|{'---|' * len(GROUPS)}")
    missed: list[str] = []
    for name in ("", *names):
        found = judge(name)
        say(f"| {name or 'none'} | {' | '.join('caught' if found[who] else '-' for who in GROUPS)} |")
        missed += [name] if any(found.values()) != bool(name) else []
    for name in missed:
        say(f"wrong: {name or 'somebody complains without a mistake'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
