"""Files that Windows made, for the tests of this folder."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder that PKITOOLS_CORPUS names."""
    folder = os.environ.get("PKITOOLS_CORPUS")
    if not folder:
        pytest.skip("PKITOOLS_CORPUS is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def corpus_enums(corpus) -> dict[str, dict[str, int]]:
    """Enumerations of the Windows SDK: group -> name -> number."""
    groups: dict[str, dict[str, int]] = {}
    for line in (corpus / "windows-enums.tsv").read_text("utf-8").splitlines()[2:]:
        fields = line.split("\t")
        try:
            groups.setdefault(fields[0], {})[fields[1]] = int(fields[2], 0)
        except (ValueError, IndexError):
            continue
    return groups
