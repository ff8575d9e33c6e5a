# Every target says what it does (`make help`) and works from a clean clone.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build serve demo test kill-test fuzz bench bench-embedding eval lint format docs clean

# Set JOBS=2 to keep the machine usable meanwhile.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)
SWIFT_FILES := Package.swift Sources Tests StandIns Fixtures Benchmarks Fuzz Snippets Examples

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: ## Install missing system packages and fetch the embedding model
	@Scripts/setup

build: ## Build the release binary: .build/release/gantry
	@echo "==> Building .build/release/gantry (the first build takes some minutes)"
	@swift build --configuration release --jobs $(JOBS) --product gantry

serve: setup build ## Set up, build and start the server on 127.0.0.1:8000
	@echo "==> Starting Gantry; stop it with Ctrl-C"
	@exec .build/release/gantry serve

demo: setup build ## Start Gantry with a Jira stand-in and the project's own documentation
	@Scripts/demo

test: setup ## Run all tests: unit tests, real servers with real clients, the example, the documentation
	@JOBS=$(JOBS) Scripts/test

kill-test: setup build ## Kill the server 200 times while it ingests, and look for what was lost (GANTRY_TEST_KILLS)
	@Scripts/kill-test

fuzz: ## Feed 10 million damaged inputs to what reads bytes from strangers (FUZZ_EXECUTIONS per target)
	@JOBS=$(JOBS) Scripts/fuzz

bench: setup ## Compare speed with the Python SDK's server and with Hummingbird alone, in the same run
	@Scripts/bench
	@Scripts/bench-knowledge

bench-embedding: setup ## Compare what embedding costs with onnxruntime, in the same run
	@Scripts/bench-embedding

eval: setup build ## Measure retrieval on the labelled collections in ../shared/data
	@Scripts/eval

lint: setup ## Check format, documentation comments and imports; warnings are errors
	@echo "==> Checking the format"
	@swift format lint --strict --recursive --parallel $(SWIFT_FILES)
	@echo "==> Building with the import check"
	@JOBS=$(JOBS) Scripts/build-tests

format: ## Format all Swift files
	@echo "==> Formatting"
	@swift format --in-place --recursive --parallel $(SWIFT_FILES)

docs: ## Check the README against the code, and generate the documentation of the libraries
	@Scripts/check-docs
	@JOBS=$(JOBS) Scripts/docs

clean: ## Remove build products and virtual environments; keep downloaded models
	@echo "==> Removing build products"
	@rm -rf .build StandIns/.build Examples/*/.build .venv IntegrationTests/.pytest_cache
	@find IntegrationTests -name __pycache__ -type d -prune -exec rm -rf {} +
