#!/bin/bash
# Installs the Debian packages that are missing: deps.sh demo|check|bench (each
# includes the one before).  Silent and quick when there is nothing to do.
set -euo pipefail

case "${1:-check}" in demo | check | bench) ;; *) echo "usage: $0 demo|check|bench" >&2; exit 2 ;; esac

# file or command that proves the presence, then the package
demo="gcc:gcc make:make pkg-config:pkg-config perl:perl /usr/lib/postgresql/15/bin/postgres:postgresql-15
dpkg:postgresql-server-dev-15
dpkg:libcurl4-openssl-dev dpkg:libwebsockets-dev dpkg:libjansson-dev dpkg:libssl-dev dpkg:zlib1g-dev"
check="dpkg:libipc-run-perl dpkg:libdbd-pg-perl dpkg:postgresql-15-pgtap dpkg:libtap-parser-sourcehandler-pgtap-perl
prove:perl curl:curl openssl:openssl cppcheck:cppcheck clang-format-14:clang-format-14 clang-14:clang-14
dpkg:libclang-rt-14-dev"
bench="redis-server:redis-server dpkg:libhiredis-dev"

is_present()
{
	case "$1" in
		dpkg) dpkg-query -W -f '${Status}' "$2" 2>/dev/null | grep -q 'ok installed' ;;
		/*) [ -e "$1" ] ;;
		*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

case "${1:-check}" in
	demo) wanted=$demo ;;
	check) wanted="$demo $check" ;;
	bench) wanted="$demo $check $bench" ;;
esac

missing=()
if command -v dpkg-query >/dev/null 2>&1; then
	for item in $wanted; do
		is_present "${item%%:*}" "${item#*:}" || missing+=("${item#*:}")
	done
else
	echo "qts: this is not Debian: the packages cannot be checked, going on" >&2
fi
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing ${missing[*]}"
run=()
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
		run=(sudo)
	else
		echo "qts: missing packages and no right to install them; run as root:" >&2
		echo "  apt-get install ${missing[*]}" >&2
		exit 1
	fi
fi

apt() { "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 "$@"; }
get() { apt install -y --no-install-recommends "$@"; }

install_all()
{
	# A fresh server package would make and start a cluster of its own.
	if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
		local conf=/etc/postgresql-common/createcluster.conf
		get postgresql-common || return 1
		grep -q '^ *create_main_cluster' $conf ||
			echo 'create_main_cluster = false' | "${run[@]}" tee -a $conf >/dev/null
	fi
	get "${missing[@]}"
}

install_all || { apt update && install_all; } ||
	{ echo "qts: the packages could not be installed: ${missing[*]}" >&2; exit 1; }
