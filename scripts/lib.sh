# shellcheck shell=bash disable=SC2034
# Shared by the scripts beside it; sourced, never run.
#
# Owns one temporary directory with a private cluster and simulators, and removes
# all of it on exit.  Touches no other cluster.  Only processes whose pids it
# remembers are ended.

set -euo pipefail

QTS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
QTS_DB=trading
QTS_PORT=5432
QTS_DIR=
QTS_SIM_PIDS=()
QTS_STARTED=$SECONDS

# Settings of the caller's shell must not lead psql to another cluster.
unset PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGSERVICE PGOPTIONS PGDATA PSQLRC
export LC_MESSAGES=C
# What was given to make is for the script, not for the makes it calls.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

say() { printf '[%4ds] %s\n' $((SECONDS - QTS_STARTED)) "$*"; }
die() { printf 'qts: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# Root through sudo; fails when there is neither.
as_root()
{
	if is_root; then
		"$@"
	elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		sudo "$@"
	else
		return 1
	fi
}

# Sets PG_CONFIG, PG_BIN and SERVER_USER.
pg_find()
{
	local preferred=/usr/lib/postgresql/15/bin/pg_config

	if [ -z "${PG_CONFIG:-}" ] || ! have "$PG_CONFIG"; then
		PG_CONFIG=pg_config
		[ ! -x "$preferred" ] || PG_CONFIG=$preferred
	fi
	have "$PG_CONFIG" || die "pg_config is missing: run 'make deps'"
	export PG_CONFIG
	PG_BIN=$("$PG_CONFIG" --bindir)
	[ -x "$PG_BIN/initdb" ] || die "no server in $PG_BIN: run 'make deps'"
	SERVER_USER=$(id -un)
	if is_root; then # the server refuses to run as root
		SERVER_USER=nobody
		! id postgres >/dev/null 2>&1 || SERVER_USER=postgres
	fi
}

as_server()
{
	if is_root; then
		(cd / && exec runuser -u "$SERVER_USER" -- "$@")
	else
		(cd / && exec "$@")
	fi
}

# Runs quietly, and shows what it said when it fails.
quietly()
{
	local log
	log=$(mktemp)
	if ! "$@" >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

build_qts()
{
	quietly make -C "$QTS_ROOT" -j"$(nproc)" all QTS_CFLAGS="${QTS_CFLAGS:-}" || die "the build failed"
}

is_installed()
{
	local share file
	share=$("$PG_CONFIG" --sharedir)/extension
	cmp -s "$QTS_ROOT/qts.so" "$("$PG_CONFIG" --pkglibdir)/qts.so" || return 1
	cmp -s "$QTS_ROOT/qts.control" "$share/qts.control" || return 1
	for file in "$QTS_ROOT"/sql/qts--*.sql; do
		cmp -s "$file" "$share/${file##*/}" || return 1
	done
}

# PostgreSQL 15 finds extensions in its own directories only.
install_qts()
{
	local target
	target=$("$PG_CONFIG" --pkglibdir)
	if is_installed; then
		return
	elif [ -w "$target" ] && [ -w "$("$PG_CONFIG" --sharedir)/extension" ]; then
		quietly make -C "$QTS_ROOT" install || die "the installation failed"
	else
		as_root make -s -C "$QTS_ROOT" install PG_CONFIG="$PG_CONFIG" >/dev/null ||
			die "$target is not writable and sudo is not available: run 'make install' as root once"
	fi
}

build_sim()
{
	quietly make -C "$QTS_ROOT/test/kis_sim" -j"$(nproc)" || die "the simulator's build failed"
}

cleanup()
{
	local status=$? pid data

	trap - EXIT INT TERM HUP
	set +e
	for pid in "${QTS_SIM_PIDS[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for data in "${QTS_DIR:-/nonexistent}"/data*; do # a standby beside it too
		[ ! -f "$data/postmaster.pid" ] ||
			as_server "$PG_BIN/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1
	done
	[ -z "$QTS_DIR" ] || rm -rf "$QTS_DIR"
	exit "$status"
}

# The directory is the server's alone: its socket trusts whoever can reach it.
workspace()
{
	QTS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/qts.XXXXXX")
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir "$QTS_DIR/out"
	if is_root; then
		chown "$SERVER_USER" "$QTS_DIR"
	fi
}

# credentials [json]: the file the engine reads its keys from
credentials()
{
	printf '%s\n' "$1" >"$QTS_DIR/credentials.json"
	chmod 600 "$QTS_DIR/credentials.json"
	if is_root; then
		chown "$SERVER_USER" "$QTS_DIR/credentials.json"
	fi
}

# cluster_start [setting...]: a private cluster with the extension preloaded
cluster_start()
{
	quietly as_server "$PG_BIN/initdb" -D "$QTS_DIR/data" -U postgres -A trust -E UTF8 --locale=C \
		--no-sync || die "initdb failed"
	{
		printf '%s\n' "port = $QTS_PORT" "unix_socket_directories = '$QTS_DIR'" \
			"listen_addresses = ''" "shared_preload_libraries = 'qts'" "max_worker_processes = 16" \
			"qts.database = '$QTS_DB'" "qts.sim_clock = on" "qts.reference_data = off" \
			"qts.credentials_file = '$QTS_DIR/credentials.json'" "log_min_messages = info" "$@"
	} >>"$QTS_DIR/data/postgresql.conf"
	if ! as_server "$PG_BIN/pg_ctl" -D "$QTS_DIR/data" -l "$QTS_DIR/log" -w -t 60 start >/dev/null; then
		cat "$QTS_DIR/log" >&2
		die "the private cluster did not start"
	fi
	sql postgres -c "CREATE DATABASE $QTS_DB"
}

# sql DATABASE [psql options]
sql()
{
	local database=$1
	shift
	"$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$QTS_DIR" -p "$QTS_PORT" -U postgres "$@" "$database"
}

# sim_start [options]: sets SIM_REST, SIM_WS and SIM_CONTROL
sim_start()
{
	local ready fd
	# A session of its own: Ctrl-C is for the script, which then ends it.
	exec {fd}< <(exec setsid "$QTS_ROOT/test/kis_sim/kis_sim" "$@" 2>>"$QTS_DIR/sim.log")
	read -r -t 20 ready <&"$fd" || die "the simulator did not start: $(cat "$QTS_DIR/sim.log")"
	exec {fd}<&-
	QTS_SIM_PIDS+=("$(number pid "$ready")")
	SIM_REST=$(number rest "$ready")
	SIM_WS=$(number ws "$ready")
	SIM_CONTROL=$(number control "$ready")
}

# number KEY JSON
number() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" <<<"$2"; }

# points_server DIR: below it a server of its own whose extension has named points
# (src/shm/point.h); sets PG_BIN to its programs.  Objects are kept in .build.
points_server()
{
	local build=$QTS_ROOT/.build/points root=$1 lib share
	lib=$("$PG_CONFIG" --pkglibdir)
	share=$("$PG_CONFIG" --sharedir)
	mkdir -p "$build" "$root"
	(
		cd "$QTS_ROOT"
		find src bgworkers sql/parts -type f \( -name '*.[ch]' -o -name '*.sql' -o -name '*.map' \) | sort >"$build/list.new"
		# a source that is gone must not be compiled again
		cmp -s "$build/list" "$build/list.new" || rm -rf "$build/tree"
		mv "$build/list.new" "$build/list"
		mkdir -p "$build/tree"
		tar -cf - -T "$build/list" qts.control META.json build.mk | tar -xf - -C "$build/tree"
	)
	quietly make -C "$build/tree" -f build.mk -j"$(nproc)" all PG_CONFIG="$PG_CONFIG" \
		QTS_CFLAGS="-Werror -DQTS_POINTS" || die "the build with points failed"
	# A server finds its files from the place of its program.
	cp -r --parents "$PG_BIN" "$lib" "$share" "$root"
	cp "$build/tree/qts.so" "$root$lib/"
	cp "$build/tree"/sql/qts--*.sql "$build/tree/qts.control" "$root$share/extension/"
	chmod -R a+rX "$root"
	PG_BIN=$root$PG_BIN
}
