"""`make release-check TAG=v1.2.3`: the tag, pyproject.toml and the changelog must name one version, with a date."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

__all__ = ["faults", "main"]

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"(?m)^## (\S+) \((.+)\)$")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def main() -> int:
    """Print what does not fit together; return 1 if anything does not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = faults(sys.argv[1], project["version"], (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    for fault in found:
        print(fault)
    return 1 if found else 0


def faults(tag: str, version: str, changelog: str) -> list[str]:
    """Return what keeps a tag from being released."""
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag!r}; pyproject.toml says {version}: tag v{version}, or change the version first")
    newest = SECTION.search(changelog)
    if newest is None or newest[1] != version:
        named = newest[1] if newest else "no version"
        found.append(f"CHANGELOG.md begins with {named}; its first section must be `## {version} (YYYY-MM-DD)`")
    elif not DATE.fullmatch(newest[2]):
        found.append(f"CHANGELOG.md says {version} is {newest[2]!r}; write the day of the release")
    return found


if __name__ == "__main__":
    sys.exit(main())
