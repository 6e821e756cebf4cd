#!/bin/bash
# Runs the SQL suites and a short demo in a server built with address and
# undefined-behaviour sanitizers.  The packaged server cannot be used: its start
# hangs with the sanitizer preloaded.
#
#   ASAN_DIR=dir   keeps the built server (default: a directory in /var/tmp)
#   PG_SOURCE=dir  source tree of PostgreSQL 15; otherwise apt-get source fetches it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/deps.sh" check
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

base=${ASAN_DIR:-${TMPDIR:-/var/tmp}/qts-asan-$(id -u)}
reports=$base/reports
flags="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize=alignment,nonnull-attribute"
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1

# Package lists of its own, from the machine's sources: its configuration stays as it is.
fetch_source()
{
	local apt=(apt-get -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$base/apt/sources"
		-o "Dir::State::Lists=$base/apt/lists" -o "Dir::Cache=$base/apt/cache") file
	mkdir -p "$base/apt/sources" "$base/apt/lists/partial" "$base/apt/cache/archives/partial" "$base/source"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$file" ] || sed 's/^Types: deb$/Types: deb-src/; s/^deb /deb-src /' "$file" >"$base/apt/sources/${file##*/}"
	done
	[ ! -f "$base/apt/sources/sources.list" ] || mv "$base/apt/sources/sources.list" "$base/apt/sources/main.list"
	quietly "${apt[@]}" update || die "no package lists"
	(cd "$base/source" && quietly "${apt[@]}" source --download-only --tar-only postgresql-15) ||
		(cd "$base/source" && quietly "${apt[@]}" source --download-only --tar-only \
			"postgresql-15=$("${apt[@]/#apt-get/apt-cache}" showsrc postgresql-15 | awk '/^Version:/ { print $2 }' | sort -V | head -n 1)") ||
		die "no source of postgresql-15"
	tar -C "$base/source" --strip-components=1 -xf "$base"/source/postgresql-15_*.orig.tar.*
}

build_server()
{
	[ ! -x "$base/server/bin/postgres" ] || return 0
	mkdir -p "$base"
	if [ -n "${PG_SOURCE:-}" ]; then
		cp -r "$PG_SOURCE" "$base/source"
	else
		say "fetching the source of the server"
		fetch_source
	fi
	say "building a server with sanitizers (some minutes)"
	cd "$base/source"
	quietly ./configure --prefix="$base/server" --enable-cassert --enable-debug --with-openssl --without-readline \
		CC=gcc CFLAGS="$flags -fno-sanitize-recover=undefined" LDFLAGS="-fsanitize=address,undefined" ||
		die "configure failed"
	quietly make -s -j"$(nproc)" install || die "the server's build failed"
	cd "$QTS_ROOT"
}

build_server
say "copying the sources"
rm -rf "$base/qts" "$reports"
mkdir -p "$base/qts" "$reports"
chmod 777 "$reports"
(cd "$QTS_ROOT" && find . -type f -not -path './.git/*' -not -path './.build/*' -not -name '*.o' -not -name '*.so' -print0 |
	tar --null -T - -cf -) | tar -C "$base/qts" -xf -
rm -f "$base/qts/test/kis_sim/kis_sim"

export PG_CONFIG=$base/server/bin/pg_config
export ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$reports/asan UBSAN_OPTIONS=$UBSAN_OPTIONS:log_path=$reports/ubsan
status=0
for suite in regress isolation; do
	SUITE=$suite "$base/qts/scripts/check.sh" || status=1
done
DEMO_SECONDS=${DEMO_SECONDS:-60} "$base/qts/scripts/demo.sh" </dev/null || status=1
for report in "$reports"/*; do
	[ -e "$report" ] || continue
	status=1
	say "report ${report##*/}"
	head -n 60 "$report"
done
if [ $status = 0 ]; then
	say "no complaint of the sanitizers"
else
	say "NOT OK"
fi
exit $status
