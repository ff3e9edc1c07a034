"""Verdicts as JUnit XML, for build servers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from connector.pipeline.testing.cases import Checked

__all__ = ["junit"]

FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(tested: Sequence[Checked]) -> bytes:
    """Return the document, a suite for each file."""
    root = Element("testsuites", _numbers(tested))
    for file in dict.fromkeys(one.file for one in tested):
        cases = [one for one in tested if one.file == file]
        suite = SubElement(root, "testsuite", {"name": str(file), **_numbers(cases)})
        for one in cases:
            case = SubElement(
                suite, "testcase", {"classname": str(file), "name": _text(one.name), "time": f"{one.seconds:.3f}"}
            )
            if not one.passed:
                failure = SubElement(case, "failure", {"message": _text(one.difference.splitlines()[0][:200])})
                failure.text = _text(one.difference)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _numbers(tested: Sequence[Checked]) -> dict[str, str]:
    failures = sum(not one.passed for one in tested)
    seconds = sum(one.seconds for one in tested)
    return {"tests": str(len(tested)), "failures": str(failures), "time": f"{seconds:.3f}"}


def _text(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)
