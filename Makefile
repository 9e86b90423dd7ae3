# Every target works by itself: what it needs is made on the way.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet --quiet

.DEFAULT_GOAL := help
.PHONY: help install up down test lint fix bench peers schema

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make the environment in .venv, from the lock file.

up: $(INSTALLED) ## Start everything; Ctrl-C stops it. In the background: make up ARGS=--detach
	@$(BIN)/tillhouse up $(ARGS)

down: $(INSTALLED) ## Stop what runs in the background.
	@$(BIN)/tillhouse down

test: lint ## Run every check and every test; the end says what was not run, and why.
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

bench: $(INSTALLED) ## Measure everything; BENCH_ROWS=10000000 for ten million lines, ARGS="landing" for a part.
	$(BIN)/python -m benchmarks $(ARGS)

peers: $(INSTALLED) requirements-peers.lock ## Install other loaders, which the benchmarks then compare with, into .venv-peers.
	$(PYTHON) -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip --disable-pip-version-check --no-input --quiet install \
	    --no-deps --require-hashes -r requirements-peers.lock

schema: $(INSTALLED) ## Write the schema's pictures, the data dictionary and the README's diagram anew (with Graphviz).
	$(BIN)/python -m tests.schema

lint: $(INSTALLED) ## Run the linters and the type checker.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models

fix: $(INSTALLED) ## Let the linters repair what they can.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/sqlfluff fix --disable-progress-bar dbt_project/models

# Made again when the lock or the project's own description has changed. The lock itself:
#   uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
#     --generate-hashes --no-header --no-emit-index-url -o requirements.lock
# and the image's, without the development tools: CONTRIBUTING.md, "The lock files".
$(INSTALLED): requirements.lock pyproject.toml
	@command -v $(PYTHON) > /dev/null || { \
	    echo "Tillhouse needs Python 3.11 or newer, and there is no $(PYTHON)."; \
	    echo "Install it (Debian, Ubuntu: apt-get install python3 python3-venv), or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; \
	    exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "Tillhouse needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	    echo "Name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; \
	    exit 1; } >&2
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { \
	    echo "This Python cannot make environments: its modules venv and ensurepip are missing."; \
	    echo "Install them (Debian, Ubuntu: apt-get install python3-venv), or name another Python: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; \
	    exit 1; } >&2
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked packages into $(VENV) (about a minute) ..."
# The lock names every package: there is nothing to resolve.
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
