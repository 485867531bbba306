# `make` alone lists what there is. Needed: Python 3.11 or newer, make and a package registry.

PYTHON ?= python3
# `make lock UPGRADE=` keeps the pinned versions and only adds or removes.
UPGRADE ?= --upgrade

BIN := .venv/bin
READY := .venv/.ready
AUDIT := .venv-audit/.ready
COMPILE := $(BIN)/pip-compile --quiet $(UPGRADE) --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-postgresql15 soak bench guards evidence sbom audit check format openapi lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make .venv with the pinned dependencies and the project in it

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make setup PYTHON=/path/to/python3.13"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "This Python has no venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@# setuptools warns of every editable installation: nothing that a reader could act on.
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## start the service with a sample organisation and print where it is
	$(BIN)/portal-access demo

test: setup ## run all tests, on PostgreSQL out of the wheel unless PORTAL_TEST_DATABASE_URL names another
	$(BIN)/pytest

# What the server's version cannot change, such as who may do what, is left to `make test`.
ELSEWHERE := api/test_few_connections.py api/test_matrix.py api/test_memory.py journeys/test_invite_command.py \
	journeys/test_platform_moods.py webhooks/test_receivers_that_fail.py

test-postgresql15: setup ## run what speaks to the database on a temporary PostgreSQL 15 of Debian's
	tests/run-on-postgresql15 tests/api tests/journeys tests/webhooks tests/unit/test_migrations.py \
		tests/security/test_log_integrity.py tests/security/test_dump.py $(ELSEWHERE:%=--ignore=tests/%)

soak: setup ## all that takes long (an hour, on a machine that does nothing else); ONLY=kills|batch|rounds|walks|document|timing
	@ONLY=$(ONLY) $(BIN)/python -m tests.soak

bench: setup ## how fast the product is beside bare twins of it (7 minutes); ARGS="--only getCard" or --help
	$(BIN)/python -m benchmarks $(ARGS)

guards: setup ## take out each guard of tests/security/guards.py and see which test notices
	$(BIN)/python -m tests.security.guards

evidence: setup ## write which test proves which requirement into docs/security.md
	$(BIN)/python -m tests.security.evidence

check: setup ## lint, formatting, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

sbom: $(AUDIT) ## write what the service is made of into sbom.json (CycloneDX)
	.venv-audit/bin/cyclonedx-py requirements --output-reproducible --output-file sbom.json requirements/run.txt

audit: $(AUDIT) ## ask the advisory database about the pinned packages; takes a network
	.venv-audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements/run.txt

$(AUDIT): requirements/audit.txt
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

format: setup ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: setup ## write openapi/openapi.json and openapi/partners.json
	$(BIN)/portal-access openapi --output openapi/openapi.json
	$(BIN)/portal-access openapi --output openapi/partners.json --audience partners

# A mirror or a folder of wheels in this machine's pip settings would add its own files' hashes: they are left out.
lock: export PIP_CONFIG_FILE := /dev/null
lock: export PIP_FIND_LINKS :=
lock: export CUSTOM_COMPILE_COMMAND := make lock
lock: setup ## pin the latest releases of everything in requirements/
	$(COMPILE) --all-build-deps --only-build-deps --output-file requirements/build.txt pyproject.toml
	$(COMPILE) --output-file requirements/run.txt pyproject.toml
	$(COMPILE) --extra embedded --extra dev --constraint requirements/run.txt \
		--output-file requirements/dev.txt pyproject.toml
	printf 'cyclonedx-bom\npip-audit\n' | $(COMPILE) --output-file requirements/audit.txt -

clean: ## remove .venv and what the tools leave; the data in .data stays
	rm -rf .venv .venv-audit sbom.json build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
