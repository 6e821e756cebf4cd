#!/bin/bash
# Compiles every C file against the headers of other servers; a warning is an error.
# Nothing is installed and no object is left in the checkout.
#
#   PG_CONFIGS="/opt/pg16/bin/pg_config /opt/pg18/bin/pg_config" make compat
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

[ -n "${PG_CONFIGS:-}" ] || die "PG_CONFIGS names no pg_config"
pg_find
workspace
failed=0
for config in $PG_CONFIGS; do
	have "$config" || die "$config does not run"
	tree=$QTS_DIR/tree
	rm -rf "$tree"
	mkdir "$tree"
	(cd "$QTS_ROOT" && find src bgworkers sql/parts -name '*.[ch]' -o -name '*.sql' -o -name '*.map' | sort |
		tar -cf - -T - qts.control META.json build.mk) | tar -xf - -C "$tree"
	if quietly make -k -C "$tree" -f build.mk -j"$(nproc)" all PG_CONFIG="$config" QTS_CFLAGS=-Werror; then
		say "ok: $("$config" --version)"
	else
		say "NOT OK: $("$config" --version)"
		failed=$((failed + 1))
	fi
done
exit "$failed"
