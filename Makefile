# Everything happens in .venv, which the first target that needs it makes.
# PYTHON: the interpreter to make it with, 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# More than four at once would time each other's frameworks more than test them.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help run test test-all lint format bench servers lock clean

help:
	@echo "make run       five real models on real data in all four scenarios, with a report"
	@echo "make test      the tests: core, ONNX Runtime, PyTorch"
	@echo "make test-all  also every framework, a browser, real photos, and the slow ones"
	@echo "make lint      ruff, mypy, import layers"
	@echo "make bench     benchmarks beside the published LoadGen and the bare frameworks"
	@echo "make servers   KServe in an environment of its own, for the test against it"
	@echo "make lock      resolve the pinned requirements anew (needs uv)"

run: $(VENV)/run.done
	$(BIN)/inferometer run

test: $(VENV)/test.done
	$(PYTEST) -m "not browser and not slow"

test-all: $(VENV)/all.done
	$(PYTEST)

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/bench.done $(VENV)/all.done
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.preprocessing
	$(BIN)/python -m benchmarks.backends
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.remote

$(VENV)/made.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "no venv module: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/run.done: $(VENV)/made.done requirements/run.txt pyproject.toml
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --editable .
	@touch $@

# PyTorch stands apart: which build of it is right differs from machine to machine, so it
# is pinned by version and not by hash.
$(VENV)/test.done: $(VENV)/run.done requirements/test.txt requirements/torch.txt
	$(PIP) --require-hashes -r requirements/test.txt
	$(PIP) -r requirements/torch.txt
	@touch $@

# The frameworks are pinned with all that they need but PyTorch. foolbox is there for its
# photos alone, so nothing that it needs to run is installed.
$(VENV)/all.done: $(VENV)/test.done requirements/all.txt requirements/frameworks.txt requirements/photos.txt
	$(PIP) --require-hashes -r requirements/all.txt
	$(PIP) --require-hashes --no-deps -r requirements/frameworks.txt
	$(PIP) --require-hashes --no-deps -r requirements/photos.txt
	@touch $@

$(VENV)/bench.done: $(VENV)/run.done requirements/bench.txt
	$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

# A server that others made, for the test of the client; it needs another world of packages.
SERVERS := .cache/servers

servers: $(SERVERS)/made.done
	@echo "export INFEROMETER_TEST_KSERVE=$(CURDIR)/$(SERVERS)/bin/python"

$(SERVERS)/made.done: requirements/servers.txt
	$(PYTHON) -m venv $(SERVERS)
	$(SERVERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

UV := uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header -c requirements/bounds.in
# What PyTorch brings, whichever build of it is installed.
TORCHS_OWN := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
  nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand \
  nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
  nvidia-nvshmem-cu13 nvidia-nvtx

lock:
	$(UV) --generate-hashes --extra onnxruntime --extra detection pyproject.toml -o requirements/run.txt
	$(UV) --generate-hashes -c requirements/run.txt --extra images --extra llm --extra quantization --extra remote --extra serve --group test --group lint pyproject.toml -o requirements/test.txt
	$(UV) --generate-hashes -c requirements/test.txt --extra mlflow --extra openvino --extra ray --extra results --group browser pyproject.toml -o requirements/all.txt
	$(UV) --generate-hashes -c requirements/test.txt -c requirements/all.txt -c requirements/torch.txt $(TORCHS_OWN:%=--no-emit-package %) requirements/frameworks.in --extra litert --extra ncnn --extra executorch pyproject.toml -o requirements/frameworks.txt
	$(UV) --generate-hashes -c requirements/run.txt --group bench -o requirements/bench.txt
	echo "kserve==0.21.0 onnxruntime" | tr ' ' '\n' | uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes - -o requirements/servers.txt
	echo "foolbox==3.3.4" | $(UV) --generate-hashes --no-deps - -o requirements/photos.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
