# Every target sets up what it needs: a virtual environment with the packages of one lock, from the distribution's
# Python, and missing Debian packages. Nothing else outside this folder changes. The programs are in tools/.

PYTHON ?= /usr/bin/python3

# The environments. Each has the packages of one lock.
VENV := .venv
DEMO := .build/venv/demo
BUILD := .build/venv/build
LOCKING := .build/venv/lock
READY := $(VENV)/.ready
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MACHINE := $(subst aarch64,arm64,$(subst x86_64,amd64,$(shell uname -m)))
BINARY := dist/healthchecker-linux-$(MACHINE)

# Install the Debian packages of these purposes that are missing.
packages = '$(PYTHON)' -m tools.packages

.PHONY: help packages demo test test-probe test-rest test-binary test-source test-docker test-release
.PHONY: binary image swarm-demo fuzz mutants bench budgets docs lock clean
.PHONY: engine lint lint-python lint-docs lint-workflows lint-shell lint-docker lint-c
.PHONY: release-check release-tag release-executable release-folder release-push release-join

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

binary: $(BINARY) ## Build the static executable, dist/healthchecker-linux-ARCHITECTURE

packages: ## Install all Debian packages that the targets here need; as an ordinary user, print how to
	@$(packages)
	@echo "set-up: all Debian packages that the targets need are installed"

image: ## Build the Docker images accountservice and healthchecker
	@'$(PYTHON)' -m tools.image

swarm-demo: image ## Let Docker Swarm run the service, fail it, and see it replaced
	@'$(PYTHON)' -m demo.swarm

demo: $(DEMO)/.ready ## Start the account service, probe it healthy and unhealthy, stop it
	@$(DEMO)/bin/python demo/session.py

test: $(READY) $(BINARY) ## Lint, types, the tests on the source and on the executable
	@$(packages) test lint
	@echo "test: lint and the tests in three parts, three at once, each printed when it ends: three to seven minutes"
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target $(PARTS) lint || \
	  { echo "test: failed; make names each part that did: *** [Makefile: PART] Error"; exit 1; }
	@echo "test: lint and all tests passed"

# Tests mostly wait, so two cores can run three parts at once. The first part covers every branch of probe/ alone.
PARTS := test-probe test-rest test-binary
test-probe: $(READY)
	$(BIN)/pytest --cov -m "not release" -k "not binary" tests/probe

test-rest: $(READY)
	$(BIN)/pytest -m "not release" --ignore=tests/probe

test-binary: $(READY) $(BINARY)
	$(BIN)/pytest -m "not release" -k binary tests/probe

test-release: $(READY) $(BINARY) mutants ## What only a release needs: short runs of the fuzzer, a second build, mutants
	$(BIN)/pytest -m release

test-source: $(READY) ## The test suite on the source alone, with any Python from 3.11 on: make test-source PYTHON=python3.14
	@$(packages) source
	$(BIN)/pytest -m "not e2e" -k "not binary" $(addprefix tests/,accountservice docs probe release test_imports.py workflows)

test-docker: engine $(READY) ## The tests that need a Docker engine, and images that can be pulled
	HEALTHCHECKER_REQUIRE_DOCKER=1 HEALTHCHECKER_REQUIRE_PULL=1 $(BIN)/pytest -m e2e

engine:
	@'$(PYTHON)' -m tools.docker_engine

FUZZ_SECONDS ?= 60
FUZZ := $(addprefix fuzz-,response arguments texts)
.PHONY: $(FUZZ)
fuzz: $(FUZZ) ## Look for bytes that break the parsers, for FUZZ_SECONDS each
$(FUZZ): fuzz-%: $(READY)
	$(BIN)/python -m testing.fuzz $* .build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -timeout=5

mutants: $(READY) ## Look for changes to the probe that no test notices
	$(BIN)/python -m tools.mutants

lint: lint-python lint-docs lint-workflows lint-shell lint-docker lint-c ## Style, types, likely mistakes, and the documentation's drift

lint-python: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/vulture

lint-docs: $(READY)
	$(BIN)/python -m tools.reference --check
	$(BIN)/python -m bench.report --check

lint-workflows: $(READY)
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/pre-commit validate-config
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github

lint-shell:
	@$(packages) lint
	shellcheck .ci/run $$(grep --directories=skip --files-with-matches '^#!.*sh$$' tools/*)

lint-docker: $(READY)
	$(BIN)/hadolint Dockerfile.multistage

lint-c: $(READY)
	@$(packages) build
	tools/lint-c $(BIN)

bench: $(READY) $(BINARY) image ## Compare with curl, wget, node, Python, Go and C, by hand and in Docker: docs/bench/, about eight minutes
	@$(packages) bench
	$(BIN)/python -m bench $(BINARY)

budgets: $(READY) $(BINARY) ## Hold the executable to its budgets, beside curl, busybox and a one-file program
	@$(packages) budgets
	@echo "budgets: measuring, one to two minutes"
	$(BIN)/python -m bench.budgets $(BINARY)

docs: $(READY) ## Write the reference and the man page anew
	$(BIN)/python -m tools.reference

release-check: lint-docs test-release ## Do all of a release but publish it, and show what would be published: dist/release
	@$(BIN)/python -m tools.release tag images executable folder

# Steps of .github/workflows/release.yml. TAG, ARCHITECTURES and REGISTRY are variables of the environment.
release-tag release-executable release-folder release-push release-join: release-%: $(READY)
	@$(BIN)/python -m tools.release $*

lock: $(LOCKING)/.ready ## Pin all dependencies anew, at their newest releases
	@'$(PYTHON)' -m tools.lock $(LOCKING)/bin/uv

clean: ## Remove all that was made here
	rm -rf $(VENV) .build dist mutants .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis accounts.db
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BINARY): $(BUILD)/.ready tools/apt-install $(wildcard build/*.* build/*/*.* probe/*.py probe/*/*.py LICENSE)
	@$(packages) build
	@$(BUILD)/bin/pyinstaller --log-level WARN build/pyinstaller.spec

$(VENV)/.ready: EXPECTED := 820 MB, one to five minutes
$(VENV)/.ready: PINS := requirements.txt
$(DEMO)/.ready: EXPECTED := 60 MB, some seconds
$(DEMO)/.ready: PINS := demo/requirements.txt
$(BUILD)/.ready: EXPECTED := 50 MB, some seconds
$(BUILD)/.ready: PINS := build/requirements.txt
$(LOCKING)/.ready: EXPECTED := 60 MB, some seconds
$(LOCKING)/.ready: PINS := tools/requirements.txt

# An environment is made again for another Python or a newer lock.
ENVIRONMENTS := $(VENV) $(DEMO) $(BUILD) $(LOCKING)
.PHONY: $(foreach venv,$(ENVIRONMENTS),$(if $(filter $(PYTHON),$(shell cat $(venv)/.ready 2>/dev/null)),,$(venv)/.ready))
.SECONDEXPANSION:
$(ENVIRONMENTS:%=%/.ready): pyproject.toml tools/make-venv $$(wildcard $$(PINS))
	@tools/make-venv '$(PYTHON)' $(@D) $(PINS) '$(EXPECTED)'
	@echo '$(PYTHON)' >$@
