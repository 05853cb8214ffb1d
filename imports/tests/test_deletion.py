"""The app is for moving in, and can be deleted afterwards: docs/make-it-yours.md says how."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase, tag

RECIPE = "## Without the imports"
PAGES = ["blog_project/tests/test_pages.py", "users/tests/test_register.py"]


@tag("slow")
class Deletion(SimpleTestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.site = Path(folder, "site")
        left_out = shutil.ignore_patterns(".*", "*.sqlite3*", "media", "staticfiles")
        shutil.copytree(settings.BASE_DIR, self.site, ignore=left_out)

    def run_python(self, *arguments):
        # On SQLite, and with nothing of this run's: its database, its coverage.
        environment = {"PATH": os.environ["PATH"], "DEBUG": "true"}
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.site,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_as_the_recipe_has_it_leaves_a_site_that_works(self):
        document = (self.site / "docs/make-it-yours.md").read_text()
        [recipe] = re.findall(rf"^{RECIPE}\n(.+?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
        for command in re.findall(r"^\$ (.+)$", recipe, re.MULTILINE):
            subprocess.run(command, shell=True, cwd=self.site, check=True)
        self.assertFalse((self.site / "imports").exists())
        left = [
            str(path.relative_to(self.site))
            for path in [*self.site.rglob("*.py"), self.site / "pyproject.toml"]
            if re.search(
                r"^\s*from imports\b|^\s*import imports\b|\"imports\"",
                path.read_text(),
                re.MULTILINE,
            )
        ]
        self.assertEqual(left, [])
        self.run_python("manage.py", "check", "--fail-level", "WARNING")
        self.run_python("manage.py", "makemigrations", "--check")
        self.run_python("-m", "pytest", "--quiet", *PAGES)
