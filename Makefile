# Every target sets up what it needs: a virtual environment from the distribution's Python with the packages of one lock,
# and the Debian packages that are missing. Nothing else outside this folder changes.

PYTHON ?= /usr/bin/python3

# Each environment has the packages of one lock. What to expect of it is printed before pip is silent for that long.
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

# The Debian packages of those of some tools that are not there: each a command, and its package's name if that differs.
missing = $$(for tool in $(1); do command -v $${tool%:*} >/dev/null || echo $${tool\#*:}; done)
SOURCE_TOOLS := openssl strace
TEST_TOOLS := $(SOURCE_TOOLS) ip:iproute2 mandoc musl-gcc:musl-tools systemd-analyze:systemd valgrind
LINT_TOOLS := shellcheck
BUDGETS_TOOLS := busybox curl musl-gcc:musl-tools strace valgrind
RIVALS := $(BUDGETS_TOOLS) go:golang-go node:nodejs wget wrk
BUDGETS_DATA := ca-certificates
RIVALS_DATA := $(BUDGETS_DATA) golang-github-gorilla-mux-dev golang-github-coreos-bbolt-dev
missing_data = $$(for package in $(1); do dpkg-query --show $$package >/dev/null 2>&1 || echo $$package; done)
missing_to_build = $$('$(PYTHON)' build/bootloader/link.py --missing)
missing_to_set_up = $$('$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv)

.PHONY: help packages demo test test-probe test-rest test-binary test-source test-docker test-release
.PHONY: binary image swarm-demo fuzz mutants bench budgets docs lock clean
.PHONY: engine lint lint-python lint-docs lint-workflows lint-shell lint-docker lint-c
.PHONY: release-check release-tag release-executable release-folder release-push release-join

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

binary: $(BINARY) ## Build the static executable, dist/healthchecker-linux-ARCHITECTURE

packages: ## Install all Debian packages that the targets here need; as an ordinary user, print how to
	@tools/apt-install $(missing_to_set_up) $(missing_to_build) \
	  $(call missing,$(sort $(TEST_TOOLS) $(LINT_TOOLS) $(RIVALS))) $(call missing_data,$(RIVALS_DATA))
	@echo "set-up: all Debian packages that the targets need are installed"

image: ## Build the Docker images accountservice and healthchecker
	@'$(PYTHON)' -m tools.image

swarm-demo: image ## Let Docker Swarm run the service, fail it, and see it replaced
	@'$(PYTHON)' -m demo.swarm

demo: $(DEMO)/.ready ## Start the account service, probe it healthy and unhealthy, stop it
	@$(DEMO)/bin/python demo/session.py

test: $(READY) $(BINARY) ## Lint, types, the tests on the source and on the executable
	@tools/apt-install $(call missing,$(TEST_TOOLS) $(LINT_TOOLS))
	@echo "test: lint and the tests in three parts, three at once, each printed when it ends: three to seven minutes"
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target $(PARTS) lint || \
	  { echo "test: failed; make names each part that did: *** [Makefile: PART] Error"; exit 1; }
	@echo "test: lint and all tests passed"

# Tests mostly wait, so that two cores have time for three. The first part tries every branch of probe/ by itself.
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
	@tools/apt-install $(call missing,$(SOURCE_TOOLS))
	$(BIN)/pytest -m "not e2e" -k "not binary" $(addprefix tests/,accountservice docs probe release test_imports.py workflows)

test-docker: engine $(READY) ## The tests that need a Docker engine, and images that can be pulled
	HEALTHCHECKER_REQUIRE_DOCKER=1 HEALTHCHECKER_REQUIRE_PULL=1 $(BIN)/pytest -m e2e

engine:
	@'$(PYTHON)' -m tools.docker_engine

FUZZ_SECONDS ?= 60
fuzz: $(READY) ## Look for bytes that break the parsers, for FUZZ_SECONDS each
	for target in reply arguments texts; do \
	  $(BIN)/python -m testing.fuzz $$target .build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=5 || exit; \
	done

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
	@tools/apt-install $(call missing,$(LINT_TOOLS))
	shellcheck .ci/run $$(grep --files-with-matches '^#!.*sh$$' tools/*)

lint-docker: $(READY)
	$(BIN)/hadolint Dockerfile.multistage

C := $(wildcard build/bootloader/*.c bench/*.c bench/rivals/*/*.c)
lint-c: $(READY)
	@tools/apt-install $(missing_to_build)
	$(BIN)/clang-format --dry-run --Werror $(C) $(wildcard build/bootloader/*.h)
	@flags=$$($(BIN)/python build/bootloader/link.py --flags) && \
	{ said=$$($(BIN)/clang-tidy --quiet $(C) -- $$flags 2>&1) || { echo "$$said"; exit 1; }; } && \
	for source in $(C); do gcc $$flags -fanalyzer -o /dev/null $$source || exit; done

bench: $(READY) $(BINARY) image ## Compare with curl, wget, node, Python, Go and C, by hand and in Docker: docs/bench/, about eight minutes
	@tools/apt-install $(call missing,$(RIVALS)) $(call missing_data,$(RIVALS_DATA))
	$(BIN)/python -m bench $(BINARY)

budgets: $(READY) $(BINARY) ## Hold the executable to its budgets, beside curl, busybox and a one-file program
	@tools/apt-install $(call missing,$(BUDGETS_TOOLS)) $(call missing_data,$(BUDGETS_DATA))
	@echo "budgets: measuring, one to two minutes"
	$(BIN)/python -m bench.budgets $(BINARY)

docs: $(READY) ## Write the reference and the man page anew
	$(BIN)/python -m tools.reference

release-check: lint-docs test-release ## Do all of a release but publish it, and show what would be published: dist/release
	@$(BIN)/python -m tools.release tag images executable folder

# The steps of .github/workflows/release.yml, with TAG, ARCHITECTURES and REGISTRY from the environment.
release-tag release-executable release-folder release-push release-join: release-%: $(READY)
	@$(BIN)/python -m tools.release $*

LOCK := $(LOCKING)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header --no-annotate
SERVICE := import tomllib; \
  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["service"], sep="\n")

lock: $(LOCKING)/.ready ## Pin all dependencies anew, at their newest releases
	@echo "lock: asking the package index for all releases, about a minute"
	$(LOCK) --upgrade --all-extras --group dev --output-file requirements.txt pyproject.toml
	$(LOCK) --constraint requirements.txt --group build --output-file build/requirements.txt pyproject.toml
	$(LOCK) --constraint requirements.txt --all-extras --group demo --output-file demo/requirements.txt pyproject.toml
	'$(PYTHON)' -c '$(SERVICE)' | $(LOCK) --constraint requirements.txt --output-file accountservice/requirements.txt -
	echo uv | $(LOCK) --upgrade --output-file tools/requirements.txt -

clean: ## Remove all that was made here
	rm -rf $(VENV) .build dist mutants .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis accounts.db accounts.db-lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BINARY): $(BUILD)/.ready tools/apt-install $(wildcard build/*.* build/*/*.* probe/*.py LICENSE)
	@tools/apt-install $(missing_to_build)
	@$(BUILD)/bin/pyinstaller --log-level WARN build/pyinstaller.spec

$(VENV)/.ready: EXPECTED := 820 MB, one to five minutes
$(VENV)/.ready: PINS := requirements.txt
$(DEMO)/.ready: EXPECTED := 40 MB, some seconds
$(DEMO)/.ready: PINS := demo/requirements.txt
$(BUILD)/.ready: EXPECTED := 50 MB, some seconds
$(BUILD)/.ready: PINS := build/requirements.txt
$(LOCKING)/.ready: EXPECTED := 60 MB, some seconds
$(LOCKING)/.ready: PINS := tools/requirements.txt

# Another Python, or a newer lock, makes an environment anew.
ENVIRONMENTS := $(VENV) $(DEMO) $(BUILD) $(LOCKING)
.PHONY: $(foreach venv,$(ENVIRONMENTS),$(if $(filter $(PYTHON),$(shell cat $(venv)/.ready 2>/dev/null)),,$(venv)/.ready))
.SECONDEXPANSION:
$(ENVIRONMENTS:%=%/.ready): pyproject.toml tools/make-venv $$(wildcard $$(PINS))
	@tools/make-venv '$(PYTHON)' $(@D) $(PINS) '$(EXPECTED)'
	@echo '$(PYTHON)' >$@
