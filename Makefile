# Each target does its own set-up: a virtual environment with the pinned, hashed requirements.
# Needs Python 3.11+, make and the package index; nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_WORKERS ?= 2

.PHONY: help demo test check bench test-servers verify-service verify-image fuzz soak release lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

$(VENV)/runtime: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt $(VENV)/runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/runtime  ## the whole program against the embedded practice portal, under a minute
	@$(BIN)/python -m watcher demo

test: $(VENV)/development  ## the tests
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS)

check: $(VENV)/development  ## lint, types, and the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

# What is measured is what people install: among the libraries of development are some that httpx and structlog import
# where they find them.
MEASURED := $(VENV)/measured
$(MEASURED)/ready: requirements.txt
	@test -x $(MEASURED)/bin/python || $(PYTHON) -m venv $(MEASURED)
	@$(MEASURED)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

bench: $(MEASURED)/ready  ## measured ratios against plain httpx and plain sqlite3
	@$(MEASURED)/bin/python -m tests.benchmarks $(BENCH)

test-servers: $(VENV)/development  ## delivery and sign-in against servers that nobody here wrote; installs them
	@tests/servers/install
	@REQUIRE_SERVERS=1 $(BIN)/python -m pytest tests/servers

verify-service:  ## boots a real systemd with the hardened unit and tries it (root, Debian); installs what it needs
	@tests/service/verify

verify-image:  ## builds both images and runs them (root, Debian); installs what it needs
	@tests/image/verify

fuzz: $(VENV)/development  ## damages what strangers send, EXAMPLES=5000 ways for each reader
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/python -m pytest tests/hostile --timeout 0

soak: $(VENV)/development  ## rounds among faults for MINUTES (10), then the history against the portal's true story
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10)

release: $(VENV)/development  ## wheel and source release into dist/, their contents checked
	@rm -rf dist
	@$(BIN)/python -m hatchling build --directory dist
	@$(BIN)/python -m pytest -q tests/test_package.py

lock:  ## pins and hashes anew from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --output-file requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --group dev --extra postgres --extra keyring --output-file requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --extra browser --constraint requirements.txt --output-file requirements-browser.txt

clean:  ## removes what the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
