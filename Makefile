# The commands of this checkout. Each may be interrupted and run again; none asks; paths may hold spaces.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: bench-connect bench-cycle bench-freshness bench-ingest bench-latency bench-steady chaos clean demo down fuzz help integration laws lint lock metrics-page mutants picture setup simulate system test test-compose unit up
BIN := .venv/bin
PYTEST := $(BIN)/pytest

help:
	@echo 'make demo    install what is missing, start the stack, run the whole pipeline and prove the marts; ORDERS=n'
	@echo 'make test    lint, unit, integration and system tests on the same stack'
	@echo 'make up      start the stack            make down    stop it, keep its data'
	@echo 'make clean   stop it, remove its data and the Python environment; downloads stay in the cache'
	@echo 'also: bench-connect, bench-freshness, bench-ingest, bench-latency, bench-steady, setup, lock, lint, unit, integration, system, chaos (ROUNDS=n SEED=s), fuzz (SEED=n N=n), simulate (RUNS=n SEED=s), test-compose, metrics-page, picture, bench-cycle, mutants'

setup:
	@stack/bootstrap.sh

up: setup
	@$(BIN)/waybill stack up

demo: up
	@$(BIN)/waybill demo $(if $(ORDERS),--orders '$(ORDERS)')

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(PYTEST) tests/unit

integration: setup
	$(PYTEST) tests/integration

system: setup
	$(PYTEST) tests/system

# Spoiled messages among real ones, the long form; the seed is printed.
fuzz: setup
	SEED='$(SEED)' N='$(or $(N),10000)' $(PYTEST) -s tests/integration/ingest/test_fuzz.py

# Consumers among simulated faults, the long form; needs no stack. The seed is printed; a failure says how to repeat it.
simulate: setup
	RUNS='$(or $(RUNS),10000)' SEED='$(SEED)' $(PYTEST) -s tests/simulation

# Random histories of events and cycles against the model of the laws, the long form: new ones, where `make test` draws the
# same 60 each time. Goes on behind the last and adds up (build/laws/state.json); the seed is printed, a failure says how to repeat it.
laws: setup
	RUNS='$(or $(RUNS),1000)' SEED='$(SEED)' WHOLE='$(WHOLE)' KEEP=build/laws/state.json $(PYTEST) -s tests/laws

# The commit cycle's SQL broken step by step, and a test has to fail; goes on where it was interrupted. ONLY=text, DRAWN=n SEED=s.
mutants: up
	@$(BIN)/python -m tests.mutants $(if $(ONLY),--only '$(ONLY)') $(if $(DRAWN),--drawn '$(DRAWN)' --again) $(if $(SEED),--seed '$(SEED)')

# The stack is started once, by the first test that asks for it.
test: lint
	@$(BIN)/python -m tests.side_by_side

# The same demo and tests on the stack of docker-compose.yml; the native way has no say in it. For their minutes, what does not
# depend on how the services run is left out: it is natively in `make test` (docs/testing.md).
NOT_COMPOSE := $(addprefix tests/integration/,commit ordering source $(patsubst %,ingest/test_%.py,dead_letters declared_later fuzz offsets reset_mends stopped)) \
	$(addprefix tests/system/,histories test_source_changes.py)
test-compose: setup
	$(BIN)/waybill stack up --compose
	$(BIN)/waybill demo --orders '$(or $(ORDERS),5000)'
	WAYBILL_TEST_STACK=containers $(PYTEST) tests/integration tests/system \
		--deselect tests/integration/stack/test_native.py $(addprefix --ignore ,$(NOT_COMPOSE))
	$(BIN)/waybill stack down --wipe

# How fast a filled topic gets into raw; figures in build/bench/ingest.json. EVENTS=2000000 is what docs/benchmarks.md reports.
bench-ingest: up
	@$(BIN)/python -m benchmarks.ingest $(if $(EVENTS),--events '$(EVENTS)') $(if $(CASES),--cases '$(CASES)')

# How fast MySQL's rows get into Kafka; figures in build/bench/connect.json.
bench-connect: up
	@$(BIN)/python -m benchmarks.connect $(if $(ORDERS),--orders '$(ORDERS)') $(if $(ROUNDS),--rounds '$(ROUNDS)') \
	  $(if $(VARIANTS),--variants '$(VARIANTS)')

# The consumer's memory at a steady rate (RATE, MINUTES), and how long a row takes from MySQL to raw (MINUTES).
bench-steady: up
	@$(BIN)/python -m benchmarks.steady $(if $(RATE),--rate '$(RATE)') $(if $(MINUTES),--minutes '$(MINUTES)')

bench-latency: up
	@$(BIN)/python -m benchmarks.latency $(if $(RATE),--rate '$(RATE)') $(if $(MINUTES),--minutes '$(MINUTES)')

# How long a row takes from MySQL to the mart while RATE row changes a second are written, with continuous cycles; figures in
# build/bench/freshness.json, every sample beside it. SECONDS, BATCH (seconds of a micro-batch), FLOOR (of commit --continuous),
# WRITERS and MIX (of waybill generate), ORDERS (seeded before). Without the pipeline around it: waybill bench freshness.
bench-freshness: up
	@$(BIN)/python -m benchmarks.freshness $(if $(RATE),--rate '$(RATE)') $(if $(SECONDS),--seconds '$(SECONDS)') \
	  $(if $(BATCH),--batch-seconds '$(BATCH)') $(if $(FLOOR),--floor '$(FLOOR)') $(if $(WRITERS),--writers '$(WRITERS)') \
	  $(if $(MIX),--mix '$(MIX)') $(if $(ORDERS),--orders '$(ORDERS)')

# What a commit cycle costs on marts of many orders; figures in build/bench/cycle.json. ORDERS=1000000,10000000,30000000 is what
# docs/benchmarks.md reports; PARTS, CASES and RUNS choose, PATHS=1 adds path rows, KEEP=1 takes and leaves marts as they are.
bench-cycle: up
	@$(BIN)/python -m benchmarks.cycle $(if $(ORDERS),--orders '$(ORDERS)') $(if $(PARTS),--parts '$(PARTS)') \
	  $(if $(CASES),--cases '$(CASES)') $(if $(RUNS),--runs '$(RUNS)') $(if $(PATHS),--paths) $(if $(KEEP),--keep)

# Kills and stops parts under load and compares raw with the binlog; adds to earlier rounds. ROUNDS, SEED, ROUND, WITHOUT, FORGET.
chaos: setup
	@$(BIN)/python -m tests.chaos $(if $(ROUNDS),--rounds '$(ROUNDS)') $(if $(SEED),--seed '$(SEED)') \
	  $(if $(ROUND),--round '$(ROUND)') $(if $(FORGET),--forget) $(foreach part,$(WITHOUT),--without '$(part)')

down:
	@if [ -x $(BIN)/waybill ]; then $(BIN)/waybill run --stop; $(BIN)/waybill stack down; else echo 'nothing was set up here, nothing runs'; fi

clean:
	@stack/bootstrap.sh clean

# docs/metrics.md from the declarations in waybill/metrics.py.
metrics-page: setup
	$(BIN)/python -m waybill.metrics_page > docs/metrics.md

# The dashboard's panels of PIPELINE (waybill) over the last MINUTES (10), from the Prometheus of `waybill stack up --monitoring`.
picture: setup
	$(BIN)/python -m stack.monitoring.picture docs/dashboards/consumer-lag.svg $(or $(MINUTES),10) $(or $(PIPELINE),waybill)

# Pins every dependency anew, with hashes and without index addresses.
lock: setup
	$(BIN)/python -m venv build/lock && build/lock/bin/pip -q install uv
	build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -o requirements.lock pyproject.toml
	build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
