# How the extension is built: PGXS.  The targets people type are in Makefile.

EXTENSION   = qts
SQLVERSION  = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" qts.control)
DISTVERSION = $(shell sed -n 's/^   "version": "\(.*\)",/\1/p' META.json)

MODULE_big  = qts
SRCS        = $(wildcard src/*.c src/core/*.c src/shm/*.c src/net/*.c src/kis/*.c src/naver/*.c src/broker/*.c src/db/*.c bgworkers/*.c)
OBJS        = $(SRCS:.c=.o)
SQL_PARTS   = $(sort $(wildcard sql/parts/*.sql))
DATA_built  = sql/qts--$(SQLVERSION).sql

PG_CPPFLAGS = -Isrc -Ibgworkers -DQTS_VERSION=\"$(DISTVERSION)\" -DQTS_SQL_VERSION=\"$(SQLVERSION)\"
PG_CFLAGS   = -std=gnu11 -Wall -Wextra -Wshadow -Wno-unused-parameter -Wno-missing-field-initializers -Wno-declaration-after-statement \
              $(QTS_CFLAGS)
SHLIB_LINK  = -lcurl -lwebsockets -ljansson -lcrypto -lz -Wl,--version-script=src/exports.map
override with_llvm = no

REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test
ISOLATION      = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=output_iso
EXTRA_CLEAN    = .build results output_iso tmp_check log

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# C99's rule about declarations is the server's habit, not a defect here.
override CFLAGS := $(filter-out -Wdeclaration-after-statement,$(CFLAGS))

HEADERS_ALL = $(wildcard src/*.h src/*/*.h bgworkers/*.h)
$(OBJS): $(HEADERS_ALL)

sql/qts--$(SQLVERSION).sql: $(SQL_PARTS)
	@cat $^ > $@

