"""Where the file names of a configuration may lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.file_access import FileAccess, is_local, suffix_of


@pytest.mark.parametrize(("configured", "roots"), [
    ("in/*.jsonl", ["in"]), ("in/a.jsonl", ["in"]), ("a.jsonl", ["."]), ("out/&{id}.png", ["out"]), ("&{name}", ["."]),
    ("out/x-?{a}/y", ["out"]), ("/data/in/*.csv", ["/data/in"]), ("/*.csv", ["/"]), ("s3://bucket/in/*.csv", ["s3://bucket/in"]),
])  # fmt: skip
def test_the_constant_part_of_a_name_is_its_root(tmp_path: Path, configured: str, roots: list[str]) -> None:
    found = [
        root if is_local(root) is False else str(Path(root).resolve())
        for root in FileAccess.of(tmp_path, configured).roots
    ]
    assert found == [root if "://" in root else str((tmp_path / root).resolve()) for root in roots]


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "in/../../x", "file:///etc/passwd", "s3://bucket/x", "zip://a::/etc/x.zip", "x\0", "x\ny"],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"outside the allowed places|control character"):
        FileAccess.of(tmp_path, "in/&{name}").resolve(name)


def test_names_within_are_found_from_the_folder(tmp_path: Path) -> None:
    places = FileAccess.of(tmp_path, "in/&{name}")
    assert places.resolve("in/a.txt") == str(tmp_path / "in" / "a.txt")
    assert places.resolve(f"file://{tmp_path}/in/b.txt") == str(tmp_path / "in" / "b.txt")
    assert FileAccess.of(tmp_path, "x", ["/data"]).resolve("/data/x") == "/data/x"
    remote = FileAccess.of(tmp_path, "s3://bucket/out/&{id}.json")
    assert remote.resolve("s3://bucket/out/1.json") == "s3://bucket/out/1.json"
    for name in ("s3://other/out/1.json", "s3://bucket/out/../x", "s3://bucket/out/%2e%2e/x", "1.json"):
        with pytest.raises(ConfigurationError):
            remote.resolve(name)


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to("/etc")
    with pytest.raises(ConfigurationError, match="outside"):
        FileAccess.of(tmp_path, "in/&{name}").resolve("in/out/passwd")


@pytest.mark.parametrize(("name", "suffix"), [
    ("a.jsonl", ".jsonl"), ("a.b.CSV.gz", ".csv"), ("a", ""), ("https://x/y.parquet?z=.json", ".parquet"),
    (".hidden", ""), ("dir.x/a", ""),
])  # fmt: skip
def test_the_ending_that_tells_the_format(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix
