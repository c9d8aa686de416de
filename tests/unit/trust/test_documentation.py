"""docs/verdicts.md names every finding of the judge, and no code that Windows does not have."""

import ast
import re
from pathlib import Path

from pkitools.codes import hex_of
from pkitools.trust.issues import FLAGS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
MAKERS = {"flagged": 2, "flagless": 1, "warned": 1, "noted": 1, "finding": 1}


def finding_ids() -> set[str]:
    """The strings that stand where a finding's id belongs."""
    found: set[str] = set()
    for path in (ROOT / "pkitools" / "trust").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                for part in ast.walk(node.args[MAKERS[node.func.id]]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found.add(part.value)
    return found | {"NameExcluded", "NameNotPermitted", "NameConstraintNotSupported"}


def test_every_finding_is_explained():
    ids = finding_ids()
    assert len(ids) > 40
    cells = {
        word for line in PAGE.splitlines() if line.startswith("| ") for word in re.findall(r"\w+", line.split("|")[1])
    }
    assert ids - cells == set()


def test_every_code_has_its_number():
    for name, number in re.findall(r"([A-Z]+_E_[A-Z_]+) (0x[0-9A-F]{8})", PAGE):
        assert hex_of(name) == number
    assert {code for code, _ in FLAGS.values() if code} - set(re.findall(r"[A-Z]+_E_[A-Z_]+", PAGE)) <= {
        "TRUST_E_EXPLICIT_DISTRUST"
    }
