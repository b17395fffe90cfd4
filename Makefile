# make table1   set everything up and make Table 1 of the default study
# make quick    Table 1 of two tasks with one seed, a first look in an eighth of the time
# make paper    the same with all tables, figures and statistics of the default study
# make times    how long its jobs took, by rule
# make plan     what is to be done and what it costs; STUDY=studies/paper.yaml for another study
# make progress what is done, running and to do; also while it runs
# make test     set everything up and run the tests
# make bench    measure training beside its alternatives, ten minutes on one quiet core
# make bench-schedules measure what progressive and stacked distillation save, six minutes
# make memory   measure the memory of trainings on 363,846 examples
# make false-rates how often tests call equal methods different, five minutes
# make reference write docs/config.md and the config's schema from its types and config.yaml
# make bench-gpu measure the steps of a training on a GPU; BENCH="--help" for its options
PYTHON ?= python3
STUDY ?=
WORKERS ?= 2
TORCH := 2.13.0

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := build/bench
# Memory is kept as in the workflow's jobs (study/job_environment.py).
TIMED := OMP_NUM_THREADS=1 TQDM_DISABLE=1 MALLOC_MMAP_THRESHOLD_=1073741824 \
	MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=67108864
PACKAGES := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
WITH_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"
NEEDED := import sys; sys.exit(sys.version_info < (3, 11) and \
	"error: Python 3.11 or newer is needed; name one with PYTHON=python3.x")

.DEFAULT_GOAL := help
.PHONY: help setup table1 quick paper times plan progress test bench bench-schedules memory false-rates bench-gpu reference lint format lock clean

help:
	@echo "make table1 | quick | paper | times | plan | progress | test | bench | bench-schedules | memory | false-rates | bench-gpu | reference | lint | format | lock | setup | clean"

setup: $(STAMP)

# Bytecode is compiled here because PYTHONDONTWRITEBYTECODE may be set: every job would compile anew.
$(STAMP): requirements.lock
	@$(PYTHON) -c '$(NEEDED)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib src > /dev/null 2>&1 || true
	@touch $@

table1: setup
	$(WITH_VENV) snakemake --cores all results/table1.csv

quick: setup
	$(WITH_VENV) snakemake --cores all --configfile studies/quick.yaml -- results/quick/table1.csv

paper: setup
	$(WITH_VENV) snakemake --cores all

times: setup
	@$(BIN)/python -m internal_kd.jobs timings --benchmarks results/benchmarks

plan progress: setup
	@$(BIN)/python -P -m internal_kd $@ $(if $(STUDY),--configfile $(STUDY))

test: setup
	OMP_NUM_THREADS=1 $(WITH_VENV) python -m pytest -n $(WORKERS) --dist loadscope

# What is measured against lives in an environment of its own, on top of the project's.
$(PEERS)/.installed: $(STAMP) pyproject.toml
	$(BIN)/python -m venv $(PEERS)
	$(BIN)/python $(PACKAGES) > "$$($(PEERS)/bin/python $(PACKAGES))/project.pth"
	$(PEERS)/bin/python -m pip install --quiet --editable ".[bench]"
	@touch $@

bench: $(PEERS)/.installed
	$(TIMED) $(PEERS)/bin/python -m benchmarks $(BENCH)

bench-schedules: setup
	$(TIMED) $(BIN)/python -m benchmarks.schedules $(BENCH)

memory: setup
	OMP_NUM_THREADS=1 TQDM_DISABLE=1 $(WITH_VENV) python -m benchmarks.memory --folder build/memory

false-rates: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.false_rates $(BENCH)

bench-gpu: setup
	TQDM_DISABLE=1 $(BIN)/python -m benchmarks.gpu $(BENCH)

reference: setup
	$(BIN)/python -m internal_kd.study.reference config.yaml workflow/schemas/config.schema.yaml docs/config.md

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakefmt --check Snakefile workflow
	$(WITH_VENV) snakemake --lint

format: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# The newest versions that pyproject.toml allows, but for torch; without the name of torch's build.
lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet torch==$(TORCH) ".[dev,slurm]"
	(echo "# Written by 'make lock'; what pyproject.toml allows stands there."; \
	 build/lock/bin/python -m pip freeze --exclude internal-kd \
	 | sed 's/^\(torch==[^+]*\)+.*/\1/') > requirements.lock
	rm -rf build/lock

# Everything but results.
clean:
	rm -rf $(VENV) build .snakemake .hypothesis .import_linter_cache .mypy_cache .pytest_cache \
		.ruff_cache src/*.egg-info
	find src tests -name __pycache__ -prune -exec rm -rf {} +
