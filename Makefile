# corm: an object-relational mapper inside PostgreSQL.
#
#   make [PG_CONFIG=...]           build
#   make install                   install into that server
#   make installcheck              pg_regress and isolation tests against a running server
#   make lint | format | coverage | bench | check-matrix | check-package | dist   see CONTRIBUTING.md

EXTENSION = corm
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" corm.control)

MODULE_big = corm
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
PGFILEDESC = "corm - object-relational mapper inside PostgreSQL"

SQL_PARTS = $(sort $(wildcard sql/*.sql))
# Scripts of older versions, and those that lead on: every released version can be installed and updated.
DATA = $(wildcard corm--*--*.sql) $(filter-out sql/released/corm--$(EXTVERSION).sql, $(wildcard sql/released/corm--*.sql))
HEADERS_corm = src/exec/middleware/corm_middleware.h
DATA_built = corm--$(EXTVERSION).sql
EXTRA_CLEAN = corm--$(EXTVERSION).sql $(OBJS:.o=.d) src/tools/help_entries.inc

# What one file of the library uses of another is nobody else's: such calls and variables need no detour by the dynamic
# linker.  From 16 on this is PostgreSQL's own default.
PG_CPPFLAGS = -I$(CURDIR)/src
# The headers of PostgreSQL 15 are not C23, which newer compilers take for the default.
PG_CFLAGS = -std=gnu17 -fvisibility=hidden -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-error=clobbered
# Beside each object what it was made of, so that a changed header rebuilds what includes it.
PG_CFLAGS += -MMD -MP

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=corm
ISOLATION = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=corm

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): Makefile

# corm.help knows what the documentation says.
HELP_PAGES = docs/reference.md $(sort $(wildcard docs/reference/*.md))
src/tools/help.o src/tools/help.bc: src/tools/help_entries.inc
src/tools/help_entries.inc: script/help.awk $(HELP_PAGES)
	@awk -f $< $(HELP_PAGES) > $@.tmp && mv $@.tmp $@
-include $(OBJS:.o=.d)

corm--$(EXTVERSION).sql: $(SQL_PARTS) corm.control
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION corm" to load this file. \quit'; cat $(SQL_PARTS); } > $@

.DEFAULT_GOAL := all

# corm_proto, in proto/, is an extension of its own, built and installed along where what it needs is there.
include proto/find.mk
ifeq ($(WITH_PROTO),yes)
all: all-proto
install: install-proto
uninstall: uninstall-proto
endif
clean: clean-proto
.PHONY: all-proto install-proto uninstall-proto clean-proto
all-proto install-proto uninstall-proto clean-proto:
	+$(MAKE) --no-print-directory -C proto PG_CONFIG='$(PG_CONFIG)' $(@:-proto=)

# What is not the server's build is a script, so that it also works without make's variables.

CHECKS = check-assert check-inline check-valgrind check-asan check-fuzz check-sqlsmith check-core check-cache-stress check-oracle \
	check-matrix check-upgrade check-package

.PHONY: lint format format-check coverage bench $(CHECKS) dist

C_FILES = $(wildcard src/*.c src/*/*.c src/*/*.h src/*/*/*.c src/*/*/*.h test/modules/*/*.c)

lint: all
	script/lint/run

# clang-format is not quite pgindent, so these two look at the lines that differ from FORMAT_BASE, and leave
# all others alone.

FORMAT_BASE = HEAD

format:
	git clang-format --quiet $(FORMAT_BASE) -- $(C_FILES)

format-check:
	git clang-format --quiet --diff $(FORMAT_BASE) -- $(C_FILES) | (! grep .)

coverage:
	script/coverage

bench:
	bench/run

.PHONY: bench-plots bench-docs
bench-plots:
	bench/run --plots

bench-docs:
	bench/docs.py

$(filter-out check-cache-stress,$(CHECKS)):
	script/$@

# The source as PGXN takes it: the commit TREE, as the file DIST and .zip.
DISTVERSION = $(shell sed -n 's/^   "version": "\(.*\)",/\1/p' META.json)
TREE = HEAD
DIST = corm-$(DISTVERSION)

dist:
	git archive --format=zip --prefix=corm-$(DISTVERSION)/ --output=$(DIST).zip $(TREE)

# Minutes of random operations, cancels, terminations and kills on the cache; a few seconds of it are in every run.
check-cache-stress:
	PG_TEST_EXTRA=cache script/test 073_cache_stress 074_cache_workers 075_cache_memory
