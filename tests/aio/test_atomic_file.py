"""A file is there whole or as it was before, at whatever moment the process or the machine stops."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from connector.aio import atomic_file
from connector.aio.atomic_file import AtomicFile, open_atomic, replace_durably, write_atomically


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class Steps:
    """Writes down what reaches the disk, and breaks off before a step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, breaks_at: str = "") -> None:
        self.seen: list[str] = []
        self.breaks_at = breaks_at
        fsync, replace = os.fsync, Path.replace

        def synced(descriptor: int) -> None:
            self.reach("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
            fsync(descriptor)

        def replaced(path: Path, to: Path) -> Path:
            self.reach("rename")
            return replace(path, to)

        monkeypatch.setattr(atomic_file.os, "fsync", synced)
        monkeypatch.setattr(Path, "replace", replaced)

    def reach(self, step: str) -> None:
        if step == self.breaks_at:
            raise OSError(28, "No space left on device")
        self.seen.append(step)


def test_what_was_written_is_synced_then_renamed_then_the_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(monkeypatch)
    write_atomically(tmp_path / "file", b"whole")
    assert steps.seen == ["file", "rename", "folder"]
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize("step", ["file", "rename"])
def test_what_breaks_before_the_rename_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (tmp_path / "file").write_bytes(b"before")
    Steps(monkeypatch, step)
    with pytest.raises(OSError, match="No space"):
        write_atomically(tmp_path / "file", b"after")
    assert (tmp_path / "file").read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_synced_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Steps(monkeypatch, "folder")
    write_atomically(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"


def test_a_process_that_ends_between_write_and_rename_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    pid = os.fork()
    if pid == 0:
        AtomicFile(tmp_path / "file").file.write(b"after")
        os._exit(0)
    os.waitpid(pid, 0)
    assert (tmp_path / "file").read_bytes() == b"before"
    (partial,) = tmp_path.glob("*.partial")
    assert partial.name.startswith(".file.")
    write_atomically(tmp_path / "file", b"later")
    assert (tmp_path / "file").read_bytes() == b"later"


def test_an_error_in_the_block_discards_the_file(tmp_path: Path) -> None:
    def write() -> None:
        with open_atomic(tmp_path / "file") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert names(tmp_path) == []


def test_permissions_are_kept_and_those_of_a_new_file_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    write_atomically(tmp_path / "old", b"", mode=0o600)
    write_atomically(tmp_path / "new", b"", mode=0o600)
    write_atomically(tmp_path / "usual", b"")
    umask = os.umask(0)
    os.umask(umask)
    assert {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "new", "usual")} == {
        "old": 0o640,
        "new": 0o600,
        "usual": 0o666 & ~umask,
    }


def test_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"target")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomically(tmp_path / "link", b"whole")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"target"


def test_a_file_of_somebody_else_is_put_in_place_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made").write_bytes(b"whole")
    steps = Steps(monkeypatch)
    replace_durably(tmp_path / "made", tmp_path / "file")
    assert steps.seen == ["file", "rename", "folder"]
    assert names(tmp_path) == ["file"]


def test_two_at_a_time_do_not_meet(tmp_path: Path) -> None:
    files: list[Any] = [AtomicFile(tmp_path / "file") for _ in range(2)]
    for number, file in enumerate(files):
        file.file.write(str(number).encode())
    for file in files:
        file.commit()
    assert (tmp_path / "file").read_bytes() == b"1"
