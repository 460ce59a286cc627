# make run    set everything up, then open the chat (make run Q="…" answers one question; with TELEGRAM_BOT_TOKEN set
#             the Telegram bot starts)
# make setup  the set-up alone; the command is then .venv/bin/warroom
# make test   all tests        make check  format, lint, types
# make eval   how well questions are understood and search finds (ARGS="questions -v" lists what went wrong)
# make bench  performance figures        make lock  renew the lock files (needs uv)
# Needs Python 3.11 and make. Nothing is done twice: the stamps in .setup/ remember what is there.

PYTHON ?= python3
BIN := .venv/bin
SHOP ?= shop
export Q

.PHONY: run setup test check eval bench lock clean
.DELETE_ON_ERROR:

run: setup .setup/shop
	@if [ -z "$$Q" ] && [ -n "$$TELEGRAM_BOT_TOKEN" ]; then $(BIN)/warroom --shop $(SHOP) bot; \
	elif [ -n "$$Q" ]; then $(BIN)/warroom --shop $(SHOP) ask "$$Q"; \
	elif [ -t 0 ] && [ -t 1 ]; then $(BIN)/warroom --shop $(SHOP) chat; \
	else $(BIN)/warroom --shop $(SHOP) ask "What should I do today for un-paid carters?"; fi

setup: .setup/runtime

.setup/shop: .setup/runtime
	@[ -f $(SHOP)/shop.yaml ] || $(BIN)/warroom init $(SHOP) --demo 1>&2
	@touch $@

.setup/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" 1>&2; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@mkdir -p .setup && touch $@

.setup/runtime: requirements.lock pyproject.toml | .setup/venv
	@$(call install,requirements.lock)
	@touch $@

.setup/dev: requirements-dev.lock .setup/runtime
	@$(call install,requirements-dev.lock)
	@touch $@

# Everything by hash, nothing resolved anew; the project itself is installed without fetching a build tool.
define install
echo "installing what $(1) names (a few minutes the first time)" 1>&2; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1) && \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . || { \
  echo "The installation did not finish. Check that the package registry can be reached, then run the same command again: what is there already is kept." 1>&2; \
  exit 1; }
endef

test: .setup/dev
	@$(BIN)/python -m pytest -n 3 --dist loadfile

check: .setup/dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

eval: .setup/dev
	@$(BIN)/python -m tests.evals $(ARGS)

bench: .setup/dev
	@$(BIN)/python -m benchmarks

lock:
	uv pip compile pyproject.toml --extra build --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev -c requirements.lock --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements-dev.lock

clean:
	rm -rf .venv .setup
