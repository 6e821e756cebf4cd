#!/bin/bash
# Builds and tests everything; ends with one line "N passed, N failed".
#
#   SUITE=unit|sim|fuzz|regress|isolation|pgtap|tap|chaos   runs one suite only
#   QTS_CORPUS=dir      captured messages of the broker as further input of unit and fuzz
#   FUZZ_SECONDS=10     for each of the fuzz targets
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/deps.sh" check
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

SUITES=(unit sim fuzz regress isolation pgtap tap chaos)
passed=0
failed=0

suite_unit()
{
	local status=0 log
	make -s -C "$QTS_ROOT/test/unit" -j"$(nproc)" all && make -s -C "$QTS_ROOT/test/unit" check PROVE='prove -v' || status=1
	prove -v "$QTS_ROOT/test/proof.pl" || status=1
	make -s -C "$QTS_ROOT/test/kis_unit" -j"$(nproc)" all || return 1
	make -s -C "$QTS_ROOT/test/kis_unit" check QTS_CORPUS="${QTS_CORPUS:-}" >"$QTS_DIR/out/kis" 2>&1 || status=1
	for log in "$QTS_ROOT"/test/kis_unit/*_test.log; do
		cat "$log"
	done
	return $status
}

suite_sim() { make -s -C "$QTS_ROOT/test/kis_sim" check; }

suite_fuzz()
{
	local status=0
	make -s -C "$QTS_ROOT/test/fuzz" -j"$(nproc)" all || return 1
	make -s -C "$QTS_ROOT/test/fuzz" check SECONDS="${FUZZ_SECONDS:-10}" QTS_CORPUS="${QTS_CORPUS:-}" \
		>"$QTS_DIR/out/fuzz" 2>&1 || status=1
	sed 's/^fuzz_[a-z]*: Done/ok &/' "$QTS_DIR/out/fuzz"
	return $status
}

# A database of its own for each suite: what one leaves behind cannot help the next.
fresh_database()
{
	[ -d "$QTS_DIR/data" ] || { credentials '{"credentials": {}}' && cluster_start "qts.enabled = off" \
		"fsync = off" "qts.sim_clock = off" "max_connections = 60"; }
	sql postgres -c "DROP DATABASE IF EXISTS $QTS_DB" -c "CREATE DATABASE $QTS_DB"
}

# pg_regress_in PROGRAM INPUTDIR EXPECTEDDIR TEST...
pg_regress_in()
{
	local program=$1 input=$2 expected=$3 status=0
	local out=$QTS_DIR/out/${program##*/}
	shift 3
	fresh_database
	mkdir -p "$out/in"
	cp -r "$QTS_ROOT/$input/." "$out/in/"
	rm -rf "$out/in/expected"
	cp -r "$QTS_ROOT/$expected" "$out/in/expected"
	(cd "$out" && "$program" --inputdir="$out/in" --outputdir="$out" --bindir="$PG_BIN" \
		--host="$QTS_DIR" --port="$QTS_PORT" --user=postgres --dbname="$QTS_DB" --use-existing "$@") 2>&1 || status=1
	[ ! -f "$out/regression.diffs" ] || head -n 200 "$out/regression.diffs"
	return $status
}

names() { find "$1" -name "*.$2" -printf '%f\n' | sed "s/\\.$2\$//" | sort; }

suite_regress()
{
	# shellcheck disable=SC2046
	pg_regress_in "$PGXS_DIR/src/test/regress/pg_regress" test expected $(names "$QTS_ROOT/test/sql" sql)
}

suite_isolation()
{
	# shellcheck disable=SC2046
	pg_regress_in "$PGXS_DIR/src/test/isolation/pg_isolation_regress" test/isolation test/isolation/expected \
		$(names "$QTS_ROOT/test/isolation/specs" spec)
}

suite_pgtap()
{
	local status=0 file
	for file in "$QTS_ROOT"/test/pgtap/*.sql; do
		fresh_database
		echo "# ${file##*/}"
		sql "$QTS_DB" -v ON_ERROR_STOP=0 -f "$file" >"$QTS_DIR/out/pgtap" 2>&1 || status=1
		cat "$QTS_DIR/out/pgtap"
		# A script that stopped early has run fewer tests than it planned.
		[ "$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$QTS_DIR/out/pgtap")" = "$(grep -cE '^(not )?ok' "$QTS_DIR/out/pgtap")" ] ||
			{ echo "not ok - ${file##*/} did not run as planned"; status=1; }
	done
	return $status
}

# Real clusters need an unprivileged user, who may not reach the checkout.
suite_tap()
{
	local home=$QTS_DIR/tap
	compgen -G "$QTS_ROOT/test/t/*.pl" >/dev/null || { echo "not ok - test/t has no test"; return 1; }
	mkdir -p "$home/test/kis_sim" "$home/work/log"
	cp -r "$QTS_ROOT/test/t" "$home/test/"
	cp "$QTS_ROOT/test/kis_sim/kis_sim" "$home/test/kis_sim/"
	cp -r "$QTS_ROOT/sql" "$QTS_ROOT/qts.control" "$home/"
	if is_root; then
		chown -R "$SERVER_USER" "$home"
	fi
	# shellcheck disable=SC2046
	if ! as_server env -C "$home" PATH="$PG_BIN:$PATH" TESTDIR="$home/work" \
		TESTDATADIR="$home/work/tmp_check" TESTLOGDIR="$home/work/log" \
		PG_REGRESS="$PGXS_DIR/src/test/regress/pg_regress" QTS_KIS_SIM="$home/test/kis_sim/kis_sim" TMPDIR="$home/work" \
		prove -v -j"$(nproc)" -I "$home/test/t/lib" -I "$PGXS_DIR/src/test/perl" $(cd "$home" && ls test/t/*.pl) 2>&1; then
		said_last "$home/work"
		return 1
	fi
}

# Of tests that ended early: what they said before their servers were stopped.  prove does not show it.
said_last()
{
	find "$1" -name 'regress_log_*' -exec grep -l 'Looks like your test exited' {} + | while read -r log; do
		echo "# ${log##*/regress_log_} ended early:"
		awk '/^### Stopping node/ { last = NR } { line[NR] = $0 }
			END { for (i = last - 12; i < last; i++) if (i > 0) print "# " line[i] }' "$log"
	done
}

# A short fixed set of each tier, and a few bugs planted to see that they are found.
suite_chaos()
{
	local status=0 tier
	local seeds=(0 5000 300 10 4)
	for tier in 1 2 3 4; do
		[ ! -x "$QTS_ROOT/test/chaos/t$tier/run.sh" ] ||
			TAP=1 FROM=1 SEEDS=${seeds[tier]} JOBS=2 SEED='' "$QTS_ROOT/test/chaos/t$tier/run.sh" 2>&1 || status=1
	done
	TAP=1 LIMIT=2000 "$QTS_ROOT/test/chaos/mutants/run.sh" 02 03 17 2>&1 || status=1
	return $status
}

count() { grep -cE "$1" "$2" || true; }

# What went wrong: the failures with what follows them, then the end.
tell()
{
	grep -E -A12 '^not ok|^test .*\.\.\. FAILED' "$1" | head -n 100 || true
	echo "-- the end of the log:"
	grep -vE '^ok|\.\.\. ok ' "$1" | tail -n 60 || true
}

run_suite()
{
	local name=$1 log=$QTS_DIR/out/$1.log status=0 good bad started=$SECONDS
	say "$name ..."
	(set +e; "suite_$name") >"$log" 2>&1 || status=1
	good=$(($(count '^ok [^ ]' "$log") + $(count '^test .*\.\.\. ok' "$log")))
	bad=$(($(grep -E '^not ok [^ ]' "$log" | grep -vcE '# (TODO|SKIP)' || true) + $(count '^test .*\.\.\. FAILED' "$log")))
	[ $status = 0 ] || [ "$bad" -gt 0 ] || bad=1
	[ "$good" -gt 0 ] || [ "$bad" -gt 0 ] || bad=1
	passed=$((passed + good))
	failed=$((failed + bad))
	[ "$bad" = 0 ] || tell "$log"
	say "$name: $good passed, $bad failed, $((SECONDS - started)) s"
}

pg_find
PGXS_DIR=$(cd "$(dirname "$("$PG_CONFIG" --pgxs)")/../.." && pwd)
wanted=("${SUITES[@]}")
if [ -n "${SUITE:-}" ]; then
	[[ " ${SUITES[*]} " == *" $SUITE "* ]] || die "SUITE is one of ${SUITES[*]}"
	wanted=("$SUITE")
fi
workspace
say "building with -Werror"
QTS_CFLAGS=-Werror build_qts
build_sim
say "installing into the server of $PG_CONFIG"
install_qts
for suite in "${wanted[@]}"; do
	run_suite "$suite"
done
say "done"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
