"""The drawing of the rooms is that of the import contracts, and every list of the rooms is whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from tests.docs.examples import blocks
from tests.docs.test_examples import ROOT

PAGE = ROOT / "docs" / "architecture.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
ROOMS = {
    path.stem
    for path in (ROOT / "connector").iterdir()
    if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").is_file())
}


def declared() -> list[set[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [
        contract["layers"]
        for contract in contracts
        if contract["type"] == "layers" and "connector.cli" in contract["layers"]
    ]
    return [{room.strip().removeprefix("connector.") for room in re.split(r"[|:]", layer)} for layer in layers]


def drawn() -> Iterator[set[str]]:
    """The rooms between two lines of the drawing."""
    (drawing,) = [block.text for block in blocks(PAGE) if block.text.lstrip().startswith("┌")]
    floor: set[str] = set()
    for line in drawing.splitlines():
        if line.startswith("│"):
            floor |= set(re.findall(r"\w+", line[: line.rindex("│")]))
        elif floor:
            yield floor
            floor = set()


def test_the_drawing_is_that_of_the_contracts() -> None:
    """When this fails, draw docs/architecture.md anew, floor by floor as [tool.importlinter] has them."""
    assert list(drawn()) == declared()


def test_no_room_is_without_a_floor() -> None:
    assert set().union(*declared()) == ROOMS


def test_the_table_of_rooms_for_contributors_is_whole_and_in_their_order() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    table = text[text.index("| floor |") :].partition("\n\n")[0].splitlines()[2:]
    listed = [set(re.findall(r"`(\w+)`", line.split("|")[1])) for line in table]
    assert listed == declared()
