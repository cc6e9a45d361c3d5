# Each target sets up what it needs: a virtual environment with pinned and hashed requirements.
# Requires only Python 3.11 or newer, make, and access to the package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_WORKERS ?= 2

.PHONY: help demo test check bench test-servers verify-service verify-image fuzz soak adversary messages screenshots release lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

$(VENV)/runtime: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt $(VENV)/runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/runtime  ## play fourteen months of a case against the practice portal, in under a minute
	@$(BIN)/python -m watcher demo

test: $(VENV)/development  ## run the tests
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal

check: $(VENV)/development  ## run the formatter check, linter, type checker, and tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

# The benchmarks measure what users install: httpx and structlog import some of the development libraries if they are
# present.
MEASURED := $(VENV)/measured
$(MEASURED)/ready: requirements.txt
	@test -x $(MEASURED)/bin/python || $(PYTHON) -m venv $(MEASURED)
	@$(MEASURED)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

bench: $(MEASURED)/ready  ## measure the program next to plain httpx and sqlite3 (BENCH=options; PEERS=1: and to peers)
	@$(MEASURED)/bin/python -m tests.benchmarks $(if $(PEERS),--peers $(VENV)/peers) $(BENCH)

test-servers: $(VENV)/development  ## test delivery and sign-in with third-party servers, and install them
	@tests/servers/install
	@REQUIRE_SERVERS=1 $(BIN)/python -m pytest tests/servers

verify-service:  ## test the systemd units in a container (root, Debian), and install what that needs
	@tests/service/verify

verify-image:  ## build and test both container images (root, Debian), and install what that needs
	@tests/image/verify

fuzz: $(VENV)/development  ## read damaged input, EXAMPLES=5000 per reader
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),5000) $(BIN)/python -m pytest tests/hostile --timeout 0

soak: $(VENV)/development  ## run checks under random faults for MINUTES=10, or real processes through YEARS=5 (SEED=)
	@$(BIN)/python -m tests.soak$(if $(YEARS),.years --years $(YEARS), --minutes $(or $(MINUTES),10)) $(if $(SEED),--seed $(SEED))

adversary: $(VENV)/development  ## attack the real command for KILLS=2000 or MINUTES=60, then verify what arrived (SEED=)
	@$(BIN)/python -m tests.adversary --kills $(or $(KILLS),2000) --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

messages: $(VENV)/development  ## bring the translations in watcher/locale up to date with the program's sentences
	@mkdir -p build
	@for step in extract update compile; do $(BIN)/python -m babel.messages.frontend $$step || exit; done

screenshots: $(VENV)/development  ## take the pictures of the page that README shows, from the demo's story (needs Chromium)
	@$(BIN)/python -m tests.web.screenshots

release: $(VENV)/development  ## build wheel and source distribution in dist/, and check their contents
	@rm -rf dist
	@$(BIN)/python -m hatchling build --directory dist
	@$(BIN)/python -m pytest -q tests/test_package.py

lock:  ## update the pinned requirements from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --output-file requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --group dev --extra postgres --extra keyring --output-file requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --extra browser --constraint requirements.txt --output-file requirements-browser.txt

clean:  ## remove everything that the targets created
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
