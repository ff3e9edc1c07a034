"""python -m bench [calls|listing|upload|startup|transform …] [--rounds N] [--seconds S] [--write PAGE]"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from bench import calls, engine, files, gateway, listing, sandbox, startup, studio, transform, upload
from bench.machine import cores, described
from bench.page import NoPlace, put
from bench.table import Section

PARTS = ("calls", "listing", "upload", "startup", "transform", "sandbox", "gateway", "engine", "files", "studio")


def main() -> None:
    given = _arguments()
    load = os.getloadavg()[0]
    for part in given.parts or PARTS:
        section = _run(part, given.rounds, given.seconds)
        text = f"\n{section.markdown()}\n{_where(part, load)}\n\n"
        print(f"\n## {part}\n{text}", end="", flush=True)
        if given.write:
            try:
                put(given.write, part, text)
            except (NoPlace, OSError) as error:
                sys.exit(f"bench: {error}")


def _run(part: str, rounds: int, seconds: float) -> Section:
    match part:
        case "calls":
            return calls.run(rounds, seconds)
        case "listing":
            return listing.run(rounds)
        case "upload":
            return upload.run(rounds)
        case "transform":
            return transform.run(rounds, seconds)
        case "sandbox":
            return sandbox.run(rounds, seconds)
        case "gateway":
            return gateway.run(rounds, seconds)
        case "engine":
            return engine.run(rounds, seconds)
        case "studio":
            return studio.run(rounds)
        case "files":
            return files.run()
        case _:
            return startup.run()


def _where(part: str, load: float) -> str:
    apart = part not in ("engine", "studio") and cores()[0] is not None
    pinned = "a core each for server and peer" if apart else "server and peer share what there is"
    return f"Machine: {described()}; loopback, {pinned}; load when the bench began: {load:.1f}."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="speed and memory beside those of others")
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"{', '.join(PARTS)} (all of them)")
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=5, metavar="N", help="1 to 20 (5)")
    parser.add_argument("--seconds", type=_seconds, default=2.0, metavar="S", help="each round of calls, up to 60 (2)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page as well")
    return parser.parse_args()


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
