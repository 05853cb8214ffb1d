"""docs/security.md names tests as proofs: they must be there."""

import ast
import re

from django.conf import settings
from django.test import SimpleTestCase

DOCUMENT = settings.BASE_DIR / "docs" / "security.md"


def rows():
    """Return (ids, proof) of each row of the table of requirements."""
    lines = DOCUMENT.read_text().splitlines()
    cells = [
        line.strip("| ").split(" | ")
        for line in lines
        if re.match(r"\| (NIST )?\d+\.\d+\.\d+", line)
    ]
    return [(row[0], row[-1]) for row in cells]


def names(path):
    """Return what the test file at `path` defines, as pytest spells it after "::"."""
    found = set()
    for node in ast.parse((settings.BASE_DIR / path).read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
            found.update(f"{node.name}::{each.name}" for each in node.body if hasattr(each, "name"))
    return found


class SecurityTable(SimpleTestCase):
    def test_every_requirement_has_a_proof_or_says_why_not(self):
        self.assertEqual(len(rows()), 65)
        for ids, proof in rows():
            with self.subTest(ids):
                self.assertRegex(proof, r"`\S+\.py::\S+`|not met.*, because")

    def test_every_named_test_exists(self):
        proofs = re.findall(r"`(\S+\.py)::(\S+)`", " ".join(proof for _, proof in rows()))
        self.assertGreater(len(proofs), 50)
        for path, name in proofs:
            with self.subTest(f"{path}::{name}"):
                self.assertIn(name, names(path))
