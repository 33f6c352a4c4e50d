# `make help` says what there is. All commands work from any path, also with spaces, as root and as a plain user.
# The virtual environment's programs are called as `python -m`: a script's first line cannot name a path with a space.

export REVIEWAPP_STARTED_AT := $(shell date +%s)
# What pip and uv need to be quiet and never to ask.
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1

PYTHON = $(shell for name in python3 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo "$$name" && break; done)
VENV = .venv
BIN = $(VENV)/bin/python
STACK = $(BIN) -m reviewapp.lib.devstack
RUN = $(STACK) run --
# The name of a stamp changes with its lock file, so a changed lock installs again.
stamp = $(VENV)/.$(1)-$(shell cksum < requirements/$(1).txt | tr ' ' '-')
DEMO_READY = $(call stamp,demo)
DEV_READY = $(call stamp,dev)
# More arguments for pytest: make test ARGS="tests/queues -k lease"
ARGS =

.PHONY: demo test bench lint lint-style lint-types lint-plan lint-templates lint-django lint-locks lock clean help
.DEFAULT_GOAL = help

help:
	@echo 'make demo    the whole stack with a sample project, until Ctrl-C; PORT=8123 for another port than 8000'
	@echo 'make test    the suite on real PostgreSQL and Redis, then make lint; ARGS="tests/queues" for a part'
	@echo 'make bench   benchmarks, as ratios'
	@echo 'make lint    formatting, types, house plan, templates, migrations, deployment, dependencies'
	@echo 'make lock    resolve the dependencies again (needs uv)'
	@echo 'make clean   remove the virtual environment and all data of the demo'

demo: $(DEMO_READY)
	@$(STACK) demo

test: $(DEV_READY)
	$(RUN) $(BIN) -m pytest -q -n 2 $(ARGS)
	@$(MAKE) -k lint

bench: $(DEV_READY)
	$(RUN) $(BIN) -m bench $(ARGS)

lint: lint-style lint-plan lint-locks lint-types lint-templates lint-django
	@echo 'lint: all good'

lint-style: $(DEV_READY)
	@$(BIN) -m ruff check --quiet .
	@$(BIN) -m ruff format --quiet --check .

lint-plan: $(DEV_READY)
	@$(BIN) -c 'from importlinter.cli import lint_imports_command as check; check()' --no-cache

lint-types: $(DEV_READY)
	@$(RUN) $(BIN) -m mypy

lint-templates: $(DEV_READY)
	@$(BIN) -m djlint templates --lint --quiet
	@$(RUN) $(BIN) .ci/templates.py

lint-django: $(DEV_READY)
	@$(RUN) sh -c '$(BIN) manage.py check --deploy --fail-level WARNING && \
		DATABASE_ROLE=owner $(BIN) manage.py makemigrations --check --dry-run'

lint-locks: $(DEV_READY)
	@$(BIN) requirements/licences.py
	@! grep -nE '://|^ *(-i|-f|--index|--extra-index|--find-links|--trusted-host)' requirements/*.txt || \
		{ echo 'requirements: a lock file names an address'; exit 1; }

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'reviewapp needs Python 3.11 or 3.12 and found: '"$$(python3 --version 2>&1)." \
		'Install one of them, or name it: make demo PYTHON=/path/to/python3.12' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' || \
		{ echo '$(PYTHON) is not Python 3.11 or 3.12' >&2; exit 1; }
	@if command -v uv >/dev/null; then uv venv -q -p '$(PYTHON)' --allow-existing $(VENV); \
	elif ! '$(PYTHON)' -m venv $(VENV); then rm -rf $(VENV); \
		echo 'No virtual environment could be made (on Debian: apt-get install python3-venv).' >&2; exit 1; fi

define install
	@echo 'Installing the pinned dependencies of requirements/$(1).txt (about a minute)'
	@if command -v uv >/dev/null; then \
		uv pip install -q -p $(BIN) --require-hashes --only-binary :all: -r requirements/$(1).txt; \
	else $(BIN) -m pip install -q --require-hashes --only-binary :all: -r requirements/$(1).txt; fi
	@touch $@
endef

# Order only: the name of the stamp says whether it is of now, times do not.
$(DEMO_READY): | $(VENV)/bin/python
	$(call install,demo)

# dev.txt holds all of demo.txt.
$(DEV_READY): | $(VENV)/bin/python
	$(call install,dev)
	@touch $(DEMO_READY)

LOCK = uv pip compile -q pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --custom-compile-command 'make lock'

lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv on the PATH' >&2; exit 1; }
	$(LOCK) -o requirements/base.txt
	$(LOCK) --extra demo -c requirements/base.txt -o requirements/demo.txt
	$(LOCK) --extra demo --group dev -c requirements/demo.txt -o requirements/dev.txt

clean:
	@if [ -d var ] && [ -x $(BIN) ]; then $(STACK) clean; fi
	rm -rf var $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
