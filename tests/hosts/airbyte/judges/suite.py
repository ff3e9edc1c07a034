"""The suite that Airbyte holds its own sources against, over our process: what it says is what the suite judges.

It runs in the environment of the judges, from a folder with `metadata.yaml` and `acceptance-test-config.yml`.
"""

import os
import shlex
import subprocess
from pathlib import Path

from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase


def _run_process(source, args, expecting_exception=None, *, expected_outcome=None):
    """What the process says to the words that the suite would give to a source of its own kind."""
    del source, expecting_exception, expected_outcome
    words = [*shlex.split(os.environ["SOURCE"]), *args[: 1 if args[0] == "spec" else None]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return entrypoint_wrapper.EntrypointOutput(messages=done.stdout.splitlines(), stderr=done.stderr)


entrypoint_wrapper._run_command = _run_process


class _Process:
    def spec(self, logger):
        raise NotImplementedError


class TestSource(SourceTestSuiteBase):
    connector = _Process

    @classmethod
    def get_connector_root_dir(cls):
        return Path.cwd()
