"""Folders that are replaced whole or not at all, whenever the process stops."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from connector.aio.atomic_file import sync_path

__all__ = ["replace_folder", "restore_folder", "stage_folder"]

ABANDONED = 3600.0
"""The age, in seconds, at which the staged folder of a process that was killed is removed."""
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@contextmanager
def stage_folder(path: Path) -> Generator[Path]:
    """Give a copy of a folder beside it, empty where there is none; it is removed at the end of the block."""
    restore_folder(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    staged = path.with_name(f".{path.name}.{token_hex(4)}.partial")
    try:
        if path.exists():
            shutil.copytree(path, staged, symlinks=True)
        else:
            staged.mkdir()
        os.utime(staged)
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def replace_folder(staged: Path, path: Path) -> None:
    """Put a staged folder into the place of another one; the files are on disk when this returns."""
    for each in sorted(staged.rglob("*")):
        if not each.is_symlink():
            sync_path(each)
    if not path.exists():
        staged.rename(path)
    elif not _exchange(staged, path):
        _rename_aside(staged, path)
    with suppress(OSError):  # not every file system can sync a folder
        sync_path(path.parent)


def restore_folder(path: Path) -> None:
    """Put a folder back that a process, killed while it replaced it, had put aside."""
    aside = _aside(path)
    if aside.is_dir() and not path.exists():
        with suppress(OSError):  # another process was faster
            aside.rename(path)


def _rename_aside(staged: Path, path: Path) -> None:
    aside = _aside(path)
    shutil.rmtree(aside, ignore_errors=True)
    path.rename(aside)
    try:
        staged.rename(path)
    except OSError:
        aside.rename(path)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.before")


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system can."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return rename is not None and rename(AT_FDCWD, bytes(one), AT_FDCWD, bytes(other), RENAME_EXCHANGE) == 0


def _remove_abandoned(path: Path) -> None:
    for each in path.parent.glob(f".{path.name}.*.partial"):
        with suppress(OSError):
            if each.is_dir() and time.time() - each.stat().st_mtime > ABANDONED:
                shutil.rmtree(each, ignore_errors=True)
