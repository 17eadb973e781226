# What can be done here. Everything installs into this folder: nothing needs root, nothing leaves traces elsewhere
# (only nginx, wrk and the like come from the system's packages, where a target says so).

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# What Python compiled is kept, in .venv and __pycache__: without it each process that a test starts compiles it anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
DIR ?= demo
PORT ?= 8080
ARGS ?=
STEPS ?= 5000
COVERING := tests/billing tests/limits tests/access \
	$(addprefix tests/services/test_,ledger.py money.py expiry.py bills.py) \
	$(addprefix tests/store/test_,charges.py grants_that_end.py rows.py)

# An installation is done again only when what it is made from has changed: a second `make run` starts at once.
RUNTIME := .venv/.installed-runtime
DEVELOPMENT := .venv/.installed-development

.PHONY: help run test test-long test-clients test-money coverage mutants check fix bench bench-instructions bench-commit bench-console bank hostile pictures docs style types layers rules suite

help: ## list what can be done (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNTIME) ## start the platform with a simulated provider and a demo account (DIR=demo PORT=8080)
	@exec $(BIN)/tollhouse demo --dir $(DIR) --port $(PORT) $(ARGS)

test: $(DEVELOPMENT) ## everything that must hold before a change lands: check and the tests, side by side
	@scripts/need nginx strace chromium
	@$(MAKE) -j2 --keep-going --output-sync=target types style layers suite

test-long: $(DEVELOPMENT) ## the tests that take minutes: endurance, many crashes, large volumes
	@scripts/need nginx strace slowhttptest chromium
	@$(BIN)/pytest -m long --ignore tests/hostile/test_timed.py $(ARGS)
	@$(BIN)/pytest -m "hypothesis and not long" --hypothesis-profile=chance # other examples each time
	@$(BIN)/pytest -m long -n 0 tests/hostile/test_timed.py # alone: they measure how long a neighbour waits

test-clients: $(DEVELOPMENT) ## client libraries, frameworks and agents, through a running platform, to every kind of upstream
	@$(BIN)/pytest tests/clients -m "long or not long" $(ARGS)

test-money: $(DEVELOPMENT) ## the platform's money against a slow model, as long as you like (STEPS=50000, SEED=1)
	@$(BIN)/python -m tests.money.run --steps $(STEPS) $(if $(SEED),--seed $(SEED))

coverage: $(DEVELOPMENT) ## every branch of billing, limits, access and the ledger is taken by a test of theirs
	@$(BIN)/coverage run -m pytest -n 0 $(COVERING)
	@$(BIN)/coverage report

mutants: $(DEVELOPMENT) ## do the tests of billing notice a changed rule? some 10 minutes (ARGS="--workers 2 --show")
	@$(BIN)/python -m tests.billing.mutation_score $(ARGS)

check: $(DEVELOPMENT) ## style, types, layers and rules of the code, without running the program
	@$(MAKE) --keep-going style types layers rules

fix: $(DEVELOPMENT) ## mend what can be mended by itself: import order, formatting
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

bench: $(DEVELOPMENT) ## what a request costs, beside nginx on the same machine (ARGS="--seconds 5 --only buffered")
	@scripts/need nginx wrk
	@$(BIN)/python -m bench.run $(ARGS)
	@$(BIN)/python -m bench.latency

bench-instructions: $(DEVELOPMENT) ## how many instructions a call costs, the same from run to run (ARGS="--against OLD")
	@scripts/need valgrind
	@$(BIN)/python -m bench.instructions $(ARGS)

bench-commit: $(DEVELOPMENT) ## how long a commit takes while the event loop is idle, half busy and busy (ARGS="--one-core")
	@$(BIN)/python -m bench.commit $(ARGS)

bench-console: $(DEVELOPMENT) ## what a page of the console costs the server (ARGS="--calls 5000000")
	@$(BIN)/python -m bench.console $(ARGS)

bank: $(DEVELOPMENT) ## money moved every way while somebody kills and pauses the platform (ARGS="--seconds 60 --database sqlite")
	@$(BIN)/python -m tests.crash.bank $(ARGS)

hostile: $(DEVELOPMENT) ## attacks on a running platform, beside a neighbour who is to notice nothing (ARGS="--only G2,G3")
	@$(BIN)/python -m tests.hostile.run $(ARGS)

pictures: $(DEVELOPMENT) ## make the pictures of README and docs anew, with a browser
	@scripts/need chromium
	@TOLLHOUSE_PICTURES=docs/images $(BIN)/pytest -n 0 tests/browser/test_quick_start.py tests/browser/test_pictures.py \
		tests/browser/test_ticket.py

docs: $(RUNTIME) ## write the pages that are drawn from the code
	@$(BIN)/python scripts/write_docs.py

# The parts of `test` and `check`: each says all it has to say, whatever the others find.

style: $(DEVELOPMENT)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make fix"; exit 1; }

types: $(DEVELOPMENT)
	@$(BIN)/mypy

layers: $(DEVELOPMENT)
	@$(BIN)/lint-imports

rules: $(DEVELOPMENT)
	@$(BIN)/pytest tests/tidy

suite: $(DEVELOPMENT)
	@$(BIN)/pytest $(ARGS)

$(RUNTIME): pyproject.toml uv.lock scripts/install
	@scripts/install runtime
	@touch $@

$(DEVELOPMENT): pyproject.toml uv.lock scripts/install
	@scripts/install development
	@touch $(RUNTIME) $@
