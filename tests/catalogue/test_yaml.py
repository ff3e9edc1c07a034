"""YAML as JSON values: what is taken, and what is refused before it hurts."""

import pytest

from connector.catalogue.yaml import read_yaml
from connector.errors import ConfigurationError


def test_yaml_becomes_json_values() -> None:
    text = b"day: 2024-01-04\nat: 2024-01-04T05:06:07\n200: ok\non: yes\nlist: [1, 2.5, null, true]\n"
    assert read_yaml(text, "a.yaml") == {
        "day": "2024-01-04",
        "at": "2024-01-04T05:06:07",
        "200": "ok",
        "on": "yes",
        "list": [1, 2.5, None, True],
    }


def test_an_anchor_may_be_used_again() -> None:
    assert read_yaml(b"a: &x 1\nb: &x 2\nc: *x\n", "a.yaml") == {"a": 1, "b": 2, "c": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r"a.yaml: not YAML \(while constructing a mapping"),
        ("a: [1\n", r"a.yaml: not YAML \(while parsing a flow sequence"),
        ("a: &a [*a]\n", r"a.yaml: more than 200 levels; do aliases"),
        ("a: !!python/object:os.system x\n", r"a.yaml: not YAML \(could not determine a constructor"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_yaml(text.encode(), "a.yaml")


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigurationError, match="more than 2000000 values"):
        read_yaml("\n".join(lines).encode(), "a.yaml")
