# `make figures` and `make test` set up everything they need, on any machine with Python 3.11+.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: figures test lint typecheck format notebooks campaign bench clean

.venv/.app: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -e '.[app]'
	touch $@

.venv/.dev: .venv/.app
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

figures: .venv/.app
	$(BIN)/bathax figures --out figures

test: .venv/.dev
	$(BIN)/pytest -n 2 --dist loadfile -q

lint: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

typecheck: .venv/.dev
	$(BIN)/pyright

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .cache build dist
