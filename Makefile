# `make demo` and `make test` do all the set-up, in .venv and nowhere else: with uv where it is installed, else with venv
# and pip. Both install the versions in uv.lock. Once set up, nothing is installed again, so both work offline, until
# pyproject.toml or uv.lock changes. Another Python: `make demo PYTHON=python3.12`.

PYTHON ?= python3
# Two processes, for the two cores that the time limit of the test suite is stated for.
PYTEST_ARGS ?= -n 2 --dist worksteal
BIN := .venv/bin
# The Python that has what `make bench` runs beside nnctl; yours, if it has some of it: BENCH=/path/to/python.
BENCH ?= .venv/bench/bin/python
# What runs tests/reference/make.py.
REFERENCE ?= uv run --locked --isolated --only-group reference python

# Bytecode makes every start 2 to 4 times faster: compile it even where the environment says not to.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test torture format docs reference bench papers tables lock clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.* ## /make \1: /p' Makefile

demo: .venv/.installed ## Set up, then learn XOR from four rows
	$(BIN)/nnctl train configs/xor.yaml
	@echo
	@echo 'One YAML file and one CSV became a trained network. Try next:'
	@echo '  source .venv/bin/activate                         so that this shell finds nnctl'
	@echo '  nnctl eval xor/latest                             metrics of the saved network'
	@echo '  nnctl predict xor/latest data/xor.csv --proba     predictions for a table'
	@echo '  nnctl train configs/xor.yaml optimizer.lr=0.01    any key of the YAML, overridden'
	@echo '  nnctl train configs/iris.yaml                     a real table; more in configs/ and data/'
	@echo '  nnctl list                                        the vocabulary; then: nnctl explain adam'

test: .venv/.installed-dev ## Set up, then check format, lint and types, and run the tests (what CI runs)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest $(PYTEST_ARGS)

torture: .venv/.installed-dev ## Kill, starve and damage runs by the thousand, and print a table: [FAULTS="F1 F2"] (10 minutes)
	$(BIN)/python -m tests.torture $(FAULTS)

format: .venv/.installed-dev ## Format the code and repair what lint can repair
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.installed-dev ## Write docs/components.md anew from the code (a test fails when it is stale)
	$(BIN)/python docs/make.py

reference: ## Make the records of tests/reference anew (needs uv, or REFERENCE=a Python with PyTorch and scikit-learn)
	$(REFERENCE) -W ignore::UserWarning -m tests.reference.make

bench: .venv/.installed $(if $(filter .venv/%,$(BENCH)),.venv/.installed-bench) ## Measure nnctl beside PyTorch and others, into benchmarks/RESULTS.md: [ONLY="step epoch"] [BIG=1] (under 10 minutes)
	$(BIN)/python -m benchmarks $(ONLY) --peers $(BENCH) $(if $(BIG),--big)

papers: .venv/.installed ## Train by the protocols of papers and print our numbers beside theirs: DATA=FOLDER [ONLY=uci]
	PAPERS_DATA=$(abspath $(DATA)) $(BIN)/python benchmarks/papers.py $(ONLY)

tables: .venv/.installed ## Time reading against pandas, and first against second starts: [ONLY=parse] [ROWS=1000000]
	$(BIN)/python -m benchmarks.tables $(ONLY) $(if $(ROWS),--rows $(ROWS))

lock: ## Resolve the dependencies again into uv.lock (needs uv)
	uv lock --no-config --upgrade

clean: ## Remove .venv, caches and builds; never runs/
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -not -path './runs/*' -prune -exec rm -rf {} +

# --- set-up: the stamp files lie in .venv, so they go when it goes ---

.venv/.installed: UV_GROUPS = --no-dev --inexact
.venv/.installed-dev: PIP_GROUPS = --group dev

.venv/.installed .venv/.installed-dev: pyproject.toml uv.lock
	@command -v $(PYTHON) >/dev/null || { echo 'nnctl needs Python 3.11 or newer, and there is no $(PYTHON) here.' \
	    'Name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c '$(CHECK_PYTHON)'
	@if command -v uv >/dev/null; then set -x; \
	    uv sync --locked --python $(PYTHON) --compile-bytecode $(UV_GROUPS); \
	else set -e; \
	    echo 'Setting up .venv with pip, which takes a minute (uv, where installed, takes seconds).'; \
	    $(PYTHON) -m venv .venv; \
	    $(BIN)/python -c '$(CONSTRAINTS)' > .venv/constraints.txt; \
	    $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	    $(BIN)/python -m pip install --quiet --constraint .venv/constraints.txt --editable . $(PIP_GROUPS); \
	fi
	@touch .venv/.installed $@

# The peers have an environment of their own: PyTorch is large, and nnctl is to be measured as it is installed.
.venv/.installed-bench: .venv/.installed
	@if command -v uv >/dev/null; then set -x; \
	    UV_PROJECT_ENVIRONMENT=.venv/bench uv sync --locked --python $(PYTHON) --compile-bytecode --only-group bench; \
	else set -e; \
	    $(PYTHON) -m venv .venv/bench; \
	    $(BIN)/python -c '$(CONSTRAINTS)' > .venv/constraints.txt; \
	    .venv/bench/bin/python -m pip install --quiet --upgrade 'pip>=25.1'; \
	    .venv/bench/bin/python -m pip install --quiet --constraint .venv/constraints.txt --group bench; \
	fi
	@touch $@

# Also read by a Python that is too old, down to 2.7.
define CHECK_PYTHON
import sys; sys.version_info >= (3, 11) or sys.exit( \
"nnctl needs Python 3.11 or newer, and $(PYTHON) is %d.%d. " \
"Name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" % sys.version_info[:2])
endef

# The versions of uv.lock, for pip, which cannot read it (a package may have one version for each range of Pythons).
define CONSTRAINTS
import tomllib; [print(p["name"] + "==" + p["version"], *[";" + " or ".join(m) for m in [p.get("resolution-markers")] if m]) \
for p in tomllib.load(open("uv.lock", "rb"))["package"] if "registry" in p["source"]]
endef
