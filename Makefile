# What a newcomer needs: `make demo`, then `make test`. Both set up what they need.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install demo test lint apiserver diagrams crds lock image-root bench soak clean

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/installed: requirements.lock pyproject.toml
	@echo "Installing the program into $(VENV) (a minute, the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-compile --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	@echo "Installing what the tests need ..."
	@$(PIP) install --no-compile --require-hashes --requirement requirements-dev.lock
	@touch $@

install: $(VENV)/installed ## The program, at .venv/bin/infisical-reconciler

demo: install ## The main job on an embedded server and cluster, in seconds
	@$(BIN)/infisical-reconciler demo

test: $(VENV)/installed-dev ## All tests, the real kube-apiserver included (built once, some minutes)
	@$(BIN)/python -m tests.apiserver.build
	@$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/installed-dev ## Format, style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

apiserver: $(VENV)/installed-dev ## A real kube-apiserver in the foreground, for playing by hand
	@$(BIN)/python -m tests.apiserver

diagrams: install ## Draw the machines into the README
	@$(BIN)/infisical-reconciler diagram --write README.md

crds: install ## Write the resource definitions to deploy/crds
	@$(BIN)/infisical-reconciler crds --output deploy/crds

lock: $(VENV)/installed-dev ## Choose the newest versions that fit, with their hashes
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --group build pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --constraint requirements.lock --group build --group dev \
	  pyproject.toml --output-file requirements-dev.lock

bench: $(VENV)/installed-dev ## What it costs, beside a floor of the same run, on a real API server (some minutes)
	@$(BIN)/python -m tests.apiserver.build
	@$(BIN)/python -m tests.bench $(WORKLOADS)

soak: $(VENV)/installed-dev ## Killed 200 times while 1000 resources change, and nothing lost: make soak ROUNDS=50 RESOURCES=500
	@$(BIN)/python -m tests.apiserver.build
	@$(BIN)/python -m tests.soak $(or $(ROUNDS),200) $(or $(RESOURCES),1000)

image-root: install ## The file tree of the image, in DIR: make image-root DIR=build/image
	@$(BIN)/python deploy/image_root.py $(or $(DIR),build/image)

clean: ## Remove what was made here
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
