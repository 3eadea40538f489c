# One command each, on a fresh machine too: every target first makes .venv with the tested versions.
# Another Python: make demo PYTHON=python3.12
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FLOORS := .venv-floors
RUNTIME := tools/site/node_modules/.package-lock.json
NEWEST := .venv-newest
AUDIT := .venv-audit
MUTANTS := .venv-mutants
# The torch of test-floors and test-newest: tested (which constraints.txt names), floor, newest, or a version.
TORCH ?= tested
PORT ?= 8000
pip_install = -m pip install --quiet --disable-pip-version-check

# One end of the versions, in an environment of its own: $(call end,folder,options of tools.floors)
define end
	@$(PYTHON) -m venv --clear $(1)
	@$(PYTHON) -m tools.floors --torch $(TORCH) $(2) > $(1)/constraints.txt
	@$(1)/bin/python $(pip_install) --constraint $(1)/constraints.txt --editable '.[lab,dev]'
	@touch $@
endef

.PHONY: help setup demo test test-all test-floors test-newest audit mutants lab edit train bench readme docs docs-serve clean

help:             ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

setup: $(READY)   ## make .venv (the other targets do it by themselves)

demo: $(READY)    ## find a horse in a picture and make it a zebra; pictures in out/
	$(BIN)/python -m lessonlib.commands

test: $(READY) $(RUNTIME)  ## export, clean, ruff, every notebook, the quick tests
	$(BIN)/python tools/run_tests.py

test-all: $(READY) $(RUNTIME)  ## what `make test` leaves out: slow cells, the wheel, the browser
	$(BIN)/python tools/run_tests.py --rest

test-floors: $(FLOORS)/.ready-$(TORCH)  ## `make test` with the oldest versions allowed (TORCH=floor: torch's too)
	$(FLOORS)/bin/python tools/run_tests.py --old

test-newest: $(NEWEST)/.ready-$(TORCH)  ## `make test` with the newest versions (TORCH=newest: torch's too)
	$(NEWEST)/bin/python tools/run_tests.py

audit: $(AUDIT)/.ready  ## known faults of the versions that the tests run with (asks a public database)
	$(AUDIT)/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --vulnerability-service osv

mutants: $(READY) $(MUTANTS)/.ready  ## change the code, one thing at a time: what does no test notice? (hours; it goes on)
	PYTHONPATH=$(MUTANTS) $(BIN)/python tools/mutants.py $(MODULES)

lab: $(READY)     ## open your own copies of the lessons, in my-lessons/, in JupyterLab
	@$(BIN)/lessonlib-notebooks my-lessons || test $$? -eq 1
	$(BIN)/jupyter lab --notebook-dir=my-lessons

edit: $(READY)    ## open the lessons' sources, in nbs/, in JupyterLab (for contributors)
	$(BIN)/jupyter lab --notebook-dir=nbs

train: $(READY)   ## train the shipped model anew on two cores (hours); it goes on where it was stopped
	@# glibc keeps memory that is freed: each step asks for the same again, 6% of its time if the pages are new
	MALLOC_MMAP_THRESHOLD_=1000000000 MALLOC_TRIM_THRESHOLD_=1000000000 \
		$(BIN)/torchrun --nproc_per_node 2 --no-python $(BIN)/lessonlib-train

bench: $(READY)   ## beside numpy, torch and diffusers: benchmarks/RESULTS.md, figures in out/bench/ (an hour or so)
	$(BIN)/python benchmarks/bench.py --write

readme: $(READY)  ## write README.md from nbs/index.ipynb
	$(BIN)/python tools/readme.py

docs: $(READY) $(RUNTIME)  ## build the documentation site into _docs/ (no network)
	$(BIN)/python -m tools.site.build

docs-serve: docs  ## build the site and show it on this machine
	@echo "http://127.0.0.1:$(PORT)/ (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _docs

clean:            ## remove what the targets made, .venv included
	rm -rf $(VENV) $(FLOORS) $(NEWEST) $(AUDIT) $(MUTANTS) out build dist _proc _docs *.egg-info

$(READY): constraints.txt settings.ini setup.py tools/settings.py
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer with venv and pip was found: install one, or name it:"; \
		echo "make demo PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): a few minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(pip_install) --constraint constraints.txt --editable '.[lab,dev]'
	@touch $@

# The live page's runtime. Without npm the site is built without the live part, and its tests are skipped.
$(RUNTIME): tools/site/package-lock.json
	@if command -v npm > /dev/null && cd tools/site && npm ci --ignore-scripts --silent; then \
		touch node_modules/.package-lock.json; \
	else echo "npm is missing, or npm ci failed: the live page will be without its model"; fi

$(FLOORS)/.ready-$(TORCH): constraints.txt settings.ini setup.py tools/settings.py tools/floors.py
	$(call end,$(FLOORS))

$(NEWEST)/.ready-$(TORCH): constraints.txt settings.ini setup.py tools/settings.py tools/floors.py
	$(call end,$(NEWEST),--newest)

# In an environment of its own: its requirements are not ours.
$(AUDIT)/.ready:
	@$(PYTHON) -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python $(pip_install) pip-audit==2.10.1
	@touch $@

# Beside .venv, whose packages the mutants are tried with: what cosmic-ray needs is not ours.
$(MUTANTS)/.ready: $(READY)
	@$(BIN)/python $(pip_install) --upgrade --target $(MUTANTS) cosmic-ray==8.7.0
	@touch $@
