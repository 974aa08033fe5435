# Every target sets up what it needs: a virtual environment in .venv from the distribution's Python, and the packages
# of requirements.txt in it. Nothing outside this folder changes, but for a missing system package.

PYTHON ?= /usr/bin/python3
VENV := .venv
READY := $(VENV)/.ready
ifneq ($(shell cat $(READY) 2>/dev/null),$(PYTHON))
.PHONY: $(READY)
endif
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MACHINE := $(subst aarch64,arm64,$(subst x86_64,amd64,$(shell uname -m)))
BINARY := dist/healthchecker-linux-$(MACHINE)

# The Debian packages of those of some tools that are not there: each a command, and its package's name if that differs.
missing = $$(for tool in $(1); do command -v $${tool%:*} >/dev/null || echo $${tool\#*:}; done)

.PHONY: help binary image swarm-demo demo test test-source test-docker fuzz mutants bench budgets docs lock clean
.PHONY: lint lint-python lint-docs lint-workflows lint-shell lint-docker lint-c
.PHONY: release-check release-tag release-executable release-folder release-push release-join

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

binary: $(BINARY) ## Build the static executable, dist/healthchecker-linux-ARCHITECTURE

image: $(READY) ## Build the Docker images accountservice and healthchecker
	@$(BIN)/python -m demo.image

swarm-demo: image ## Let Docker Swarm run the service, fail it, and see it replaced
	@$(BIN)/python -m demo.swarm

demo: $(READY) ## Start the account service, probe it healthy and unhealthy, stop it
	@$(BIN)/python demo/session.py

test: lint $(BINARY) ## Lint, types, the whole test suite on the source and on the executable, and whether it notices changes
	@.ci/packages $(call missing,mandoc musl-gcc:musl-tools openssl strace valgrind)
	$(BIN)/pytest --cov
	$(BIN)/python -m tests.mutants

test-source: $(READY) ## The test suite on the source alone, with any Python from 3.11 on: make test-source PYTHON=python3.14
	@.ci/packages $(call missing,openssl strace)
	$(BIN)/pytest -m "not e2e" -k "not binary" $(addprefix tests/,accountservice docs fuzz probe release workflows)

test-docker: $(READY) ## The tests that need a Docker engine, and images that can be pulled
	HEALTHCHECKER_REQUIRE_DOCKER=1 HEALTHCHECKER_REQUIRE_PULL=1 $(BIN)/pytest -m e2e

FUZZ_SECONDS ?= 60
fuzz: $(READY) ## Look for bytes that break the parsers, for FUZZ_SECONDS each
	for target in reply arguments texts; do \
	  $(BIN)/python -m tests.fuzz $$target .build/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -timeout=5 || exit; \
	done

mutants: $(READY) ## Look for changes to the probe that no test notices
	$(BIN)/python -m tests.mutants

lint: lint-python lint-docs lint-workflows lint-shell lint-docker lint-c ## Style, types, likely mistakes, and the documentation's drift

lint-python: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/vulture

lint-docs: $(READY)
	$(BIN)/python docs/reference.py --check
	$(BIN)/python -m bench.report --check

lint-workflows: $(READY)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/pre-commit validate-config
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github

lint-shell:
	@.ci/packages $(call missing,shellcheck)
	shellcheck .ci/*

lint-docker: $(READY)
	$(BIN)/hadolint Dockerfile.multistage

C := $(wildcard build/bootloader/*.c bench/*.c bench/rivals/*/*.c)
lint-c: $(READY)
	@.ci/packages $$($(BIN)/python build/bootloader/link.py --missing)
	$(BIN)/clang-format --dry-run --Werror $(C) $(wildcard build/bootloader/*.h)
	flags=$$($(BIN)/python build/bootloader/link.py --flags) && \
	$(BIN)/clang-tidy --quiet $(C) -- $$flags && \
	for source in $(C); do gcc $$flags -fanalyzer -o /dev/null $$source || exit; done

RIVALS := busybox curl go:golang-go musl-gcc:musl-tools strace valgrind wget wrk
RIVALS_LIBRARIES := golang-github-gorilla-mux-dev golang-github-coreos-bbolt-dev
bench: $(BINARY) image ## Compare with curl, wget, PyInstaller, Go and C, by hand and in Docker: docs/bench/, some ten minutes
	@.ci/packages $(call missing,$(RIVALS)) $$(for library in $(RIVALS_LIBRARIES); do dpkg-query --show $$library >/dev/null 2>&1 || echo $$library; done)
	$(BIN)/python -m bench $(BINARY)

budgets: $(BINARY) ## Hold the executable to its budgets, beside curl and PyInstaller's one-file program
	@.ci/packages $(call missing,curl musl-gcc:musl-tools valgrind)
	$(BIN)/python -m bench.budgets $(BINARY)

docs: $(READY) ## Write the reference and the man page anew
	$(BIN)/python docs/reference.py

release-check: lint-docs ## Do all of a release but publish it, and show what would be published: dist/release
	@$(BIN)/python -m release tag images executable folder

# The steps of .github/workflows/release.yml, with TAG, ARCHITECTURES and REGISTRY from the environment.
release-tag release-executable release-folder release-push release-join: release-%: $(READY)
	@$(BIN)/python -m release $*

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header --no-annotate
SERVICE := import tomllib; \
  print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["service"], sep="\n")

lock: $(READY) ## Pin all dependencies anew, at their newest releases
	$(LOCK) --upgrade --all-extras --group dev --output-file requirements.txt pyproject.toml
	$(LOCK) --constraint requirements.txt --group build --output-file build/requirements.txt pyproject.toml
	$(BIN)/python -c '$(SERVICE)' | $(LOCK) --constraint requirements.txt --output-file accountservice/requirements.txt -

clean: ## Remove all that was made here
	rm -rf $(VENV) .build dist mutants .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis accounts.db accounts.db-lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BINARY): $(READY) .ci/packages $(wildcard build/*.* build/*/*.* probe/*.py LICENSE)
	@.ci/packages $$($(BIN)/python build/bootloader/link.py --missing)
	@$(BIN)/pyinstaller --log-level WARN build/pyinstaller.spec

$(READY): requirements.txt pyproject.toml .ci/venv
	@.ci/venv $(PYTHON) $(VENV)
	@echo $(PYTHON) >$@
