# Set-up and checks, for people and CI. Needs python3 and make; everything else goes into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXAMPLE = examples/mbed-os
SOURCES = $(shell git ls-files core plugins setup.py pyproject.toml 2>/dev/null)

.PHONY: demo test lint bench clean

# Build the example firmware twice; the second build emits what updates the first.
demo: $(VENV)/installed
	sh $(EXAMPLE)/demo.sh "$(abspath $(BIN))"

test: $(VENV)/installed
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p fotabuild
	$(BIN)/mypy tests examples/mbed-os/toolchain.py

bench: $(VENV)/installed
	$(BIN)/python benchmarks/startup.py

clean:
	rm -rf $(VENV) build $(EXAMPLE)/build $(EXAMPLE)/keys $(EXAMPLE)/releases

$(VENV)/installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	rm -rf build
	$(INSTALL) ".[test,lint]"
	touch $@
