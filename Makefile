# qts: an automated trading engine inside PostgreSQL.
#
#   make && sudo make install     build and install into the server of pg_config
#   make demo                     install what is missing, then show the engine trading
#   make check                    install what is missing, then pass every test
#   make bench                    print ratios beside what others do, in one run
#   make chaos TIER=1 SEEDS=n    seeded schedules of faults, see test/chaos/README.md
#   make day SEED=n SPEED=30     a trading day in accelerated time: every price against the truth
#   make compat PG_CONFIGS=...  compile against other servers' headers
#   make static, make asan        look at the sources; run in a server with sanitizers

PG_CONFIG ?= pg_config
BUILD = $(MAKE) --no-print-directory -f build.mk PG_CONFIG=$(PG_CONFIG)

.PHONY: all install uninstall installcheck clean deps demo check unit fuzz static bench sim asan compat reference chaos day
all install uninstall installcheck:
	@command -v $(PG_CONFIG) >/dev/null 2>&1 && test -f "$$($(PG_CONFIG) --pgxs)" || \
		{ echo "qts: $(PG_CONFIG) or the server headers are missing: run 'make deps'" >&2; exit 1; }
	+@$(BUILD) $@

clean:
	@-$(BUILD) $@ 2>/dev/null
	@for d in test/kis_sim test/unit test/kis_unit test/fuzz test/bench test/chaos/t1 test/chaos/t2; do \
		[ ! -f $$d/Makefile ] || $(MAKE) -s -C $$d clean; done

deps:
	@scripts/deps.sh

sim:
	@$(MAKE) -s -C test/kis_sim

demo:
	@scripts/demo.sh

check:
	@scripts/check.sh

unit:
	@$(MAKE) -s -C test/unit check
	@$(MAKE) -s -C test/kis_unit check

fuzz:
	@$(MAKE) -s -C test/fuzz check

static:
	@scripts/static.sh

asan:
	@scripts/asan.sh

compat:
	@PG_CONFIGS='$(PG_CONFIGS)' scripts/compat.sh

reference:
	@scripts/reference.sh

bench:
	@scripts/bench.sh

chaos:
	@TIER='$(TIER)' SEEDS='$(SEEDS)' SEED='$(SEED)' FROM='$(FROM)' JOBS='$(JOBS)' scripts/chaos.sh

day:
	@SEED='$(SEED)' SPEED='$(SPEED)' scripts/day.sh
