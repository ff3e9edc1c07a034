"""Which SDK an update reads: wheels, folders and versions, whole, broken and of forms that were not there yesterday."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError
from connector.model_registry.wheels import wheel_of
from tests.catalogue.small_sdk import CLIENT, RESOURCE, SDK, contents, run, wheel

TEMPLATE = 'path_template("/cats/{cat_id}", cat_id=cat_id)'
LISTED = """
from ..pagination import SyncStepPage
from ..types import dog_list_params
from ..types.cat import Cat
class Dogs:
    def list(self, *, after: str) -> SyncStepPage[Cat]:
        return self._get_api_list(
            "/dogs",
            page=SyncStepPage[Cat],
            options=make_request_options(query=maybe_transform({"after": after}, dog_list_params.DogListParams)),
        )
"""
LIST_PARAMS = "from typing_extensions import TypedDict\nclass DogListParams(TypedDict, total=False):\n    after: str\n"
PAGE = """
from typing import Generic, List, Optional
from ._models import BaseModel
class SyncStepPage(BaseModel, Generic[_T]):
    data: List[_T]
    {field}: Optional[str] = None
    def next_page_info(self):
        return PageInfo({asked})
"""
PROPERTY = "    @cached_property\n    def dogs(self) -> Dogs: ...\n"
DOGS = f"from .resources.dogs import Dogs\n{CLIENT}{PROPERTY}"


def damage(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        path.write_bytes(change(wheel(path).read_bytes()))

    return apply


def pack(files: Mapping[str, str]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)

    return write


def change(**changed: str) -> Callable[[Path], None]:
    return lambda path: wheel(path, **changed) and None


FETCH = "fetch it again, or name a version, a wheel or the folder of an unpacked one"
BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "truncated": (damage(lambda whole: whole[: len(whole) // 2]), FETCH),
    "damaged": (damage(lambda whole: whole[:200] + bytes(300) + whole[500:]), FETCH),
    "empty": (damage(lambda _: b""), FETCH),
    "other package": (pack({"requests/__init__.py": ""}), FETCH),
    "half": (pack({"openai/__init__.py": ""}), "no module openai._version in it"),
    "leads outside": (pack(SDK | {"openai/../../evil.py": ""}), f"'openai/../../evil.py' in it leads outside; {FETCH}"),
    "from the root": (pack(SDK | {"/evil.py": ""}), "leads outside"),
    "bomb": (change(bomb="#" * (9 * 2**20)), f"more than 8 MB; {FETCH}"),
    "resource that does not parse": (change(resources__cats="class Cats(:"), "fetch the release again"),
    "types that do not parse": (change(types__cat_create_params="class (:"), "not Python that"),
    "without operations": (change(_client="class OpenAI: ..."), "no operations in it; is it the official SDK?"),
    "deep": (change(types__cat_create_params="x = " + "-" * 200_000 + "1"), "not Python that"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sdk_changes_nothing_and_the_message_says_what_to_do(name: str, cats: Path) -> None:
    write, said = BROKEN[name]
    write(cats / "broken.whl")
    before = contents(cats / "entities")
    refused = run("update", "--sdk", "broken.whl")
    assert isinstance(refused.exception, ConfigurationError), (refused.output, refused.exception)
    assert said in str(refused.exception)
    assert contents(cats / "entities") == before
    assert sorted(each.name for each in cats.iterdir()) == ["broken.whl", "cats.json", "entities", "new.whl"]


def test_a_source_distribution_is_told_to_be_unpacked(cats: Path) -> None:
    (cats / "openai-9.9.9.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(ConfigurationError, match="a source distribution is unpacked first"):
        raise run("update", "--sdk", "openai-9.9.9.tar.gz").exception


@pytest.mark.parametrize("wanted", ["", "   ", "abc", "-r x", "3.57.0; rm", ">=3", "==3.57.0", "3..1"])
def test_what_is_no_version_is_not_handed_to_pip(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match="is needed"), wheel_of("openai", wanted):
        pass


def test_what_pip_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ConfigurationError) as refused, wheel_of("openai", "v0.0.1"):
        pass
    assert str(refused.value).startswith("openai==0.0.1: pip cannot fetch it: No matching distribution found")
    assert str(refused.value).endswith("a wheel or the folder of an unpacked one may be named instead")


def test_a_folder_is_read_however_it_was_unpacked(cats: Path) -> None:
    with zipfile.ZipFile(cats / "new.whl") as archive:
        archive.extractall(cats / "one")
        archive.extractall(cats / "two" / "src")
    run("update", "--sdk", "new.whl")
    for folder in ("one", "one/openai", "two"):
        assert run("drift", "--sdk", folder).exit_code == 0, folder


def test_older_releases_write_paths_and_resources_otherwise(cats: Path) -> None:
    older = {
        "openai/resources/cats.py": RESOURCE.replace(TEMPLATE, 'f"/cats/{cat_id}"'),
        "openai/resources/__init__.py": "from .cats import Cats\n",
        "openai/_client.py": "from . import resources\nclass OpenAI:\n    cats: resources.Cats\n    timeout: float\n",
    }
    pack(SDK | older)(cats / "old.whl")
    run("update", "--sdk", "new.whl")
    drift = run("drift", "--sdk", "old.whl", "--text")
    assert (drift.exit_code, drift.stdout, drift.stderr) == (0, "no drift\n", "")


def test_a_path_that_is_computed_is_noted(cats: Path) -> None:
    wheel(cats / "odd.whl", resources__cats=RESOURCE.replace(TEMPLATE, 'f"/cats/{quote(cat_id)}"'))
    shown = run("update", "--sdk", "odd.whl", "--check", "--text")
    assert "note: cats.retrieve: the path of its call cannot be read" in shown.stderr


def test_types_that_the_release_does_not_have_are_noted(cats: Path) -> None:
    pack({name: text for name, text in SDK.items() if "create_params" not in name})(cats / "less.whl")
    shown = run("update", "--sdk", "less.whl", "--check", "--text")
    assert "note: cats.create: not in this release: CatCreateParams" in shown.stderr
    assert "GET /cats/{cat_id}" in shown.stdout


@pytest.mark.parametrize(
    ("field", "asked", "pages"),
    [
        ("last", 'params={"after": self.last}', "cursor"),
        ("next", 'params={"after": self.next}', "next"),
        ("next", 'params={"page": self.next}', "page"),
        ("cursor", "url=self.cursor", None),
        ("cursor", 'params={"offset": self.cursor}', None),
    ],
)
def test_how_a_list_goes_on_is_read_from_its_class_of_pages(
    field: str, asked: str, pages: str | None, cats: Path
) -> None:
    page = PAGE.replace("{field}", field).replace("{asked}", asked)
    wheel(cats / "dogs.whl", _client=DOGS, resources__dogs=LISTED, types__dog_list_params=LIST_PARAMS, pagination=page)
    shown = run("update", "--sdk", "dogs.whl", "--text")
    assert shown.exit_code == 0, shown.output
    assert Catalogue.open(cats / "entities").find("dogs list").pages == pages
    assert ("dogs.list: how its pages (SyncStepPage) go on cannot be read" in shown.stderr) == (pages is None)
