# Everything starts here. Each target does its own set-up (scripts/setup); the second time that takes no time.
#   PYTHON=/path/to/python3   which Python (3.11 or newer) to build .venv on
#   ARGS="..."                handed on to the program: make test ARGS="tests/unit -x"
#   WORKERS=0                 all tests in one process, one after the other (for a debugger); 3 otherwise

BIN := .venv/bin
PYTHON ?=
ARGS ?=
SEED ?=
# Most tests wait for something, so more of them run than there are cores.
WORKERS ?= 3
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos compat slack-sim discord-sim slack-live discord-live lock clean

help: ## Show this list
	@sed -nE 's/^([a-z-]+): ## (.*)/  make \1\t\2/p' Makefile | expand -t 20

run: ## Start the server and print its address
	@scripts/setup run
	@exec $(BIN)/kagentbot serve $(ARGS)

test: ## Run all tests (ARGS="..." chooses some)
	@scripts/setup test
	@KAGENTBOT_TEST_BROWSER="$$(cat .make/browser)" PYTHONHASHSEED=0 \
		$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: ## Lint, format, types and who may import whom; changes nothing
	@scripts/setup check
	@status=0; \
	echo "ruff check"; $(BIN)/ruff check --quiet . || status=1; \
	echo "ruff format"; $(BIN)/ruff format --quiet --diff . || status=1; \
	echo "mypy"; $(BIN)/mypy . || status=1; \
	echo "import-linter"; $(BIN)/lint-imports --no-logo || status=1; \
	exit $$status

bench: ## Measure what we claim (table and JSON)
	@scripts/setup check
	@exec $(BIN)/python -m benchmarks $(ARGS)

chaos: ## Kill the server at every crash point and at random moments (SEED=... repeats a run)
	@scripts/setup check
	@exec $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(ARGS)

compat: ## Compile the real llama_cpp.server (once, 5 to 20 minutes) and test against it
	@scripts/setup check
	@scripts/compat $(ARGS)

slack-sim: ## Talk to the bot as if in Slack, in this terminal (ARGS=--help explains)
	@scripts/setup check
	@exec $(BIN)/python -m tests.fakes.slack.sim $(ARGS)

discord-sim: ## Talk to the bot as if in Discord, in this terminal (ARGS=--help explains)
	@scripts/setup check
	@exec $(BIN)/python -m tests.fakes.discord.sim $(ARGS)

slack-live: ## Check everything against a real Slack workspace (docs/slack.md says what it needs)
	@scripts/setup check
	@exec $(BIN)/python -m scripts.slack_live $(ARGS)

discord-live: ## Check everything against a real Discord server (docs/discord.md says what it needs)
	@scripts/setup check
	@exec $(BIN)/python -m scripts.discord_live $(ARGS)

lock: ## Write requirements/*.txt anew from pyproject.toml (ARGS=--upgrade for newer indirect ones)
	@scripts/lock $(ARGS)

clean: ## Remove all that set-up and checks made; your data stays
	rm -rf .venv .make .compat .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
