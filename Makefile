# make serve   set everything up and serve the dashboards
# make test    set everything up and run the tests; make test-slow: those that need minutes by nature
# Everything lives in .venv; nothing is installed outside it. PYTHON picks another interpreter (3.11 or later).

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV ?= .venv
RUN := $(VENV)/bin/python
PORT ?= 5006

.PHONY: serve test test-slow test-all lab bench docs count screenshots lint types clean

serve: $(VENV)/.apps
	$(RUN) -m workbench.cli serve --port $(PORT)

test: $(VENV)/.all
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) tests/run.py

test-slow: $(VENV)/.all
	$(RUN) tests/run.py --slow

test-all: test test-slow

lab: $(VENV)/.all
	JUPYTER_CONFIG_PATH=notebooks/lab-config WORKBENCH_LIVE=1 $(RUN) -m jupyterlab notebooks/tour.ipynb

bench: $(VENV)/.all
	for room in $$($(RUN) -m workbench.rooms) sweeps; do $(RUN) benchmarks/$$room.py --write || exit 1; done
	for script in benchmarks/flows_*.py; do $(RUN) $$script --write || exit 1; done

docs: $(VENV)/.all
	$(RUN) docs/make_index.py
	$(RUN) docs/make_experiments.py
	$(RUN) docs/make_architecture.py
	$(RUN) docs/make_file_formats.py
	$(RUN) docs/make_reference.py

count: $(VENV)/bin/python
	$(RUN) docs/count.py

screenshots: $(VENV)/.all
	$(RUN) docs/make_screenshots.py

lint: $(VENV)/.all
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

types: $(VENV)/.all
	$(RUN) -m pip install --quiet pyright
	$(RUN) -m pyright

clean:
	rm -rf $(VENV) docs/_build .pytest_cache .ruff_cache .hypothesis

# The stamps make a second call start at once; a changed pyproject.toml or constraints.txt installs anew.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.apps: $(VENV)/bin/python pyproject.toml constraints.txt
	$(RUN) -m pip install --quiet -c constraints.txt -e ".[apps]"
	touch $@

$(VENV)/.all: $(VENV)/bin/python pyproject.toml constraints.txt
	$(RUN) -m pip install --quiet -c constraints.txt -e ".[all]"
	touch $@ $(VENV)/.apps
