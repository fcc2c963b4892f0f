# Every command here does its own set-up on a machine with Python 3.11+, make and pip.
.DEFAULT_GOAL := help
.PHONY: help setup demo test soak bench bench-check check mutants generate package lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := -m pip install --quiet --disable-pip-version-check
# The same stamp for every requirement: nothing is installed again until a pinned version changes.
READY := $(VENV)/.ready
MINISTACK := .venv-ministack/.ready

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements/dev.txt pyproject.toml
	@echo "Installing the pinned development requirements into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --require-hashes -r requirements/dev.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(MINISTACK): requirements/ministack.txt
	@echo "Installing the CloudFormation engine (ministack) into .venv-ministack"
	@$(PYTHON) -m venv .venv-ministack
	@.venv-ministack/bin/python $(PIP) --require-hashes -r requirements/ministack.txt
	@touch $@

setup: $(READY) $(MINISTACK) ## Install everything into .venv and .venv-ministack

demo: setup ## Tell the whole story on this machine: CloudFormation and Pulumi against a local FinSpace
	@$(BIN)/python -m demo

test: setup ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

LIFECYCLES ?= 10000
soak: setup ## Play LIFECYCLES (10000) of stacks with faults, kills and others, and tell what was covered
	@$(BIN)/python -m tests.model --lifecycles $(LIFECYCLES) $(SOAK)

bench: $(READY) ## Measure ours beside a peer or a floor, print the table and write it into docs/performance.md
	@$(BIN)/python -m benchmarks --write $(BENCH)

bench-check: $(READY) ## Measure, and fail where a limit is missed by more than noise
	@$(BIN)/python -m benchmarks --check $(BENCH)

check: setup ## Lint, types, import directions, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m generation --check

mutants: $(READY) ## Change the code that decides bit by bit, in a copy: a test must fail each time (takes hours, goes on where it stopped)
	@$(BIN)/python -m tests.mutants $(MUTANTS)

generate: $(READY) ## Write what follows from the declarations of kinds
	@$(BIN)/python -m generation

package: $(READY) ## Build dist/aws-associations-lambda.zip
	@$(BIN)/python -m handlers.package dist/aws-associations-lambda.zip

lock: $(READY) ## Pin the newest versions again
	@$(BIN)/python $(PIP) uv
	@$(BIN)/uv pip compile -q --universal --upgrade --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements/dev.txt
	@$(BIN)/uv pip compile -q --universal --upgrade --python-version 3.11 --generate-hashes requirements/ministack.in -o requirements/ministack.txt

clean: ## Remove what the commands above made
	@rm -rf .venv .venv-ministack dist build
