"""Failures of the official SDK's tests are told apart: those that are the SDK's own, and those that are ours."""

from __future__ import annotations

from pathlib import Path

from tools.sdk_suite import main, read_failures

OUTPUT = """
FAILED tests/api_resources/test_embeddings.py::TestAsyncEmbeddings::test_raw_response_create[aiohttp] - openai.API
FAILED tests/api_resources/test_files.py::TestFiles::test_method_create[loose]
2 failed, 10 passed in 1s
"""


def test_a_failure_is_known_or_ours() -> None:
    unknown, known = read_failures(OUTPUT)
    assert unknown == ["tests/api_resources/test_files.py::TestFiles::test_method_create[loose]"]
    assert [name.rpartition("::")[2] for name, _ in known] == ["test_raw_response_create[aiohttp]"]


def test_a_folder_without_the_tests_is_refused(tmp_path: Path) -> None:
    assert main([str(tmp_path), "python3"]) == 2
    assert main([]) == 2
