"""The conformance suite of the protocol's own project: what it asserts of any server, and of tools that it names.

The suite asks for tools and prompts of certain names. A configuration of ours offers those that a configuration can;
the others need what is not spoken here, each with its reason. `python -m tests.hosts.mcp.judges.conformance` prints it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from yarl import URL

from tests.hosts.judges import NODE, node_package
from tests.hosts.mcp.judges.proxy import adding_token
from tests.hosts.mcp.judges.serving import TOKEN, free_port, serving

__all__ = ["ASSERTED", "CONFORMANCE", "NOT_SPOKEN", "configuration", "judge"]

CONFORMANCE = node_package("mcp", "@modelcontextprotocol", "conformance", "dist", "index.js")
ASSERTED = (
    "server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection",
    "logging-set-level", "completion-complete", "resources-list", "prompts-list", "tools-call-simple-text",
    "tools-call-image", "tools-call-audio", "tools-call-with-logging", "tools-call-error", "tools-call-with-progress",
    "prompts-get-simple", "prompts-get-with-args", "prompts-get-with-image",
)  # fmt: skip
NOT_SPOKEN = {
    "tools-call-embedded-resource": "results link to resources, and embed none",
    "tools-call-mixed-content": "results link to resources, and embed none",
    "tools-call-sampling": "the server asks clients for nothing",
    "tools-call-elicitation": "the server asks clients for nothing",
    "elicitation-sep1034-defaults": "the server asks clients for nothing",
    "elicitation-sep1330-enums": "the server asks clients for nothing",
    "resources-read-text": "addresses of resources are ours, not the suite's test://",
    "resources-read-binary": "addresses of resources are ours, not the suite's test://",
    "resources-templates-read": "addresses of resources are ours, not the suite's test://",
    "resources-subscribe": "nothing is subscribed to",
    "resources-unsubscribe": "nothing is subscribed to",
    "prompts-get-embedded-resource": "prompts embed no resources",
    "json-schema-2020-12": "schemas are shortened, and hold no references",
    "server-sse-polling": "no stream is resumed: a call is asked for again, with its key",
}
"""The scenarios that fail, and must: one that passes without being spoken says nothing."""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
LINE = re.compile(r"([✓✗]) ([\w-]+): (\d+) passed, (\d+) failed")


def configuration(upstream: str) -> dict[str, Any]:
    """A configuration that offers what the suite asks for, as far as a configuration can."""

    def says(document: Any) -> dict[str, Any]:
        return {"chain": [{"value-setter": {"configurations": {"": document}}}], "publisher": {"prototype": "none"}}

    chat = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "one two three"}], "stream": True}
    publisher = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}
    simple = {"role": "user", "content": "This is a simple prompt for testing."}
    given = "Prompt with arguments: arg1='&{arg1}', arg2='&{arg2}'"
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    seen = {"role": "user", "content": [image, {"type": "text", "text": "Please analyze the image above."}]}

    def prompt(*messages: Any) -> list[Any]:
        return [{"value-setter": {"configurations": {"": {"payload": {"messages": list(messages)}}}}}]

    return {
        "clients": {"openai": {"prototype": "openai", "parameters": {"token": "made-up", "base_uri": upstream}}},
        "outgoing": {
            "test_simple_text": says("This is a simple text response for testing."),
            "test_image_content": says({"$content": PNG}),
            "test_audio_content": says({"$content": WAV}),
            "test_tool_with_logging": says("logged"),
            "test_error_handling": {**says(None), "chain": [{"exception": {"message": "An error, as it was meant."}}]},
            "test_tool_with_progress": {"request": {"payload": chat}, "publisher": publisher},
        },
        "chains": {
            "test_simple_prompt": prompt(simple),
            "test_prompt_with_arguments": prompt({"role": "user", "content": given}),
            "test_prompt_with_image": prompt(seen),
        },
        "mcp": {
            "operations": ["files *"],
            "prompts": ["test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_image"],
        },
    }  # fmt: skip


def judge(folder: Path, upstream: str, *scenarios: str, mutant: str = "") -> dict[str, bool]:
    """Whether each scenario passes; all of them unless some are named."""
    port = free_port()
    document = {**configuration(upstream), "gateway": {"hosts": [f"127.0.0.1:{port}", f"localhost:{port}"]}}
    with serving(folder, document, mutant) as url, adding_token(TOKEN, port, URL(url)):
        command = [str(NODE), str(CONFORMANCE), "server", "--url", f"http://127.0.0.1:{port}/mcp"]
        found: dict[str, bool] = {}
        for chosen in [["--scenario", name] for name in scenarios] or [["--suite", "all"]]:
            done = subprocess.run(
                [*command, *chosen], cwd=folder, capture_output=True, text=True, timeout=120, check=False
            )
            said = f"{done.stdout}{done.stderr}"
            lines = LINE.findall(said)
            found |= {name: mark == "✓" and passed != "0" for mark, name, passed, _ in lines}
            if not lines:
                found[chosen[-1]] = done.returncode == 0 and "SUCCESS" in said
    return found


def main() -> int:
    from connector.sandbox import Sandbox  # noqa: F401  a missing sandbox is told before anything is started
    from tests.hosts.mcp.judges.serving import sandbox

    with TemporaryDirectory() as folder, sandbox() as upstream:
        found = judge(Path(folder), upstream)
    for name, passes in sorted(found.items(), key=lambda item: not item[1]):
        sys.stdout.write(f"{'passes' if passes else 'fails':7} {name:34} {NOT_SPOKEN.get(name, '')}\n")
    wrong = {name for name in ASSERTED if not found.get(name)} | {name for name in NOT_SPOKEN if found.get(name)}
    sys.stdout.write(f"{sum(found.values())} of {len(found)} pass; {len(NOT_SPOKEN)} ask for what is not spoken\n")
    sys.stdout.write(f"not as expected: {', '.join(sorted(wrong))}\n" if wrong else "")
    sys.stdout.write(json.dumps(found) + "\n" if "--json" in sys.argv else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
