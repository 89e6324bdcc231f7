# Every target sets itself up: a virtual environment in .venv with the tested versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal  # neighbours stay together, and with them what they share

.PHONY: help demo test test-all lint format bench clean

help:
	@echo "make demo      the whole story in under a minute: PDE, particles, comparison, HDF5, figures (in wgf-demo/)"
	@echo "make test      formatter, linter, types, and the tests"
	@echo "make test-all  the same with the long studies"
	@echo "make lint      formatter, linter and types only"
	@echo "make format    mend what the formatter and the linter can mend"
	@echo "make bench     the benchmarks: roofline, peers, noise, JKO, sweeps, particles beside the PDE, SGD, start-up"
	@echo "make clean     remove the virtual environment and what was generated"

$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "wgf needs Python 3.10 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,lint]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/wgf demo

test: lint
	$(PYTEST) -m "not long"

test-all: lint
	$(PYTEST)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python benchmarks/roofline.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/noise.py
	$(BIN)/python benchmarks/jko.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/particles_vs_pde.py
	$(BIN)/python benchmarks/sgd.py
	$(BIN)/python benchmarks/startup.py

clean:
	rm -rf $(VENV) build dist *.egg-info wgf-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
