# One command each, on a fresh machine too: every target first makes .venv with the tested versions.
# Another Python: make demo PYTHON=python3.12
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FLOORS := .venv-floors
PORT ?= 8000
pip_install = -m pip install --quiet --disable-pip-version-check

.PHONY: help setup demo test test-all test-floors lab edit train readme docs docs-serve clean

help:             ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

setup: $(READY)   ## make .venv (the other targets do it by themselves)

demo: $(READY)    ## find a horse in a picture and make it a zebra; pictures in out/
	$(BIN)/python -m lessonlib.commands

test: $(READY)    ## export, clean, ruff, every notebook, the quick tests
	$(BIN)/python tools/run_tests.py

test-all: $(READY)  ## what `make test` leaves out: slow cells, the wheel, the browser
	$(BIN)/python tools/run_tests.py --rest

test-floors: $(FLOORS)/.ready  ## `make test` with the oldest versions that settings.ini allows (torch's apart)
	$(FLOORS)/bin/python tools/run_tests.py

lab: $(READY)     ## open your own copies of the lessons, in my-lessons/, in JupyterLab
	@$(BIN)/lessonlib-notebooks my-lessons || test $$? -eq 1
	$(BIN)/jupyter lab --notebook-dir=my-lessons

edit: $(READY)    ## open the lessons' sources, in nbs/, in JupyterLab (for contributors)
	$(BIN)/jupyter lab --notebook-dir=nbs

train: $(READY)   ## train the shipped model anew on two cores (hours); it goes on where it was stopped
	$(BIN)/torchrun --nproc_per_node 2 --no-python $(BIN)/lessonlib-train

readme: $(READY)  ## write README.md from nbs/index.ipynb
	$(BIN)/python tools/readme.py

docs: $(READY)    ## build the documentation site into _docs/ (no network)
	$(BIN)/python -m tools.site.build

docs-serve: docs  ## build the site and show it on this machine
	@echo "http://127.0.0.1:$(PORT)/ (stop with Ctrl-C)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _docs

clean:            ## remove what the targets made, .venv included
	rm -rf $(VENV) $(FLOORS) out build dist _proc _docs *.egg-info

$(READY): constraints.txt settings.ini setup.py tools/settings.py
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer with venv and pip was found: install one, or name it:"; \
		echo "make demo PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): a few minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(pip_install) --constraint constraints.txt --editable '.[lab,dev]'
	@touch $@

$(FLOORS)/.ready: constraints.txt settings.ini setup.py tools/settings.py tools/floors.py
	@$(PYTHON) -m venv $(FLOORS)
	@$(PYTHON) -m tools.floors > $(FLOORS)/constraints.txt
	@$(FLOORS)/bin/python $(pip_install) --constraint $(FLOORS)/constraints.txt --editable '.[lab,dev]'
	@touch $@
