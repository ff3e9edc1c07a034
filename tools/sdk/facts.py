"""Write or check `entities/overlays/sdk.yaml`: what the official SDK's types know and an OpenAPI document lacks.

`--document openapi.json` writes it; `--document openapi.json --check` exits 1 when the committed file differs, and
`--check` alone does the same as far as the SDK can tell: the patches to the document are then taken as they stand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tools.sdk.document import Document, Node, escaped
from tools.sdk.methods import Method, methods
from tools.sdk.names import canonical_names, closure, renamed
from tools.sdk.patches import overlay
from tools.sdk.paths import Translation
from tools.sdk.yaml_lines import lines

ROOT = Path(__file__).resolve().parents[2]
OVERLAY = ROOT / "entities" / "overlays" / "sdk.yaml"

HEADER = """\
# Made by `python -m tools.sdk` from the types of the official SDK, openai {version}. Do not edit.
# paths and components: operations that the OpenAPI document lacks. x-additions and x-relaxed: patches that loosen
# the document where the SDK's types allow more; `at` is a JSON pointer into the document.
"""


def signature(operation: str) -> str:
    """An operation whatever its path parameters are called."""
    return re.sub(r"{\w+}", "{}", operation)


def sdk_methods() -> dict[str, Method]:
    """The SDK's methods by operation, one for each."""
    from openai import OpenAI

    found: dict[str, Method] = {}
    for method in methods(OpenAI(api_key="none", admin_api_key="none")):
        found.setdefault(signature(method.operation), method)
    return found


def operations(document: Document) -> dict[str, Node]:
    """The document's operations by signature."""
    return {
        signature(f"{verb.upper()} {path}"): Node(f"/paths/{escaped(path)}/{verb}", said)
        for path, item in document.content["paths"].items()
        for verb, said in item.items()
        if verb in ("get", "post", "delete", "put", "patch")
    }


def facts(content: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the SDK knows that this document lacks, as the overlay's content."""
    document = Document(content)
    known = operations(document)
    found = sdk_methods()
    shared = [(m, known[s]) for s, m in sorted(found.items()) if s in known]
    translation, paths = translated(found, known, content["components"]["schemas"])
    additions, relaxed = overlay(document, translation, shared)
    return shortened(translation, {"paths": paths, "x-additions": additions, "x-relaxed": relaxed})


def refreshed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of an overlay as the SDK alone can make it anew: its patches, for want of a document, are kept."""
    alone = {signature(f"{verb.upper()} {path}") for path, item in content["paths"].items() for verb in item}
    found = sdk_methods()
    taken = [n.removeprefix("Sdk") for n in content["components"]["schemas"] if n.startswith("Sdk")]
    translation, paths = translated(found, [s for s in found if s not in alone], taken)
    return shortened(translation, {**content, "paths": paths})


def translated(found: Mapping[str, Method], known: Collection[str], taken: Collection[str]) -> tuple[Translation, Any]:
    """A translation that knows every class's name, and the path items of the operations that are not known."""
    import openai.types

    translation = Translation(openai.types, taken)
    alone = [m for s, m in found.items() if s not in known]
    translation.learn(alone, [m for s, m in sorted(found.items()) if s in known])
    return translation, translation.paths(alone)


def shortened(translation: Translation, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The overlay with only the definitions that are referred to, those that say the same being one."""
    names = canonical_names(translation.definitions)
    schemas = {names[n]: renamed(s, names) for n, s in translation.definitions.items() if names[n] == n}
    paths, additions, relaxed = (renamed(parts[key], names) for key in ("paths", "x-additions", "x-relaxed"))
    used = closure([paths, additions, relaxed], schemas)
    return {"paths": paths, "components": {"schemas": used}, "x-additions": additions, "x-relaxed": relaxed}


def text(content: Mapping[str, Any]) -> str:
    """The overlay's bytes."""
    import openai

    return HEADER.format(version=openai.__version__) + "".join(f"{line}\n" for line in lines(dict(content)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the overlay; the exit code says whether it was as it should be."""
    parser = argparse.ArgumentParser(description="what the official SDK's types know and an OpenAPI document lacks")
    parser.add_argument("--document", type=Path, help="the OpenAPI document, as JSON")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the committed file differs")
    parser.add_argument("--overlay", type=Path, default=OVERLAY, help="the file to write or check")
    given = parser.parse_args(arguments)
    if given.document is None and not given.check:
        parser.error("--document is needed to write the overlay; --check does without")
    fresh = text(facts(json.loads(given.document.read_bytes())) if given.document else refreshed(read(given.overlay)))
    if given.check:
        return compared(given.overlay, fresh)
    given.overlay.write_text(fresh, encoding="utf-8")
    return 0


def read(path: Path) -> dict[str, Any]:
    """An overlay's content."""
    from ruamel.yaml import YAML

    content: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return content


def compared(path: Path, fresh: str) -> int:
    """0 when the file holds exactly this text; otherwise 1, after saying where it first differs."""
    lines_here, lines_fresh = path.read_text(encoding="utf-8").splitlines(), fresh.splitlines()
    for number, (here, made) in enumerate(zip_longest(lines_here, lines_fresh), start=1):
        if here != made:
            print(f"{path}:{number}: found {here!r}; the SDK says {made!r}; run python -m tools.sdk", file=sys.stderr)
            return 1
    return 0
