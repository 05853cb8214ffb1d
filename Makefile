# make run    set up what is missing and serve the site on http://localhost:8000
# make demo   set up what is missing and serve a filled site to look at
# make test   set up what is missing and run the tests but the slow ones
# make serve  set up what is missing and serve as in production, with the environment in .env
# CONTRIBUTING.md says more about the others.

export PORT ?= 8000
PYTHON3 ?= python3
PYTHON = .venv/bin/python

# A start as in production, for what has to look at it: any key, host and folder.
PRODUCTION = DEBUG=false SECRET_KEY=$$($(PYTHON) -c "import secrets; print(secrets.token_urlsafe(50))") \
	ALLOWED_HOSTS=blog.example DEFAULT_FROM_EMAIL=noreply@blog.example MEDIA_ROOT=/tmp/media

# A process for each core, but no more than a PostgreSQL has connections for. The tests of a file
# stay in one process, which starts their servers once.
PARALLEL = --numprocesses=auto --maxprocesses=4 --dist=loadfile
NOT_SLOW = -m "not slow"

# The W3C's checker of HTML, for Java.
VNU = 26.9.27

# Debian's python3 comes without ensurepip: there, pip itself is fetched first, and checked.
PIP_WHEEL = pip-26.3-py3-none-any.whl
PIP_SHA256 = f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13
define FETCH_PIP
import hashlib, pathlib, re, urllib.parse, urllib.request
index = "https://pypi.org/simple/pip/"
page = urllib.request.urlopen(index).read().decode()
link = re.search(r'href="([^"#]*/$(PIP_WHEEL))', page)[1]
wheel = urllib.request.urlopen(urllib.parse.urljoin(index, link)).read()
assert hashlib.sha256(wheel).hexdigest() == "$(PIP_SHA256)", "not the pip that was asked for"
pathlib.Path(".venv/$(PIP_WHEEL)").write_bytes(wheel)
endef
export FETCH_PIP

.PHONY: run demo test test-all serve check browser bench attack pictures

run: .venv/installed
	@$(PYTHON) manage.py migrate --verbosity 0
	@echo
	@echo "The blog:  http://localhost:$(PORT)/  (Ctrl-C stops it)"
	@echo "An admin:  $(PYTHON) manage.py createsuperuser, then http://localhost:$(PORT)/admin/"
	@echo "A filled site to look at, beside yours:  make demo"
	@echo
	@exec $(PYTHON) manage.py runserver localhost:$(PORT)

# In a database of its own: delete .demo to be rid of it, or to have it new.
demo: export DATABASE_URL = sqlite:///.demo/db.sqlite3
demo: export MEDIA_ROOT = .demo/media
demo: .venv/installed
	@mkdir -p .demo
	@$(PYTHON) manage.py migrate --verbosity 0
	@echo
	@echo "The blog:  http://localhost:$(PORT)/  (Ctrl-C stops it)"
	@$(PYTHON) manage.py demo
	@echo
	@exec $(PYTHON) manage.py runserver localhost:$(PORT)

test: .venv/installed
	$(PYTHON) -m pytest $(PARALLEL) $(NOT_SLOW)

test-all: .venv/installed .venv/vnu/$(VNU)
	$(PYTHON) -m pytest $(PARALLEL)

# DEBUG is off whatever the environment says. gunicorn.conf.py looks first whether the site could
# answer at all; nothing is migrated here, where nobody asked for it.
serve: .venv/installed
	@set -e; if [ -f .env ]; then set -a; . ./.env; set +a; fi; export DEBUG=false; \
	$(PYTHON) gunicorn.conf.py; \
	$(PYTHON) manage.py collectstatic --noinput --verbosity 0; \
	exec $(PYTHON) -m gunicorn

check: .venv/installed-dev
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	.venv/bin/lint-imports --no-logo
	$(PYTHON) manage.py check --fail-level WARNING
	$(PYTHON) manage.py makemigrations --check
	$(PYTHON) -m coverage erase
	$(PYTHON) -m coverage run manage.py test --parallel 2 --exclude-tag slow
	$(PYTHON) -m coverage combine --quiet
	$(PYTHON) -m coverage report
	$(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING
	env -i $(PYTHON) -c "import blog_project.wsgi" 2>&1 | grep "ImproperlyConfigured: SECRET_KEY"

browser: .venv/installed-dev
	$(PYTHON) -m pytest browser_tests

bench: .venv/installed-dev
	$(PYTHON) -m bench $(if $(QUICK),--quick)

attack: .venv/installed-dev
	$(PYTHON) -m attacks

pictures: .venv/installed-dev
	$(PYTHON) -m pytest browser_tests/pictures.py

.venv/installed: requirements.txt
	@$(PYTHON3) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON3=/path/to/it" if sys.version_info < (3, 11) else 0)'
	@if $(PYTHON3) -c "import ensurepip" 2>/dev/null; then \
		$(PYTHON3) -m venv .venv; \
	else \
		$(PYTHON3) -m venv --without-pip .venv && $(PYTHON) -c "$$FETCH_PIP" && \
		$(PYTHON) .venv/$(PIP_WHEEL)/pip install --quiet .venv/$(PIP_WHEEL); \
	fi
	$(PYTHON) -m pip install --disable-pip-version-check --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PYTHON) -m pip install --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

# Without the package's own script, which would fetch a Java that is not asked for.
.venv/vnu/$(VNU): | .venv/installed
	@{ command -v npm && command -v java; } >/dev/null || { \
		echo "The HTML checker needs npm and Java. Debian: apt-get install npm default-jre-headless"; exit 1; \
	}
	npm install --ignore-scripts --no-save --no-audit --no-fund --prefix .venv/vnu vnu-jar@$(VNU)
	@touch $@
