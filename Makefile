# Builds its own environment in .venv, with the versions in constraints.txt, and runs everything there.
# A step leaves a stamp, so a second call installs nothing and needs no network.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory --no-builtin-rules

PYTHON ?= python3
# Which PyTorch: any argument of `pip install`. The choice is remembered in .venv until another is named.
# (To change the build but not the version, run `make distclean` first: pip would see nothing to do.)
TORCH  ?= $(shell cat $(ENV)/torch 2>/dev/null || echo torch==2.13.0)

ENV    := .venv
BIN    := $(ENV)/bin
PIP    := $(BIN)/pip --disable-pip-version-check --quiet
STAMPS := $(ENV)/stamps

# One thread a process and several processes: threads of torch collapse beside any other busy process.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

.PHONY: help demo test prove check lint types layers docs format clean distclean FORCE
.DEFAULT_GOAL := help

help:  ## say what there is to make
	@grep -hE '^[a-z]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## */\1\t/' \
	  | while IFS=$$'\t' read -r name words; do printf '  make %-10s %s\n' "$$name" "$$words"; done
	@echo
	@echo '  make demo TORCH=...   the same with another build of PyTorch'

demo: $(STAMPS)/run  ## run a small study from sound to report
	@$(BIN)/tonotopy demo

test: check  ## lint, types, layers, documentation, then the tests
	@$(PYTEST)

prove: $(STAMPS)/dev  ## the slower proofs
	@$(PYTEST) -m prove --timeout 3600

check: lint types layers docs  ## lint, types, layers and documentation only

lint: $(STAMPS)/dev
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo 'layout differs: run `make format`' >&2; exit 1; }

types: $(STAMPS)/dev
	@$(BIN)/mypy --no-error-summary

layers: $(STAMPS)/dev
	@$(BIN)/lint-imports --no-logo

docs: $(STAMPS)/dev
	@site=$$(mktemp -d); trap 'rm -rf "$$site"' EXIT; \
	  NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir "$$site"

format: $(STAMPS)/dev  ## rewrite the layout of the code, and fix what lint can fix
	@$(BIN)/ruff check --fix --quiet || true
	@$(BIN)/ruff format

clean:  ## remove build outputs and caches
	@rm -rf build dist site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## the same, and remove the environment
	@rm -rf $(ENV)

# The environment: Python, PyTorch, then the package with its extras.

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo 'error: tonotopy needs Python 3.11 or newer; name one with `make PYTHON=...`' >&2; exit 1; }
	@$(PYTHON) -m venv $(ENV)
	@mkdir -p $(STAMPS) && touch $@

# Written again only when another PyTorch is named, so that its date tells whether to install.
$(ENV)/torch: $(STAMPS)/venv FORCE
	@printf '%s\n' '$(TORCH)' | cmp -s - $@ || printf '%s\n' '$(TORCH)' > $@

# The pins, less the one for torch when another is named.
$(ENV)/constraints.txt: constraints.txt $(ENV)/torch
	@if grep -qxF '$(TORCH)' $<; then cp $< $@; else grep -v '^torch==' $< > $@; fi

$(STAMPS)/torch: $(ENV)/constraints.txt
	@echo 'installing $(TORCH)' >&2
	@xargs $(PIP) install -c $(ENV)/constraints.txt < $(ENV)/torch
	@touch $@

$(STAMPS)/run: pyproject.toml $(STAMPS)/torch
	@echo 'installing tonotopy' >&2
	@$(PIP) install -c $(ENV)/constraints.txt -e '.[encodec]'
	@touch $@

$(STAMPS)/dev: pyproject.toml $(STAMPS)/torch
	@echo 'installing tonotopy and what its tests need' >&2
	@$(PIP) install -c $(ENV)/constraints.txt -e '.[encodec,tflite,notebook,dev]'
	@touch $(STAMPS)/run $@
