"""python -m bench [--quick] [calls|listing|upload|startup|transform …] [--rounds N] [--seconds S] [--write PAGE]"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench import calls, engine, files, gateway, listing, sandbox, startup, studio, transform, upload
from bench.environment import INSTALLED_ONLY
from bench.machine import cores, described
from bench.page import NoPlace, put
from bench.scale import FULL, QUICK, Scale
from bench.table import Section, Target

PARTS: Mapping[str, Callable[[Scale], Section]] = {
    "calls": calls.run,
    "listing": listing.run,
    "upload": upload.run,
    "startup": startup.run,
    "transform": transform.run,
    "sandbox": sandbox.run,
    "gateway": gateway.run,
    "engine": engine.run,
    "files": files.run,
    "studio": studio.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    scale = _scale(given)
    if not scale.install:
        os.environ[INSTALLED_ONLY] = "1"
    load, began = os.getloadavg()[0], time.monotonic()
    targets: list[tuple[str, Target]] = []
    for part in given.parts or PARTS:
        section = PARTS[part](scale)
        targets += [(part, target) for target in section.targets]
        text = f"\n{section.markdown()}\n{_where(part, load)}\n\n"
        print(f"\n## {part}\n{text}", end="", flush=True)
        if given.write:
            try:
                put(given.write, part, text)
            except (NoPlace, OSError) as error:
                sys.exit(f"bench: {error}")
    print(summary(targets, time.monotonic() - began))


def summary(targets: Sequence[tuple[str, Target]], seconds: float) -> str:
    """Say how many targets are reached, and which are missed."""
    missed = [f"- {part}: {target.text}: {target.found}" for part, target in targets if not target.reached]
    said = f"{len(targets) - len(missed)} of {len(targets)} targets are reached, in {seconds:.0f} s"
    return "\n".join([f"{said}; missed:" if missed else f"{said}.", *missed])


def _scale(given: argparse.Namespace) -> Scale:
    asked = {name: getattr(given, name) for name in ("rounds", "seconds") if getattr(given, name) is not None}
    return replace(QUICK if given.quick else FULL, **asked)


def _where(part: str, load: float) -> str:
    apart = part not in ("engine", "studio") and cores()[0] is not None
    pinned = "a core each for server and peer" if apart else "server and peer share what there is"
    return f"Machine: {described()}; loopback, {pinned}; load when the bench began: {load:.1f}."


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="speed and memory beside those of others")
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"{', '.join(PARTS)} (all of them)")
    parser.add_argument(
        "--quick", action="store_true", help="about two minutes for all parts: small sizes, one round, no installing"
    )
    parser.add_argument("--rounds", type=int, choices=range(1, 21), metavar="N", help=f"1 to 20 ({FULL.rounds})")
    parser.add_argument(
        "--seconds", type=_seconds, metavar="S", help=f"each round of calls, up to 60 ({FULL.seconds:g})"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page as well")
    return parser.parse_args(arguments)


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"no such part: {name!r}; there are {', '.join(PARTS)}")
    return name


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.2 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"found {text}; 0.2 to 60 are allowed")
    return seconds


if __name__ == "__main__":
    main()
