# Redeliver. `make run` and `make test` do all the set-up a fresh machine needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8080

.PHONY: help run test lint bench torture week hubspot pins clean audit

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The app and its sandbox need requirements.txt; tests and checks need requirements-dev.txt on top.
$(VENV)/.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.ready: requirements-dev.txt $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.installed ## Start web, worker and sandbox together; open the desk
	$(BIN)/python -m canvas.sandbox.run

test: $(VENV)/.ready lint ## Everything: lint, types, unit, contract, both databases, the browser
	$(BIN)/pytest

lint: $(VENV)/.ready ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit -q -c pyproject.toml -r canvas app.py

audit: $(VENV)/.ready ## Known holes in the packages we depend on; says loudly when it cannot be known
	$(BIN)/python .ci/audit

bench: $(VENV)/.ready ## Print the ratios of docs/benchmarks.md, measured now
	$(BIN)/python -m tests.bench

week: $(VENV)/.ready ## Play a week of traffic, 100,000 messages, and compare the books
	$(BIN)/python -m tests.week

torture: $(VENV)/.ready ## Kill, cut, lock and click for up to ten minutes; prints its seed and what it found
	$(BIN)/python -m tests.torture

hubspot: ## Write the HubSpot project for PUBLIC_URL=https://... to hubspot/build
	@$(PYTHON) hubspot/build.py $(PUBLIC_URL)

pins: $(VENV)/.ready ## Compile requirements*.in to exact pins
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-dev.txt requirements-dev.in

clean: ## Remove what was built and the local data
	rm -rf $(VENV) instance .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf hubspot/build hubspot/dist hubspot/node_modules
