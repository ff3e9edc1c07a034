# One command each; `make setup` is done by whichever needs it.
PYTHON ?= python3
BIN := .venv/bin
FLOOR := 85
# Speech ends with its models, and fine-tuning with the last one that it takes: no model follows in their place.
LATE_MODELS := gpt-4o-mini-tts gpt-4.1-mini-2025-04-14 whisper-1
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help setup studio studio-types pictures test models-check coverage lint docs-check docs site node hosts run bench soak simulate crash crash-short lock dist dist-check release-check image clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

setup: .venv/ready ## install the connector and its tools into .venv, and build the studio's pages
	@$(BIN)/python -m tools.studio --setup

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Say which one: make setup PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || echo "setup: making .venv with $$($(PYTHON) --version)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv"; exit 1; }
	@$(BIN)/python tools/setup.py
	@touch $@

studio: .venv/ready ## build the studio's pages anew
	@$(BIN)/python -m tools.studio --force

studio-types: setup ## write the types of the studio's API for its pages
	$(BIN)/python -m tools.studio_types

pictures: setup ## take the pictures of the studio's pages that README and docs show
	$(BIN)/python -m tools.pictures

test: setup ## run all tests (offline, random order, on all cores)
	$(BIN)/python -m pytest -q -n auto --dist worksteal $(ARGS)

coverage: setup ## run all tests and count the lines they reach; fewer than FLOOR per cent fail
	$(BIN)/python -m pytest -q -n auto --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=$(FLOOR) $(ARGS)

lint: setup ## ruff, mypy, pyright and the floors; the checkers of the studio's pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tools.studio --lint

catalogue: setup ## bring entities/ up to an SDK, SDK=3.57.0 (a version, a wheel or a folder), and to a DOCUMENT=
	$(BIN)/openai-connector entities update --sdk "$(or $(SDK),latest)" $(if $(DOCUMENT),--document "$(DOCUMENT)") --into entities --entities entities --text

docs: setup ## write the generated reference pages
	$(BIN)/python -m tools.reference

site: .venv/site-ready ## make the documentation's site in build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

.venv/site-ready: requirements-docs.lock .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-docs.lock
	@touch $@

docs-check: .venv/site-ready ## generated pages are current, examples in the docs run, the site can be made
	$(BIN)/python -m tools.reference --check
	$(BIN)/python -m pytest -q -n auto --dist worksteal tests/docs

models-check: setup ## the models that docs, examples and chains name live for another 120 days
	$(BIN)/openai-connector models check --within 120 --defaults $(foreach model,$(LATE_MODELS),--accept $(model)) \
	  README.md docs/index.md docs/tutorial.md docs/coming-from docs/examples transformers connector/cli connector/config $(filter-out docs/guides/models.md,$(wildcard docs/guides/*.md))

crash-short: setup ## kill a connector at every named point, and hold it against its upstream's record
	$(BIN)/python -m tests.crash

crash: setup ## the same in every way, many times
	$(BIN)/python -m tests.crash --long

node: ## fetch the official SDK for Node, which some tests use when it is there
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix .node openai@7.59.0

hosts: setup ## install foreign clients and judges of hosts, which some tests use, apart from ours
	@$(BIN)/python -m tools.judges $(ARGS)

run: setup ## a thousand support tickets, offline; ARGS=--live: ten through the real API
	@$(BIN)/python -m tools.demo $(ARGS)

bench: setup ## compare with peers on loopback, with targets (not a test); ARGS=--quick: about two minutes
	$(BIN)/python -m bench $(ARGS)

soak: setup ## ten minutes of a run, a gateway and a sandbox under faults: what grows? ARGS=--seconds=60 for less
	@$(BIN)/python -m tools.soak $(ARGS)

simulate: setup ## forecasts, deadlines and verdicts against runs, months and days that they have not seen; prints seeds and figures
	$(BIN)/python -m tools.simulate

dist: setup ## build the wheel and the source distribution in dist
	$(BIN)/python -m tools.studio
	rm -rf dist
	$(BIN)/python -m hatchling build

dist-check: ## install the wheel of dist into a clean environment, and run it
	rm -rf build/clean
	$(PYTHON) -m venv build/clean
	build/clean/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-runtime.lock
	build/clean/bin/pip install --quiet --disable-pip-version-check --no-deps --no-index dist/*.whl
	build/clean/bin/pip check
	build/clean/bin/openai-connector --version
	build/clean/bin/openai-connector entities list --area files > /dev/null

release-check: setup ## TAG, pyproject.toml and the changelog name one version, and it has a date
	$(BIN)/python -m tools.release "$(TAG)"

image: dist ## build the container image and try its command
	docker build --tag openai-connector .
	docker run --rm --read-only openai-connector --version

lock: setup ## resolve dependencies anew
	$(COMPILE) --group dev pyproject.toml --output-file requirements.lock
	$(COMPILE) --extra postgresql --extra studio --extra telemetry --constraint requirements.lock pyproject.toml --output-file requirements-runtime.lock
	$(BIN)/python -m tools.judges --lock
	$(COMPILE) --group docs --constraint requirements.lock --output-file requirements-docs.lock

clean: ## remove what setup and tests made
	rm -rf studio/node_modules connector/studio/pages .venv .node .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
