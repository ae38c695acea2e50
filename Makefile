# The words of this project. `make demo` and `make test` do all set-up themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Runs what follows `--` beside real Elasticsearch and PostgreSQL servers, stopped after it.
SERVERS := $(BIN)/python scripts/servers.py with
export PYTHONUTF8 := 1

.PHONY: help demo test test-fast lint soak fix docs lock clean

help: ## Show these words.
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/$(if $(filter servers,$(STORES)),dev,base).done ## Set up, run the whole loop offline on a sample network, open the pages. STORES=servers: on Elasticsearch and PostgreSQL, with two workers.
	$(if $(filter servers,$(STORES)),sh scripts/system-packages.sh && $(SERVERS) --) $(BIN)/claimwatch demo $(if $(filter servers,$(STORES)),--servers)

test: $(VENV)/dev.done ## Set up, then lint, types, layers, tests, browser tests.
	sh scripts/system-packages.sh
	$(MAKE) --no-print-directory lint
	$(BIN)/claimwatch model build
	$(BIN)/coverage erase
	$(SERVERS) --fast -- sh scripts/all-tests.sh $(BIN)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=85 | tail -n 40

test-fast: $(VENV)/dev.done ## Unit tests alone: no browser, no real encoder, no servers.
	$(BIN)/python -m pytest -m "not soak and not browser and not encoder and not servers"

lint: $(VENV)/dev.done ## Style, format, types, layers, spelling.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy claimwatch crawlers classifier review_ui reports jobs tests scripts
	$(BIN)/lint-imports
	$(BIN)/codespell

soak: $(VENV)/dev.done ## Slow and large runs: kills at random moments, oldest dependencies.
	sh scripts/system-packages.sh
	$(BIN)/claimwatch model build
	$(SERVERS) -- $(BIN)/python -m pytest -m soak -s
	sh scripts/oldest-dependencies.sh

fix: $(VENV)/dev.done ## Mend style and format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.done ## Write the reference pages from the code.
	$(BIN)/python scripts/reference.py

lock: $(VENV)/dev.done ## Lock the dependencies anew.
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --upgrade pyproject.toml -o requirements-base.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --upgrade pyproject.toml --extra dev -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header pyproject.toml --extra elastic --extra postgres -c requirements-dev.lock -o deploy/requirements.lock

clean: ## Remove the environment and what the tools left.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* .import_linter_cache .hypothesis

$(VENV)/base.done: requirements-base.lock pyproject.toml scripts/environment.sh
	PYTHON=$(PYTHON) sh scripts/environment.sh $(VENV) requirements-base.lock
	@touch $@

# dev holds everything that base holds.
$(VENV)/dev.done: requirements-dev.lock pyproject.toml scripts/environment.sh
	PYTHON=$(PYTHON) sh scripts/environment.sh $(VENV) requirements-dev.lock
	@touch $(VENV)/base.done $@
