# The platform's commands; `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test up down check check-google google-statements google-cases cost bench mutate clean demo-data check-data sql dbt docs status restatements close identity explain mcp generate lock

SCALE ?= 1
SEED ?= 42
AS_OF ?=
LANDED ?=
OUT ?=
Q ?=
ARGS ?=
SEEDS ?=
RECORD ?=
RECORDED ?=
EVALUATE ?=
PROJECT ?=
WRITE ?=
MCP_PORT ?=
MODEL ?=
LIMIT ?=
TABLE ?=
COLUMN ?=
WHERE ?=
MONTH ?=
ORG ?=
BY ?=
REOPEN ?=
JSON ?=
SOURCE ?=
PY := .venv/bin/python
# A nightly run starts some 300 Python processes. Without compiled modules, each would compile every module that it imports.
unexport PYTHONDONTWRITEBYTECODE
COMPANY := --scale "$(SCALE)" --seed "$(SEED)" --as-of "$(AS_OF)" $(if $(filter undefined,$(origin DATA)),,--data "$(DATA)")

help: ## list the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Options of run and up: SCALE=1 SEED=42 AS_OF=YYYY-MM-DD DATA=folder-of-exports-or-csv-files"
	@echo "  Ports: WAREHOUSE_PORT=9050 AIRFLOW_PORT=8080 POSTGRES_PORT=9055 BILLING_PORT=9056 SUPPORT_PORT=9057"
	@echo "         MCP_PORT=9061 · Folder: LOCAL_HOME=.local · Python: PYTHON=python3.12"

setup: ## create the environments that are missing (the other commands do this by themselves)
	@include/local/bootstrap.sh

run: setup ## one nightly run on this machine, from the sources to the published marts, with a summary [LANDED=fivetran or airbyte: start from its tables] [RECORD=file: record its statements]
	@$(if $(RECORD),BIGQUERY_MAXIMUM_BYTES_BILLED=1099511627776) WAREHOUSE_RECORD="$(if $(RECORD),$(abspath $(RECORD)))" $(PY) -m include.local run $(COMPANY) --landed "$(LANDED)"

up: setup ## Airflow's web UI, the warehouse and the demo systems, kept running
	@$(PY) -m include.local up $(COMPANY)

down: setup ## stop what `make up` started
	@$(PY) -m include.local down

sql: setup ## run one query on the local warehouse: make sql Q="select * from metrics.mtr_revenue_by_month"
	@$(PY) -m include.local sql "$${Q:-}"

dbt: setup ## a dbt command on the local warehouse: make dbt ARGS="build --select +mart_nrr_summary"
	@$(PY) -m include.local dbt -- $(ARGS)

docs: setup ## dbt's documentation with its lineage graph as one HTML file, and a page per metric with its SQL, golden cases and tests
	@$(PY) -m include.local docs

status: setup ## the freshness SLA of every published table on the local warehouse: now, the last seven days, due next
	@$(PY) -m include.local status

restatements: setup ## the figures of ended months that publications have changed, and why
	@$(PY) -m include.local restatements

close: setup ## freeze the published figures of a month: make close MONTH=YYYY-MM [ORG=id] [BY=name] [REOPEN=1: open it again]
	@case "$(REOPEN)" in "" | 1) ;; *) echo "Failed REOPEN is 1 or left out: make close MONTH=2026-09 REOPEN=1" >&2; exit 1;; esac
	@test -n "$(MONTH)" || { echo "Failed MONTH is missing: make close MONTH=2026-09" >&2; exit 1; }
	@$(PY) -m include.local close "$(MONTH)" --organization "$(ORG)" --by "$(BY)" $(if $(filter 1,$(REOPEN)),--reopen)

identity: setup ## customers of one system that another may know by another name [SAME="account other" | DIFFERENT="…" | WITHDRAW="…": decide] [ORG=id] [BY=name]
	@$(PY) -m include.local identity $(if $(SAME),same "$(SAME)",$(if $(DIFFERENT),different "$(DIFFERENT)",$(if $(WITHDRAW),withdraw "$(WITHDRAW)"))) --organization "$(ORG)" --by "$(BY)"

explain: setup ## where a published figure comes from: make explain TABLE=marts.mart_nrr_summary COLUMN=nrr_pct WHERE="…" [LIMIT=10] [OUT=folder: all rows as CSV]
	@test -n "$${TABLE:-}" && test -n "$${COLUMN:-}" && test -n "$${WHERE:-}" || { echo "Failed TABLE, COLUMN or WHERE is missing: make explain TABLE=marts.mart_nrr_summary COLUMN=nrr_pct WHERE=\"month = '2026-09-01' and organization_id = '…' and dimension = 'total'\"" >&2; exit 1; }
	@$(PY) -m include.local explain $${LIMIT:+--limit "$$LIMIT"} --out "$${OUT:-}" -- "$${TABLE:-}" "$${COLUMN:-}" "$${WHERE:-}"

mcp: setup ## the KPI tools for AI assistants (MCP) on the local warehouse: make mcp [MCP_PORT=9061]
	@$(PY) -m include.local mcp $(if $(MCP_PORT),--port "$(MCP_PORT)")

demo-data: setup ## write the demo company's tables as CSV: make demo-data OUT=folder [SCALE= SEED= AS_OF=]
	@test -n "$(OUT)" || { echo "Failed OUT is missing: make demo-data OUT=folder" >&2; exit 1; }
	@$(PY) -m include.demo generate --out "$(OUT)" --scale "$(SCALE)" --seed "$(SEED)" $(if $(AS_OF),--as-of "$(AS_OF)")

check-data: setup ## check a folder of exports or CSV files before a run reads it, or a source's raw tables: make check-data DATA=folder | SOURCE=name [HTML=page.html] [JSON=1]
	@test -n "$${DATA:-}$(SOURCE)" || { echo "Failed DATA is missing: make check-data DATA=folder, or SOURCE=name" >&2; exit 2; }
	@$(PY) -m $(if $(SOURCE),include.local check-source "$(SOURCE)",include.check_data) $${HTML:+--html "$$HTML"} $(if $(JSON),--json) $(if $(SOURCE),,-- "$$DATA")

test: setup ## every check that CI runs: linters and types, then all tests [SEEDS="2 3": two more companies, before a release]
	@include/local/bootstrap.sh google
	@include/local/bootstrap.sh browser
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target check google-statements google-cases
	@SEEDS="$(SEEDS)" $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=15

check: setup ## linters, types, schemas, drift of generated files
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/mypy
	@.venv/bin/lint-imports > /dev/null || .venv/bin/lint-imports
	@.venv/bin/yamllint --strict .
	@.venv/bin/sqlfluff lint --disable-progress-bar dbt
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	@$(PY) -m include.sources dbt-sources --check
	@$(PY) -m include.quality build --check
	@$(PY) -m include.catalog --check
	@$(PY) -m include.contract --check
	@$(PY) -m include.orchestration --check
	@sh -n include/local/bootstrap.sh .ci/run

check-google: google-statements google-cases ## offline: every statement on Google's analyzer, unit tests on its evaluator [RECORDED=file of make run] [EVALUATE=1: a tiny company, and every explained table]
	@$(if $(EVALUATE),$(PY) -m tests.google.company,:)

google-statements: setup
	@include/local/bootstrap.sh google
	@.venv-google/bin/python -m pytest tests/google -q
	@$(PY) -m tests.google.check $(if $(RECORDED),--recorded "$(RECORDED)") $(if $(EVALUATE),--complete)

google-cases: setup
	@include/local/bootstrap.sh google
	@$(PY) -m tests.google.unit_tests

cost: setup ## bytes, price and limits on BigQuery, from recorded statements and table sizes [PROJECT=id: its sizes] [WRITE=1: into docs/cost.md]
	@include/local/bootstrap.sh google
	@$(PY) -m include.cost $(if $(PROJECT),--project "$(PROJECT)") $(if $(WRITE),--write)

bench: setup ## the duration of nightly runs, relative to the first: make bench [SCALE=]
	@SCALE="$(SCALE)" SEED="$(SEED)" $(PY) -m tests.bench

mutate: setup ## which changes of the SQL no dbt unit test notices: make mutate [MODEL="fct_orders core/revenue"] [LIMIT=200: a random choice] [ARGS="--help"]
	@$(PY) -m tests.mutation $(if $(MODEL),--model $(MODEL)) $(if $(LIMIT),--limit "$(LIMIT)") $(ARGS)

generate: setup ## write the files that are generated from the source files, the gate declarations and the dbt project
	@$(PY) -m include.sources dbt-sources
	@$(PY) -m include.quality build
	@$(PY) -m include.catalog
	@$(PY) -m include.contract
	@$(PY) -m include.orchestration

lock: setup ## compile the requirements files from their .in files
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --no-annotate requirements.in -o requirements.txt
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --no-annotate requirements-dev.in -o requirements-dev.txt
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --no-annotate requirements-warehouse.in -o requirements-warehouse.txt
	@$(PY) -m uv pip compile -q --universal --python-version 3.11 --no-annotate requirements-google.in -o requirements-google.txt

clean: ## stop everything and remove environments, data and logs
	@if [ -x $(PY) ]; then $(PY) -m include.local clean; fi
	@rm -rf .venv .venv-warehouse .venv-google .local dbt/target dbt/logs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@rm -rf great_expectations/checkpoints great_expectations/expectations great_expectations/validation_definitions

export Q TABLE COLUMN WHERE LIMIT OUT
