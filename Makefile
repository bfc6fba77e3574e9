# Two commands: `make up` runs the catalog on the example estate, `make test` runs every check. Both make their own .venv first.
# Only Python 3.11 or newer with its venv module, git and make are needed; `make engines` needs Go and `make explorer` Node as well.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_NO_PROGRESS := 1
# Trust what the machine trusts, as pip does: behind a company's proxy the bundled certificates are not enough.
export UV_SYSTEM_CERTS ?= 1

.PHONY: help install install-dev up test check coverage soak engines explorer clients clean

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.runtime ## Put the command at .venv/bin/catalog, from the lock file

install-dev: $(VENV)/.dev ## The same with what the checks need

up: $(VENV)/.runtime ## Start database, web and worker on the example estate; Ctrl-C stops them (CATALOG_PORT, CATALOG_HOME, CATALOG_DATABASE_URL)
	@exec $(BIN)/catalog up

test: check ## Every check and every test; the last line is pytest's own
	@$(BIN)/pytest $(PYTEST_ARGS)

check: $(VENV)/.dev ## Style, types, directions between rooms and the exported schema
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/catalog schema check

coverage: $(VENV)/.dev ## Branch coverage of the pure rooms, from their unit tests alone
	@$(BIN)/coverage run --source=catalog/stacks,catalog/cost,catalog/policy -m pytest -q tests/unit/stacks tests/unit/cli tests/unit/cost tests/unit/policy tests/unit/estate
	@$(BIN)/coverage report --skip-covered --fail-under=96

soak: $(VENV)/.dev ## The long suites, marked soak: left out of `make test`
	@if grep -rqs --include='*.py' 'mark\.soak' tests; then $(BIN)/pytest -m soak $(PYTEST_ARGS); else echo "no suite is marked soak yet"; fi

engines: ## Rebuild the embedded engines from their Go sources
	@./engines/build

explorer: ## Rebuild GraphiQL from explorer/ into catalog/web/static/graphiql
	@cd explorer && npm ci --ignore-scripts && npm run build

clients: $(VENV)/.runtime ## Generate the typed clients of clients/, for Python and, where Node is, TypeScript
	@cd clients/python && ../../$(BIN)/uv run --quiet --no-project --isolated --with-requirements requirements.txt ariadne-codegen client --config codegen.toml >/dev/null
	@echo "clients/python/catalog_client"
	@cd clients/typescript && if command -v npm >/dev/null; then npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent generate >/dev/null && echo "clients/typescript/generated"; else echo "no npm here: the TypeScript client was left out" >&2; fi

clean: ## Remove the environment, the caches and the local catalog's data
	@rm -rf $(VENV) .catalog .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# The stamps make a second run instant; a new lock file makes them stale. --inexact keeps what the other stamp installed.
$(VENV)/.runtime: pyproject.toml uv.lock | $(BIN)/uv
	@echo "installing from uv.lock into $(VENV)" >&2
	@$(BIN)/uv sync --quiet --frozen --no-dev --inexact
	@touch $@

$(VENV)/.dev: pyproject.toml uv.lock | $(BIN)/uv
	@echo "installing from uv.lock into $(VENV), with what the checks need" >&2
	@$(BIN)/uv sync --quiet --frozen --inexact
	@touch $@ $(VENV)/.runtime

# pip runs from the wheel that Python itself carries: installing it first would take longer than all the rest.
define FIND_PIP
import ensurepip, pathlib, sysconfig
places = [pathlib.Path(ensurepip.__file__).parent / "_bundled", pathlib.Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/nowhere")]
print(next(wheel for place in places for wheel in place.glob("pip-*.whl")))
endef
export FIND_PIP

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "the catalog needs Python 3.11 or newer; $(PYTHON) is not (set PYTHON=...)" >&2; exit 2; }
	@echo "making $(VENV)" >&2
	@$(PYTHON) -c "$$FIND_PIP" >/dev/null 2>&1 || { echo "$(PYTHON) can't make an environment here; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(PYTHON) -m venv --without-pip $(VENV)
	@PYTHONPATH=$$($(PYTHON) -c "$$FIND_PIP") $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check uv==$(UV_VERSION)
