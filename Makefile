# Two commands on a machine with Python 3.11+ and make: `make lab` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests wait for brokers as much as they compute: three at once keep two cores busy. A file's tests share what they
# start, so they stay on one worker.
WORKERS := --numprocesses 3 --dist loadfile --no-loadscope-reorder
# Kernels and tests start a hundred Pythons: each would compile every library anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help lab setup lock test browser-test run bench chaos gallery check format clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup:  ## the set-up alone: packages, Java runtime, Kafka
	@$(PYTHON) lib/bootstrap.py

lab: setup  ## set up, start the brokers, open the course in JupyterLab (ARGS go to jupyter lab)
	@exec $(BIN)/eventlab lab $(ARGS)

run: setup  ## execute every notebook on live brokers; report in build/report/index.html
	@$(BIN)/eventlab run

test: setup  ## all tests, on real brokers and databases
	@$(BIN)/python -m pytest -m "not browser" $(WORKERS)

browser-test: setup  ## the tests in a real browser (needs Chromium)
	@$(BIN)/python -m pytest -m browser tests/browser

bench: setup  ## all benchmarks; results in benchmarks/results/
	@$(BIN)/python -m benchmarks

chaos: setup  ## five minutes of dying brokers for each configuration; figures in benchmarks/results/ (ARGS: --seed N)
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

gallery: setup  ## the nightly run: every pitfall ten times in both arms; writes docs/gallery.md
	@$(BIN)/python -m benchmarks.gallery

check: setup  ## lint, format, types, spelling, notebooks stripped
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/typos
	@$(BIN)/nbstripout --verify notebooks/*.ipynb

format: setup  ## mend what the checks can mend themselves
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/nbstripout notebooks/*.ipynb

lock: setup  ## resolve the locks again after a change in pyproject.toml
	@$(BIN)/python lib/bootstrap.py --lock

clean:  ## remove what set-up and runs made (not your lab's data)
	rm -rf $(VENV) build
