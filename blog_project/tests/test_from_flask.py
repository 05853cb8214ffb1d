"""docs/from-flask.md names files, and where in them things are: they must be there."""

import ast
import re

from django.conf import settings
from django.test import SimpleTestCase

DOCUMENT = settings.BASE_DIR / "docs" / "from-flask.md"
TEXT = DOCUMENT.read_text()

# `name` ([path:line](../path#Lline))
PLACE = re.compile(r"`([\w.]+)`\s+\(\[([\w./-]+):(\d+)\]\(\.\./([\w./-]+)#L(\d+)\)\)")


def definitions(body, prefix=""):
    """Yield name and line of what `body`, a list of Python's statements, defines."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield prefix + node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            yield from ((prefix + name, node.lineno) for name in names)


def line_of(name, path):
    """Return the line of the file at `path` that defines `name`, or None."""
    file = settings.BASE_DIR / path
    found = definitions(ast.parse(file.read_text()).body) if file.is_file() else []
    return dict(found).get(name)


class FromFlask(SimpleTestCase):
    def test_every_row_of_the_tutorial_is_there_and_leads_somewhere(self):
        rows = [line.strip("|").split(" | ") for line in TEXT.splitlines() if line[:3] == "| T"]
        self.assertEqual([row[0].strip() for row in rows], [f"T{n:02}" for n in range(1, 29)])
        for row in rows:
            with self.subTest(row[0]):
                self.assertEqual(len(row), 5)
                self.assertIn("](../", row[2])

    def test_every_file_exists(self):
        for path in re.findall(r"\]\(([^)#:]+)", TEXT):
            with self.subTest(path):
                self.assertTrue((DOCUMENT.parent / path).is_file())

    def test_every_name_is_defined_in_the_line_that_is_linked(self):
        places = PLACE.findall(TEXT)
        self.assertGreater(len(places), 50)
        self.assertEqual(len(places), TEXT.count("#L"), "A link to a line without its name")
        wrong = [
            f"{name} in {path}:{line} is in line {line_of(name, path)}"
            for name, path, line, linked_path, linked_line in places
            if (path, line) != (linked_path, linked_line) or int(line) != line_of(name, path)
        ]
        self.assertEqual(wrong, [], "\n".join(["", *wrong]))
