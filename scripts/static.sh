#!/bin/bash
# What can be said of the sources without running them.  Ends with the number of
# kinds of complaint; no output of a check means that it found nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/deps.sh" check
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
cd "$QTS_ROOT"
pg_find
complaints=0

check() # WHAT COMMAND...: silent success, or the complaint
{
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		say "ok: $what"
	else
		complaints=$((complaints + 1))
		say "NOT OK: $what"
		printf '%s\n' "$out" | head -n 60
	fi
}

c_files() { find src bgworkers test -type f \( -name '*.c' -o -name '*.h' \) | sort; }

# none WHAT PATTERN FILE...: fails when a line matches
none()
{
	local pattern=$1
	shift
	[ $# -gt 0 ] || return 0
	! grep -nE "$pattern" "$@"
}

formatted() { c_files | xargs -r "$(have clang-format-14 && echo clang-format-14 || echo clang-format)" --dry-run -Werror; }

cppcheck_clean()
{
	local suppress=(--suppress=missingIncludeSystem --suppress=missingInclude --suppress=unusedFunction
		--suppress=normalCheckLevelMaxBranches --suppress=unknownMacro --inline-suppr
		# the comparison of its bsearch reads the key's one set member
		--suppress=uninitvar:src/db/exec_ledger.c '-Dpg_attribute_aligned(n)=' -DPG_VERSION_NUM=150000)
	cppcheck --quiet --error-exitcode=1 --enable=warning,portability --std=c11 -j "$(nproc)" \
		"${suppress[@]}" -Isrc -Ibgworkers src bgworkers test/kis_sim
}

# Each header alone: it includes what it uses.
self_contained()
{
	local header status=0 flags
	flags="-std=gnu11 -fsyntax-only -Wall -Werror -D_GNU_SOURCE -Isrc -Ibgworkers"
	for header in src/core/*.h src/kis/*.h src/naver/*.h; do
		# shellcheck disable=SC2086
		echo "#include \"${header#src/}\"" | gcc $flags -DQTS_STANDALONE -x c - || status=1
	done
	return $status
}

# ereport(ERROR...) tells a code: without one a client sees an internal error.
reports_have_codes()
{
	# shellcheck disable=SC2046
	perl -0777 -ne 'while (/ereport\s*\(\s*(?:ERROR|FATAL)\s*,(.*?)\);\n/sg) {
		my ($text, $at) = ($1, 1 + (substr($_, 0, $-[0]) =~ tr/\n//));
		next if $text =~ /errcode/;
		print "$ARGV:$at: no errcode\n"; $bad = 1 } END { exit($bad // 0) }' $(find src bgworkers -name '*.c')
}

# Secrets may be handled, never said.
secrets_unsaid()
{
	# shellcheck disable=SC2046
	perl -0777 -ne 'while (/\b(?:ereport|elog|qts_alert|qts_worker_detail)\s*\((.*?)\);\n/sg) {
		my ($text, $at) = ($1, 1 + (substr($_, 0, $-[0]) =~ tr/\n//));
		$text =~ s/"(?:[^"\\]|\\.)*"//g;
		next unless $text =~ /\b(?:app_key|app_secret|approval_key|access_token|aes_key|aes_iv)\b/;
		print "$ARGV:$at: a secret in a message\n"; $bad = 1 } END { exit($bad // 0) }' $(find src bgworkers -name '*.c')
}

unbounded() { ! grep -rnE --include='*.[ch]' '\b(strcat|sprintf|vsprintf|gets)\(' src bgworkers; }

sizes()
{
	c_files | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }'
}

# Each setting has its line in the docs, and no line is of a setting that is gone.
settings_documented()
{
	diff <(grep -oE '"qts\.[a-z_]+"' src/guc.c | tr -d '"' | sort -u) \
		<(grep -oE '^\| `qts\.[a-z_]+`' docs/settings.md | tr -d '|` ' | sort -u)
}

links_resolve()
{
	local file target status=0
	for file in README.md docs/*.md; do
		while read -r target; do
			[ -e "$(dirname "$file")/$target" ] || { echo "$file: $target"; status=1; }
		done < <(grep -oE '\]\([A-Za-z0-9_./-]+\)' "$file" | sed 's/^](//; s/)$//')
	done
	return $status
}

# One that no longer applies is a bug that nobody looks for any more.
mutants_apply()
{
	local patch status=0
	for patch in test/chaos/mutants/*.patch; do
		git apply --check "$patch" || status=1
	done
	return $status
}

scripts_clean() { shellcheck -x -e SC1091,SC2016 scripts/*.sh .ci/run; }

check "clang-format" formatted
check "cppcheck" cppcheck_clean
check "headers of core and kis stand alone" self_contained
check "core knows no server and no I/O" none '#include [<"](postgres|c\.h|stdio|unistd|time\.h|pthread|sys/|utils/|shm/|net/|kis/|db/)' \
	src/core/*.c src/core/*.h
check "kis does no I/O and knows no server" none '#include [<"](postgres|unistd|sys/|utils/|executor/|shm/|net/|db/)' \
	src/kis/*.c src/kis/*.h src/naver/*.c src/naver/*.h
check "the network knows no tables" none 'executor/spi\.h|SPI_' src/net/*.c src/net/*.h src/broker/*.c src/broker/*.h
check "shared memory knows no tables" none 'executor/spi\.h|SPI_' src/shm/*.c src/shm/*.h
check "errors carry a code" reports_have_codes
check "no secret in a message" secrets_unsaid
check "files of at most 600 lines" sizes
check "no unbounded string functions" unbounded
check "every setting is documented" settings_documented
check "links of the docs lead somewhere" links_resolve
check "planted bugs can be planted" mutants_apply
if have shellcheck; then
	check "shellcheck" scripts_clean
fi
say "$complaints complaints"
[ "$complaints" = 0 ]
