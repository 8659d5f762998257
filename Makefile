# `make run` starts the application and its monitoring; `make test` runs the tests.
# Both need only Python 3.11 or later with venv, and the package index.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
BENCH_INSTALLED := .venv-bench/installed
BENCH_STORE_INSTALLED := .venv-bench-store/installed
BOTOCORE_INSTALLED := .venv-botocore/installed
BOTOCORE_REQUIREMENTS := tests/watchkeeper/instrument/botocore/requirements
CONTRACTS := resume_optimizer.telemetry:CONTRACT watchkeeper.conventions.backend_alerts:CONTRACT

.PHONY: run test check render bench bench-store bench-instrument bench-promql bench-ingest bench-check bench-lock soak soak-crash soak-store soak-instrument conformance differential fuzz botocore lock ui install clean

run: install ## the application, its servers and the backend; see README for TRAFFIC, FAULT, LB
	@exec $(BIN)/python -m resume_optimizer.devstack

test: install ## every test that this machine has the programs for
	$(BIN)/pytest --numprocesses 2

check: install ## lint, format, types, layers, rendered files, faults in the contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/watchkeeper render resume_optimizer.telemetry:CONTRACT --directory deploy --check
	$(BIN)/watchkeeper docs resume_optimizer.telemetry:CONTRACT --output docs/catalogue.md --check
	$(BIN)/watchkeeper check $(CONTRACTS) --fail-on warning
	$(BIN)/watchkeeper check $(CONTRACTS) deploy --fail-on warning

render: install ## the contract written to deploy/, its catalogue to docs/
	$(BIN)/watchkeeper render resume_optimizer.telemetry:CONTRACT --directory deploy
	$(BIN)/watchkeeper docs resume_optimizer.telemetry:CONTRACT --output docs/catalogue.md

bench: bench-instrument bench-promql ## tables side by side with the peers, under bench/out/

bench-instrument: $(BENCH_INSTALLED) ## three signals on a request, beside what services usually carry
	PYTHONPATH=src .venv-bench/bin/python bench/instrument.py
	PYTHONPATH=src .venv-bench/bin/python bench/scrape.py

bench-promql: install ## PromQL over one set of series, beside Debian's Prometheus
	$(BIN)/python bench/promql.py

bench-ingest: install ## every way in, over the wire, a second
	$(BIN)/python bench/ingest.py

bench-check: install ## watchkeeper check over the contract, and over 500 rules and 50 dashboards
	$(BIN)/python bench/check.py

soak: soak-crash soak-store soak-instrument ## what takes long: each of the three below

soak-crash: install ## 500 times: kill -9 while writing, spoil the log's tail, look for everything
	WATCHKEEPER_CRASH_ROUNDS=500 $(BIN)/pytest -q tests/watchkeeper/storage/test_crash.py

soak-store: install ## ten minutes of samples, logs and spans at once: times, memory, disk
	$(BIN)/python bench/mixed.py 600

soak-instrument: install ## memory over a million requests with a collector that does not answer
	$(BIN)/python bench/soak.py

bench-lock: install ## bench/*.lock made anew, with the product's versions where both have one
	for name in requirements requirements-store; do \
		$(BIN)/uv pip compile bench/$$name.in --constraint requirements.lock --universal \
			--python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet \
			--output-file bench/$$name.lock || exit 1; \
	done

bench-store: install $(BENCH_STORE_INSTALLED) ## the store beside SQLite and chDB, samples beside Prometheus, all at once
	$(BIN)/python bench/store.py
	$(BIN)/python bench/samples.py
	$(BIN)/python bench/start.py
	$(BIN)/python bench/mixed.py

conformance: install ## Prometheus' own language tests, by file
	$(BIN)/python tests/watchkeeper/promql/conformance.py

differential: install ## QUERIES (20000) random queries of SEED (1), beside Debian's Prometheus
	$(BIN)/python tests/watchkeeper/promql/differential.py $(or $(QUERIES),20000) $(or $(SEED),1)

fuzz: install ## every reader of strangers' bytes, each for SECONDS (60), by libFuzzer
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes \
		-r tests/fuzz/requirements.lock
	$(BIN)/python tests/fuzz/run.py $(or $(SECONDS),60)

botocore: install $(BOTOCORE_INSTALLED) ## OpenTelemetry's instrumentation of botocore, in an environment of its own
	$(BIN)/pytest tests/watchkeeper/instrument/test_botocore.py

lock: install ## requirements.lock made anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet --output-file requirements.lock
	$(BIN)/uv pip compile $(BOTOCORE_REQUIREMENTS).in --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --quiet \
		--output-file $(BOTOCORE_REQUIREMENTS).lock

ui: ## the page's files built into the package; needs Node 20
	cd ui && npm ci && npm run build

install: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name it with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH_INSTALLED): bench/requirements.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r bench/requirements.lock
	@touch $@

$(BENCH_STORE_INSTALLED): bench/requirements-store.lock
	$(PYTHON) -m venv .venv-bench-store
	.venv-bench-store/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r bench/requirements-store.lock
	@touch $@

$(BOTOCORE_INSTALLED): $(BOTOCORE_REQUIREMENTS).lock
	$(PYTHON) -m venv .venv-botocore
	.venv-botocore/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r $(BOTOCORE_REQUIREMENTS).lock
	@touch $@

clean: ## everything that was made here, data included
	rm -rf .venv .venv-bench .venv-bench-store .venv-botocore var bench/out
