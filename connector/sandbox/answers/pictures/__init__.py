"""Small valid pictures and videos of any size and format, in the colour of what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.sandbox.answers.dice import Dice
from connector.sandbox.answers.pictures.gif import gif
from connector.sandbox.answers.pictures.jpeg import jpeg
from connector.sandbox.answers.pictures.mp4 import mp4
from connector.sandbox.answers.pictures.png import png
from connector.sandbox.answers.pictures.svg import svg
from connector.sandbox.answers.pictures.webp import webp

__all__ = ["TYPES", "picture", "video"]

Colour = tuple[int, int, int]
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "svg": "image/svg+xml"}
WRITERS: Mapping[str, Callable[[int, int, Colour], bytes]] = {
    "png": png, "jpeg": jpeg, "webp": webp, "gif": gif, "svg": svg,
}  # fmt: skip


def picture(said: str, width: int, height: int, form: str = "png") -> bytes:
    """A picture of exactly that width and height; what was said chooses its colour."""
    return WRITERS[form](width, height, _colour(said))


def video(said: str, width: int, height: int, seconds: int) -> bytes:
    """A video of exactly that width, height and length."""
    return mp4(width, height, seconds, _colour(said))


def _colour(said: str) -> Colour:
    dice = Dice(said)
    return dice.number("red", 256), dice.number("green", 256), dice.number("blue", 256)
