# Set-up and checks, for people and CI. Needs python3 and make; everything else goes into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXAMPLE = examples/mbed-os
SOURCES = $(shell git ls-files core plugins setup.py pyproject.toml 2>/dev/null)

.PHONY: demo upload-demo test lint docs bench peer corpus clean

# Build the example firmware twice; the second build emits what updates the first.
demo: $(VENV)/installed
	sh $(EXAMPLE)/demo.sh "$(abspath $(BIN))"

# A local update server, simulated devices, and upload-update from SCons, CMake and PlatformIO.
upload-demo: $(VENV)/installed
	sh $(EXAMPLE)/upload-demo.sh "$(abspath $(BIN))"

test: $(VENV)/installed peer
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(PYTEST_FLAGS)

# The tool that our manifests are compared with. It installs up to Python 3.11; where no such Python
# is found, the tests that need it are left out by name.
peer:
	sh tests/install_peer.sh

# Real firmware that the sizes of patches are judged on, kept outside of this folder.
corpus: $(VENV)/installed
	$(BIN)/python benchmarks/corpus.py --gate

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p fotabuild
	$(BIN)/mypy tests docs benchmarks examples/mbed-os/toolchain.py

# The documentation as a site, in build/site.
docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench: $(VENV)/installed
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/cmake.py
	$(BIN)/python benchmarks/server.py
	$(BIN)/python benchmarks/release_chain.py
	$(BIN)/python benchmarks/matrix.py --rounds 1
	$(BIN)/python benchmarks/cluster_plan.py

clean:
	rm -rf $(VENV) build $(EXAMPLE)/build

$(VENV)/installed: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	rm -rf build
	$(INSTALL) ".[test,lint]"
	touch $@
