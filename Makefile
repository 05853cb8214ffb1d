# make run    set up what is missing and serve the site on http://127.0.0.1:8000
# make test   set up what is missing and run the tests
# CONTRIBUTING.md says more about the others.

PORT ?= 8000
PYTHON = .venv/bin/python

# A start as in production, for what has to look at it: any key and any host.
PRODUCTION = DEBUG=false SECRET_KEY=$$($(PYTHON) -c "import secrets; print(secrets.token_urlsafe(50))") ALLOWED_HOSTS=blog.example

.PHONY: run test check browser pictures

run: .venv/installed
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py load_demo_posts
	@echo
	@echo "The blog:  http://127.0.0.1:$(PORT)/  (Ctrl-C stops it)"
	@echo "An admin:  $(PYTHON) manage.py createsuperuser, then http://127.0.0.1:$(PORT)/admin/"
	@echo
	@exec $(PYTHON) manage.py runserver $(PORT)

test: .venv/installed
	$(PYTHON) -m pytest

check: .venv/installed-dev
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) manage.py check --fail-level WARNING
	$(PYTHON) manage.py makemigrations --check
	$(PYTHON) -m coverage run -m pytest
	$(PYTHON) -m coverage report
	$(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING
	env -i $(PYTHON) -c "import blog_project.wsgi" 2>&1 | grep "ImproperlyConfigured: SECRET_KEY"

browser: .venv/installed-dev
	$(PYTHON) -m pytest browser_tests

pictures: .venv/installed-dev
	$(PYTHON) -m pytest browser_tests/pictures.py

.venv/installed: requirements.txt
	@python3 -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	python3 -m venv .venv
	$(PYTHON) -m pip install --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PYTHON) -m pip install --requirement requirements-dev.txt
	@touch $@
