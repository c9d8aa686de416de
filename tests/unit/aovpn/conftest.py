"""Enumerations of the Windows SDK, for the tests of this folder."""

import pytest


@pytest.fixture(scope="session")
def corpus_enums(corpus) -> dict[str, dict[str, int]]:
    """Group -> name -> number."""
    groups: dict[str, dict[str, int]] = {}
    for line in (corpus / "windows-enums.tsv").read_text("utf-8").splitlines()[2:]:
        fields = line.split("\t")
        try:
            groups.setdefault(fields[0], {})[fields[1]] = int(fields[2], 0)
        except (ValueError, IndexError):
            continue
    return groups
