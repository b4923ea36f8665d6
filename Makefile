# Everything is set up by itself in .venv: only Python 3.11 or newer, make and git are needed.
PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help run test docs pictures calibrate confirm chaos slurm check-allensdk check-saelens lint bench schema lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(BIN)/installed ## the whole workflow; CORES=2 limits it, ARGS="--configfile …" goes to Snakemake
	snakemake --cores $(CORES) $(ARGS)

test: $(BIN)/installed ## all tests; ARGS="tests/data -k dff" goes to pytest
	pytest --numprocesses auto --dist loadgroup $(ARGS)

lint: $(BIN)/developing ## ruff, types, docstrings, snakefmt and Snakemake's own lint
	ruff check .
	ruff format --check .
	mypy
	numpydoc lint $$(git ls-files 'src/*.py')
	snakefmt --check Snakefile workflow
	snakemake --lint

docs: $(BIN)/developing ## the documentation, in build/docs/index.html, with its notebooks run
	snakemake --cores $(CORES) --quiet all --configfile workflow/configs/tiny.yaml --config results=build/tiny \
	    -- $(addprefix build/tiny/sae/trained/seed0/end_to_end/,responses.manifest.json selectivity.csv)
	RESULTS=$(CURDIR)/build/tiny sphinx-build --fail-on-warning --keep-going --quiet docs build/docs

pictures: $(BIN)/installed ## docs' pictures of the browser, from a run; ARGS="--results DIR" (default results)
	python -m docs.pictures $(ARGS)

check-allensdk: $(BIN)/installed ## AllenSDK, in an environment of its own, reads simulated sessions
	.ci/check-allensdk

check-saelens: $(BIN)/installed ## SAELens and dictionary_learning, in an environment of their own, encode as ours do
	.ci/check-saelens

bench: $(BIN)/installed ## one benchmark of docs/benchmarks.md; NAME=accuracy, browser, decoder, departures, dff, index, memory, nwb, sae, scale, store or transfer
	python benchmarks/$(NAME).py $(ARGS)

calibrate: $(BIN)/installed ## rates of false claims and power of every test, in docs/calibration.md
	python -m benchmarks.calibration --before docs/calibration_before.json \
	    --json docs/calibration.json --markdown docs/calibration.md

confirm: $(BIN)/installed ## after `make run`: which claims hold on simulated mice never used before, in docs/confirmation.md
	snakemake --cores $(CORES) --configfile workflow/configs/confirm.yaml
	glasscortex confirmation results/tables/claims.csv results/confirmation/tables/claims.csv \
	    --page docs/confirmation.md

chaos: $(BIN)/installed ## kills and faults at random moments of tiny.yaml; N=100 kills
	python -m benchmarks.chaos --kills $(or $(N),100) $(ARGS)

slurm: $(BIN)/installed ## tiny.yaml on a real Slurm, which root may start here, while jobs and nodes are lost
	python -m benchmarks.slurm $(ARGS)

schema: $(BIN)/installed ## renew workflow/schemas from the code
	glasscortex schema >workflow/schemas/config.schema.json

lock: ## renew requirements.lock from pyproject.toml
	.ci/lock $(PYTHON)

clean: ## remove the environment (results stay)
	rm -rf .venv

$(BIN)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("make: $(PYTHON) is Python %d.%d, glasscortex needs 3.11 or newer: give PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(PIP) --no-deps --require-hashes --requirement requirements.lock
	$(PIP) --no-build-isolation --editable . torch==2.13.0
	touch $@

$(BIN)/developing: requirements-develop.lock $(BIN)/installed
	$(PIP) --no-deps --require-hashes --requirement requirements-develop.lock
	touch $@
