# Needs GNU make and Python 3.11 or later. Everything else goes into .venv, from the lock files, with hashes checked.

BACKEND ?= postgres
PORT ?= 8000
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url
# What builds this project itself; pinned with the rest, so that an installation fetches nothing that is not.
BUILD := hatchling\neditables\n

.DEFAULT_GOAL := help
.PHONY: help run test lint format bench ledger prove lock image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.run ## serve the demo shop (BACKEND=postgres or mongodb, PORT=8000)
	@$(BIN)/diglot demo --backend $(BACKEND) --port $(PORT)

test: $(VENV)/.dev ## run all tests on real databases, with coverage
	$(BIN)/pytest --cov $(if $(TEST_POSTGRES_URL)$(TEST_MONGODB_URL),,-n 2)

lint: $(VENV)/.dev ## check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## measure the speed beside other services, 20 minutes (QUICK=1: three)
	$(BIN)/python -m bench $(if $(QUICK),--quick)

ledger: $(VENV)/.dev ## write while connections are cut, and look for writes lost, doubled or halved
	$(BIN)/python -m tests.ledger $(LEDGER)

prove: $(VENV)/.dev ## prove the stores equal for an hour, with a report in .prove/ (PROVE="--minutes 5")
	$(BIN)/python -m tests.prove $(PROVE)

lock: $(VENV)/.dev ## pin the newest versions that pyproject.toml allows
	printf '$(BUILD)uv\n' | $(UV_COMPILE) --upgrade --extra dev --extra bench pyproject.toml - \
		--output-file requirements-dev.lock
	printf '$(BUILD)' | $(UV_COMPILE) --upgrade --constraint requirements-dev.lock --extra embedded pyproject.toml - \
		--output-file requirements.lock
	printf 'eve\ngranian\nsetuptools<81\n' | $(UV_COMPILE) --upgrade --constraint requirements-dev.lock - \
		--output-file bench/eve/requirements.txt

image: ## build the container image
	docker build --tag diglot .

clean: ## remove what was installed and cached; the data in .diglot stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later was not found: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	@echo "Installing into $(VENV); this takes a minute the first time."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --only-binary :all: --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --only-binary :all: --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@
