"""docs/from-flask.md names files, and where in them things are: they must be there."""

import ast
import re

from django.conf import settings
from django.test import SimpleTestCase

DOCUMENT = settings.BASE_DIR / "docs" / "from-flask.md"
TEXT = DOCUMENT.read_text()

# `name` ([path](../path))
PLACE = re.compile(r"`([\w.]+)`\s+\(\[([\w./-]+\.py)\]\(\.\./([\w./-]+)\)\)")


def definitions(body, prefix=""):
    """Yield the names that `body`, a list of Python's statements, defines."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign):
            yield from (prefix + each.id for each in node.targets if isinstance(each, ast.Name))


UNNAMED = 1  # blog/urls.py as a whole


class FromFlask(SimpleTestCase):
    def test_every_row_of_the_tutorial_is_there_and_leads_somewhere(self):
        rows = [line.strip("|").split(" | ") for line in TEXT.splitlines() if line[:3] == "| T"]
        self.assertEqual([row[0].strip() for row in rows], [f"T{n:02}" for n in range(1, 29)])
        for row in rows:
            with self.subTest(row[0]):
                self.assertEqual(len(row), 5)
                self.assertRegex(row[2], r"\]\((\.\./|reading\.md#)")

    def test_every_file_exists(self):
        for path in re.findall(r"\]\(([^)#:]+)", TEXT):
            with self.subTest(path):
                self.assertTrue((DOCUMENT.parent / path).is_file())

    def test_every_name_is_defined_in_the_file_that_is_linked(self):
        places = PLACE.findall(TEXT)
        self.assertGreaterEqual(len(places), 50)
        self.assertEqual(len(places), len(re.findall(r"\(\.\./[\w./-]+\.py\)", TEXT)) - UNNAMED)
        self.assertNotIn("#L", TEXT)  # lines move
        for name, path, linked_path in places:
            with self.subTest(name):
                self.assertEqual(path, linked_path)
                code = (settings.BASE_DIR / path).read_text()
                self.assertIn(name, list(definitions(ast.parse(code).body)))
