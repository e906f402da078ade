# Needs Python 3.11 or later with pip and venv, git and make; installs the rest in .venv.

PYTHON ?= python3
STUDY ?=
RESET ?=
JOBS ?=
NOISE ?= 1
bin := .venv/bin
installed := .venv/.installed
# The tests of a file share what they make once; conftest.py puts the longest first.
pytest := OMP_NUM_THREADS=1 $(bin)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# Stages call plain `python`, and so find this one.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro verify trials confirm sweep book pdf lab test test-fast test-noise lint bench
.PHONY: pictures

help:  ## list what make can do
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

.venv: $(installed)  ## create .venv with the pinned dependencies

$(installed): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"Python 3.11 or later is needed, for instance: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(bin)/python -m pip install -c constraints.txt -e '.[test]'
	@touch $@

repro: $(installed)  ## everything, from corpora to book (another study: STUDY=real)
	$(bin)/sslmepr repro $(if $(STUDY),'$(STUDY)') $(if $(RESET),--reset)

verify: $(installed)  ## results computed here against those on record (STUDY=real)
	$(bin)/sslmepr verify $(STUDY)

trials: $(installed)  ## trials of the method and the analysis, in notebooks/trials
	$(bin)/sslmepr repro trials --only notebooks/trials/dvc.yaml

confirm: $(installed)  ## the analysis tested once, on worlds and people never seen
	$(bin)/sslmepr confirm

sweep: $(installed)  ## every variant of the fusion model, side by side (JOBS=2)
	$(bin)/sslmepr sweep $(if $(STUDY),'$(STUDY)') $(if $(JOBS),--jobs $(JOBS))

book: $(installed)  ## the book, and whatever it needs that is out of date
	$(bin)/sslmepr repro --only book

pdf: book  ## the book on paper, build/book.pdf; needs Chromium
	$(bin)/sslmepr pdf

lab: .venv/.lab  ## the notebooks in JupyterLab, to change and run them by hand
	$(bin)/jupyter lab notebooks/association.ipynb

.venv/.lab: $(installed)
	$(bin)/python -m pip install -c constraints.txt -e '.[lab]'
	@touch $@

test: $(installed)  ## all tests
	$(pytest)

test-fast: $(installed)  ## all but those that run the pipeline from end to end
	$(pytest) -m 'not end_to_end'

test-noise: $(installed)  ## what trains once more, as on another machine (NOISE=seed)
	$(pytest) --noise $(NOISE) \
		tests/training tests/evaluation tests/trials tests/test_predict.py

lint: $(installed)  ## style, formatting, import direction and types
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/lint-imports
	$(bin)/mypy

bench: $(installed)  ## speed and memory against the stated bounds
	$(bin)/python benchmarks/whole_house.py
	$(bin)/python benchmarks/blocks.py
	$(bin)/python benchmarks/rates.py
	$(bin)/python benchmarks/fusion_step.py
	$(bin)/python benchmarks/rendering.py
	$(bin)/python benchmarks/extraction.py
	$(bin)/python benchmarks/growth.py
	$(bin)/python benchmarks/drawn.py
	$(bin)/python benchmarks/app.py

pictures: $(installed)  ## of the app, for the book, after make repro
	$(bin)/python benchmarks/app_pictures.py
