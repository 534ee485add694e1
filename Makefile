# `make figures` and `make test` set up all they need, on any machine with Python 3.11+ and make.
PYTHON ?= python3
CUDA ?= cuda12
BIN := .venv/bin
# Two threads of LAPACK wait for each other where cores are busy.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: figures pictures test test-slow coverage notebooks docs docs-test dist lint typecheck format bench bench-gpu campaign clean

.venv/bin/pip:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip

.venv/app .venv/dev .venv/docs: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet -e '.[$(@F)]'
	touch $@

.venv/$(CUDA): .venv/app
	$(BIN)/pip install --quiet -e '.[app,$(CUDA)]'
	touch $@

figures: .venv/app          ## every figure and the table of claims, into figures/
	$(BIN)/bathax figures --out figures

test: .venv/dev             ## all tests but the slow ones
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow"

test-slow: .venv/dev        ## those that take seconds each
	$(BIN)/pytest -q -n 2 --dist loadfile -m slow

coverage: .venv/dev         ## all tests, and which lines they reach
	$(BIN)/pytest -q -n 2 --dist loadfile --cov --cov-report=term

notebooks: .venv/dev        ## run the notebooks from top to bottom
	mkdir -p build
	for notebook in notebooks/*.py; do \
		$(BIN)/jupytext --quiet --to ipynb --execute --output build/$$(basename $$notebook .py).ipynb $$notebook || exit 1; \
	done

docs: .venv/docs            ## the site, into build/site; runs all code on it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

pictures: .venv/app         ## those in README.md, small figures of the papers
	$(BIN)/python docs/pictures.py

docs-test: docs             ## looks at each page of it in Chromium; screenshots in build/site-screens
	$(BIN)/python tests/site/browse.py

dist: .venv/dev             ## wheel and source, checked; the wheel draws a figure in an empty environment
	rm -rf dist .venv-dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/pip install --quiet dist/*.whl
	.venv-dist/bin/bathax figures --only fig2 --out build/dist

lint: .venv/dev             ## format and lint; `make format` mends what it can
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

typecheck: .venv/dev
	$(BIN)/pyright

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev            ## speed, against limits and peers; writes tables in benchmarks/
	$(BIN)/python benchmarks/volterra_cost.py
	benchmarks/make_idesolver_venv.sh
	$(BIN)/python benchmarks/peers.py
	benchmarks/make_ace_venv.sh
	$(BIN)/python benchmarks/qubit_peers.py
	$(BIN)/python benchmarks/qubit_strong_peers.py
	$(BIN)/python benchmarks/qubit_strong.py
	$(BIN)/python benchmarks/qubit_binding.py
	$(BIN)/python benchmarks/linear_peers.py
	$(BIN)/python benchmarks/driven_peers.py
	$(BIN)/python benchmarks/sweeps.py
	$(BIN)/python benchmarks/fit_speed.py
	$(BIN)/python benchmarks/fit_peers.py
	benchmarks/make_dynamiqs_venv.sh
	$(BIN)/python benchmarks/sweep_speed.py
	$(BIN)/python benchmarks/first_call.py

bench-gpu: .venv/$(CUDA)    ## all that is measured on a GPU, in 8 minutes; `CUDA=cuda13` for that
	$(BIN)/python benchmarks/gpu.py

campaign: .venv/dev         ## error estimates of random systems, sweeps killed, files spoilt at random; tables
	$(BIN)/python benchmarks/error_campaign.py
	$(BIN)/python benchmarks/hierarchy_campaign.py
	$(BIN)/python benchmarks/resonance_campaign.py
	$(BIN)/python benchmarks/kill_campaign.py
	$(BIN)/python benchmarks/fit_campaign.py
	$(BIN)/python benchmarks/file_campaign.py
	$(BIN)/python benchmarks/linear_campaign.py
	$(BIN)/python benchmarks/driven_campaign.py

clean:
	rm -rf .venv .venv-* .cache build dist
