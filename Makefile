# Every target sets itself up: a virtual environment with the tested versions of constraints.txt, in .venv unless another is named.
PYTHON ?= python3
VENV := .venv
EXTRAS := test,lint
CONSTRAINTS := constraints.txt
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Neighbours stay together, and with them what they share; TESTS are those to run, as pytest takes them, or all.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist worksteal
TESTS :=

.PHONY: help demo test test-all checked test-alone test-python test-minimum cov lint dead format notebooks docs gallery bench published clean

help:
	@echo "make demo          the whole story in under a minute: PDE, particles, comparison, HDF5, figures, a page (in wgf-demo/)"
	@echo "make test          formatter, linter, types, dead code, and the tests"
	@echo "make test-all      the same with the long studies"
	@echo "make test-python   the tests with another Python, in an environment of its own: make test-python PYTHON=python3.12"
	@echo "make test-minimum  the tests with the lowest versions that setup.cfg promises: make test-minimum PYTHON=python3.10"
	@echo "make cov           the tests, and which lines they do not reach"
	@echo "make lint          formatter, linter, types and dead code only"
	@echo "make dead          dead code only"
	@echo "make format        mend what the formatter and the linter can mend"
	@echo "make notebooks     take outputs out of the notebooks, which are stored without; the tests run them"
	@echo "make docs          the manual as a site: docs/_build/html/index.html; warnings are errors"
	@echo "make gallery       draw the pictures of the manual again, by the scripts of solvers/ among others"
	@echo "make bench         the benchmarks: roofline, peers, densities, noise, JKO, sweeps, particles beside the PDE, SGD, lazy students, start-up"
	@echo "make published     published cases beside what wgf finds, into docs/published.md"
	@echo "make clean         remove the virtual environments and what was generated"

$(READY): setup.cfg pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "wgf needs Python 3.10 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[$(EXTRAS)]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/wgf demo

test: checked
	$(PYTEST) -m "not long" $(TESTS)

test-all: checked
	$(PYTEST) $(TESTS)

# Both workers of the tests begin with what takes a minute to compile: `wgf doctor` compiles it once, while the other core checks the code.
checked: $(READY)
	@$(BIN)/wgf doctor > /dev/null 2>&1 & compiled=$$!; $(MAKE) lint && { wait $$compiled || true; }

test-alone: $(READY)
	$(PYTEST) -m "not long" $(TESTS)

test-python:
	$(MAKE) test-alone VENV=.venv-$(notdir $(PYTHON)) EXTRAS=test

test-minimum:
	$(MAKE) test-alone VENV=.venv-minimum EXTRAS=test CONSTRAINTS=constraints-minimum.txt

cov: $(READY)
	$(PYTEST) -m "not long" --cov --cov-report=term $(TESTS)

lint: $(READY) dead
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

dead: $(READY)
	$(BIN)/vulture

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

notebooks: $(READY)
	$(BIN)/python notebooks/clear.py

docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[$(EXTRAS),docs]'
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

gallery: $(READY)
	$(BIN)/python docs/generate/figures.py

bench: $(READY)
	$(BIN)/python benchmarks/roofline.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/defaults.py
	$(BIN)/python benchmarks/certificates.py
	$(BIN)/python benchmarks/densities.py
	$(BIN)/python benchmarks/noise.py
	$(BIN)/python benchmarks/jko.py
	$(BIN)/python benchmarks/neurons.py
	$(BIN)/python benchmarks/density_times.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/particles_vs_pde.py
	$(BIN)/python benchmarks/sgd.py
	$(BIN)/python benchmarks/lazy_teacher.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/startup.py

published: $(READY)
	$(BIN)/python benchmarks/published.py --page docs/published.md

clean:
	rm -rf docs/_build docs/generated .venv .venv-* build dist *.egg-info wgf-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
