"""What must fit together before a tag is released."""

from __future__ import annotations

from tools.release import faults


def test_a_tag_with_its_version_and_a_dated_section_is_released() -> None:
    assert faults("v1.2.3", "1.2.3", "# Changes\n\n## 1.2.3 (2026-03-01)\n\n## 1.2.2 (2026-02-01)\n") == []


def test_another_tag_is_not() -> None:
    (fault,) = faults("v1.2.4", "1.2.3", "## 1.2.3 (2026-03-01)\n")
    assert "tag v1.2.3, or change the version first" in fault


def test_a_changelog_that_begins_with_another_version_or_has_no_date_is_not() -> None:
    assert "begins with 1.2.2" in faults("v1.2.3", "1.2.3", "## 1.2.2 (2026-02-01)\n")[0]
    assert "begins with no version" in faults("v1.2.3", "1.2.3", "# Changes\n")[0]
    assert "write the day" in faults("v1.2.3", "1.2.3", "## 1.2.3 (unreleased)\n")[0]
