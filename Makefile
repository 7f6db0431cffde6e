# Everything a developer does, by name. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCKS := requirements/uv.txt requirements/dev.txt
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate
WORKERS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run install test check format lock load publish redrive smoke clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: install ## Run the platform on this machine: sign in, upload, watch (ARGS="--help" for more)
	@exec $(BIN)/python -m local $(ARGS)

install: $(INSTALLED) ## Install everything that is needed, into .venv

$(INSTALLED): $(LOCKS) clients/cli/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python $(LOCKS)
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable clients/cli
	@touch $(INSTALLED)

test: check ## Check and test everything
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope $(ARGS)

check: install ## Lint, format, types, layers
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/basedpyright
	PYTHONPATH=.:chalice_app:clients/cli/src $(BIN)/lint-imports --no-logo

format: install ## Put the code into its form
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .

lock: install ## Pin newer versions of everything (then: make test)
	$(COMPILE) --python-version 3.11 requirements/uv.in --output-file requirements/uv.txt
	$(COMPILE) --python-version 3.11 requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) --python-version 3.11 requirements/infrastructure.in --output-file requirements/infrastructure.txt \
		--constraint requirements/dev.txt --constraint requirements/uv.txt
	for bundle in functions processing; do \
		$(COMPILE) --python-version 3.13 requirements/$$bundle.in --output-file requirements/$$bundle.txt; \
	done

load: install ## 1,247 concurrent uploads against the local platform
	$(BIN)/python -m bench.concurrent_uploads $(ARGS)

publish: install ## Put the page of the selected stack where CloudFront serves it
	$(BIN)/python -m deploy.publish_site $(ARGS)

redrive: install ## Send the selected stack's failed events to their functions again
	$(BIN)/python -m deploy.redrive $(ARGS)

smoke: install ## Prove a deployed stage end to end: make smoke STAGE=dev
	$(BIN)/python -m deploy.smoke $(if $(STAGE),--stage $(STAGE)) $(ARGS)

clean: ## Remove what was installed, built and kept
	rm -rf $(VENV) .data build dist
