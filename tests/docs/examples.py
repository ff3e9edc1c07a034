"""The runnable blocks of a Markdown page.

```console   `$ command` lines, each followed by what it must print; `…` is any text, `# exit N` the exit code.
```python    a program that must run.
```json      (with a title: ```json title=FILE) a file the page's commands use; any language's block may have a title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"(?ms)^(?P<indent> *)```(?P<language>\w+)(?: title=(?P<title>\S+))?$(?P<text>.*?)^(?P=indent)```$")
EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass
class Command:
    line: int
    text: str
    exit_code: int = 0
    output: list[str] = field(default_factory=list)


@dataclass
class Block:
    line: int
    language: str
    title: str | None
    text: str

    def commands(self) -> list[Command]:
        commands: list[Command] = []
        for number, line in enumerate(self.text.splitlines(), start=self.line):
            if line.startswith("$ "):
                found = EXIT.search(line)
                commands.append(Command(number, EXIT.sub("", line[2:]), int(found[1]) if found else 0))
            elif line.startswith("> ") and commands and not commands[-1].output:
                commands[-1].text += f"\n{line[2:]}"
            elif commands:
                commands[-1].output.append(line)
        return commands


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start("text")) + 1
        body = "\n".join(row.removeprefix(fence["indent"]) for row in fence["text"].strip("\n").split("\n"))
        yield Block(line, fence["language"], fence["title"], body)


def matches(expected: str, printed: str) -> bool:
    """Whether the output is what the page says, `…` standing for any text and white space at line ends for nothing."""
    pattern = ".*?".join(re.escape(part) for part in _tidy(expected).split("…"))
    return re.fullmatch(pattern, _tidy(printed), re.DOTALL) is not None


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
