PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= .venv-demo
WORKERS ?= 2
MUST_HAVE ?= torch keras jax tensorflow tf_keras transformers peft accelerate lightning schedulefree

PIP = $(1)/bin/python -m pip install --quiet --constraint constraints.txt
TESTED = $(VENV)/.installed
SHOWN = $(DEMO_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check format clean

##@ See it
demo: $(SHOWN) ## the article's experiment, then the variant it did not try (own environment: Keras on the jax CPU backend)
	$(DEMO_VENV)/bin/frostline demo --backend jax

##@ Develop
test: $(TESTED) ## install all that the tests need and run them; ARGS="tests/process -x" narrows it
	FROSTLINE_MUST_HAVE="$(MUST_HAVE)" $(VENV)/bin/python -m pytest -n $(WORKERS) $(ARGS)

check: $(TESTED) ## format, lint, types, import rules
	$(VENV)/bin/ruff format --check src tests
	$(VENV)/bin/ruff check src tests
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -q tests/test_imports.py

format: $(TESTED) ## let ruff rewrite what it can
	$(VENV)/bin/ruff format src tests
	$(VENV)/bin/ruff check --fix src tests

clean: ## remove both environments and all caches
	rm -rf $(VENV) $(DEMO_VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist

##@ Help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The constraints choose one torch build for all that follows, so it goes first and alone.
$(TESTED): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call PIP,$(VENV)) torch
	$(call PIP,$(VENV)) --editable '.[test,dev]'
	touch $@

$(SHOWN): pyproject.toml constraints.txt | $(DEMO_VENV)/bin/python
	$(call PIP,$(DEMO_VENV)) --editable '.[demo]'
	touch $@

%/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "frostline needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $*
