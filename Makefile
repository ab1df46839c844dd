# Everything a person or CI runs. Needs Python 3.11-3.13, make and git; nothing else.
PYTHON ?= python3
UV ?= uv
ARGS ?=
# Its CPU and CUDA builds differ, so it is no part of the locks; for the build of your machine:
# make setup-ml TORCH="torch==2.13.0 --index-url ..."
TORCH ?= torch==2.13.0
# One more than CI has cores: many tests wait for processes and sockets.
WORKERS ?= 3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCKED := install --quiet --require-hashes --no-deps
JS := tests/conformance/js
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --excludes requirements/unlocked.in --custom-compile-command "make lock"

GUARDED := src/catalyst_bot/risk/*,src/catalyst_bot/execution/*,src/catalyst_bot/portfolio/*
GUARDED_TESTS := tests/unit/risk tests/unit/execution tests/unit/portfolio

.DEFAULT_GOAL := help
.PHONY: help setup setup-alpaca setup-postgres setup-train setup-research setup-ml setup-ray setup-llm setup-yahoo setup-sentences setup-clients setup-all paper test simulate coverage mutants bench docs lint fmt lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: .venv/.base-stamp  ## Install the bot into .venv

setup-alpaca: .venv/.alpaca-stamp  ## Add Alpaca's SDK, for a paper account

setup-postgres: .venv/.postgres-stamp  ## Add the PostgreSQL driver

setup-train: .venv/.train-stamp  ## Add what trains text models

setup-research: .venv/.research-stamp  ## Add what compiles features over a history

setup-ml: .venv/.ml-stamp  ## Add what trains agents (TORCH=... picks the build of torch)

setup-ray: .venv/.ray-stamp  ## Add Ray, to train agents on a cluster

setup-llm: .venv/.llm-stamp  ## Add the client of language models

setup-yahoo: .venv/.yahoo-stamp  ## Add yfinance, to download bars from Yahoo

setup-sentences: .venv/.sentences-stamp  ## Add an encoder, to read texts by their meaning (90 MB)

setup-all: .venv/.dev-stamp  ## Install the bot and its test tools into .venv

# Independent clients of our exchange, each in an environment of its own. Tests say what is missing.
setup-clients: .venv-legacy/.stamp $(if $(shell command -v npm),$(JS)/node_modules/.stamp)

paper: setup  ## Trade a generated session on paper
	$(BIN)/catalyst-bot demo $(ARGS)

# Tests start the bot hundreds of times, so its bytecode is kept even where that is switched off.
# A worker takes files whole, so that what their tests share is made once, and steals in the end.
test: setup-all setup-clients  ## Run every test, as CI does
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

coverage: setup-all  ## Every branch of risk, execution and the ledger is tested, or it fails
	$(BIN)/coverage run -m pytest -q $(GUARDED_TESTS)
	$(BIN)/coverage report --include='$(GUARDED)' --fail-under=100

mutants: setup-all  ## Plant small mistakes in risk, execution and the ledger: nine tenths must be noticed
	$(BIN)/python -m tools.mutants $(ARGS)

simulate: setup  ## Play 10,000 schedules of faults against the whole bot, as CI does
	$(BIN)/catalyst-bot simulate --seeds 0..10000 $(ARGS)

bench: setup-all  ## Measure speed (never asserted in tests)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m benchmarks $(ARGS)

docs: setup-all  ## Write docs/reference, catalyst.toml and the examples shown in pages again
	$(BIN)/python -m tools.reference
	$(BIN)/python -m tools.conformance
	$(BIN)/python -m tools.examples

lint: setup-all  ## Check style, types, the import contract and the house rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.checks

fmt: setup-all  ## Format the code and apply safe fixes
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

lock:  ## Resolve the dependencies again (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	$(COMPILE) --upgrade requirements/build.in -o requirements/build.txt
	$(COMPILE) --upgrade pyproject.toml -o requirements/base.txt
	$(COMPILE) --upgrade pyproject.toml --extra alpaca -c requirements/base.txt \
		-o requirements/alpaca.txt
	$(COMPILE) --upgrade pyproject.toml --extra postgres -c requirements/base.txt \
		-o requirements/postgres.txt
	$(COMPILE) --upgrade pyproject.toml --extra train -c requirements/base.txt \
		-o requirements/train.txt
	$(COMPILE) --upgrade pyproject.toml --extra research -c requirements/base.txt \
		-o requirements/research.txt
	$(COMPILE) --upgrade pyproject.toml --extra ml -c requirements/base.txt \
		-o requirements/ml.txt
	$(COMPILE) --upgrade pyproject.toml --extra ray -c requirements/base.txt \
		-c requirements/ml.txt -o requirements/ray.txt
	$(COMPILE) --upgrade pyproject.toml --extra llm -c requirements/base.txt \
		-o requirements/llm.txt
	$(COMPILE) --upgrade pyproject.toml --extra yahoo -c requirements/base.txt \
		-o requirements/yahoo.txt
	$(COMPILE) --upgrade pyproject.toml --extra sentences -c requirements/base.txt \
		-o requirements/sentences.txt
	$(COMPILE) --upgrade requirements/encoder.in -o requirements/encoder.txt
	$(COMPILE) --upgrade requirements/legacy-sdk.in -o requirements/legacy-sdk.txt
	$(COMPILE) --upgrade pyproject.toml --extra dev -c requirements/base.txt \
		-c requirements/build.txt -o requirements/dev.txt

clean:  ## Remove .venv, caches and build output (data/ stays)
	rm -rf .venv .venv-legacy $(JS)/node_modules dist build .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "catalyst-bot needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is" \
			"$$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.base-stamp: pyproject.toml requirements/base.txt requirements/build.txt | .venv/bin/python
	$(PIP) $(LOCKED) -r requirements/build.txt
	$(PIP) $(LOCKED) -r requirements/base.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.alpaca-stamp: .venv/.base-stamp requirements/alpaca.txt
	$(PIP) $(LOCKED) -r requirements/alpaca.txt
	@touch $@

.venv/.postgres-stamp: .venv/.base-stamp requirements/postgres.txt
	$(PIP) $(LOCKED) -r requirements/postgres.txt
	@touch $@

.venv/.train-stamp: .venv/.base-stamp requirements/train.txt
	$(PIP) $(LOCKED) -r requirements/train.txt
	@touch $@

.venv/.research-stamp: .venv/.base-stamp requirements/research.txt
	$(PIP) $(LOCKED) -r requirements/research.txt
	@touch $@

.venv/.torch-stamp: .venv/.base-stamp
	$(PIP) install --quiet $(TORCH)
	@touch $@

.venv/.ml-stamp: .venv/.torch-stamp requirements/ml.txt
	$(PIP) $(LOCKED) -r requirements/ml.txt
	@touch $@

.venv/.ray-stamp: .venv/.ml-stamp requirements/ray.txt
	$(PIP) $(LOCKED) -r requirements/ray.txt
	@touch $@

.venv/.llm-stamp: .venv/.base-stamp requirements/llm.txt
	$(PIP) $(LOCKED) -r requirements/llm.txt
	@touch $@

.venv/.yahoo-stamp: .venv/.base-stamp requirements/yahoo.txt
	$(PIP) $(LOCKED) -r requirements/yahoo.txt
	@touch $@

.venv/.sentences-stamp: .venv/.base-stamp requirements/sentences.txt requirements/encoder.txt
	$(PIP) $(LOCKED) -r requirements/sentences.txt
	$(PIP) $(LOCKED) -r requirements/encoder.txt
	@touch $@

.venv-legacy/.stamp: requirements/legacy-sdk.txt
	$(PYTHON) -m venv .venv-legacy
	.venv-legacy/bin/python -m pip --disable-pip-version-check --no-input $(LOCKED) \
		-r requirements/legacy-sdk.txt
	@touch $@

$(JS)/node_modules/.stamp: $(JS)/package.json $(JS)/package-lock.json
	cd $(JS) && npm ci --silent --no-audit --no-fund
	@touch $@

# pip compiles one file after the other, compileall on every core; some files of torch are for
# other Pythons.
.venv/.dev-stamp: .venv/.torch-stamp requirements/dev.txt requirements/encoder.txt
	$(PIP) $(LOCKED) --no-compile -r requirements/dev.txt
	$(PIP) $(LOCKED) --no-compile -r requirements/encoder.txt
	$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true
	@touch $@
