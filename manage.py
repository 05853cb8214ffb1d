#!/usr/bin/env python
"""The developer's entry point; pytest starts from it too (see pyproject.toml)."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_project.settings")
# Debug pages for the developer, unless the environment says otherwise. wsgi.py never does this.
os.environ.setdefault("DEBUG", "true")

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
