#!/bin/bash
# Writes docs/reference.md from the comments of a freshly installed extension.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/deps.sh" demo
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
pg_find
build_qts
install_qts
workspace
credentials '{"credentials": {}}'
cluster_start "qts.enabled = off" "fsync = off"
sql "$QTS_DB" -c 'CREATE EXTENSION qts' >/dev/null

functions() # WHERE
{
	sql "$QTS_DB" <<-SQL
	SELECT format(E'### %I.%I\n\n\`\`\`\n%s(%s)%s\n\`\`\`\n\n%s.\n', n.nspname, p.proname, p.proname,
		regexp_replace(pg_get_function_arguments(p.oid), '(, )?OUT .*$', ''),
		coalesce(E'\nreturns ' || nullif(pg_get_function_result(p.oid), 'void'), ''),
		coalesce(rtrim(obj_description(p.oid, 'pg_proc'), '.'), 'Not described'))
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE n.nspname = 'qts' AND p.prokind = 'f' AND $1 ORDER BY p.proname, p.oid;
	SQL
}

relations() # SCHEMA KINDS
{
	sql "$QTS_DB" <<-SQL
	SELECT format(E'### %I.%I\n\n%s.\n\n| column | type | |\n|---|---|---|\n%s\n', n.nspname, c.relname,
		coalesce(rtrim(obj_description(c.oid, 'pg_class'), '.'), 'Not described'),
		(SELECT string_agg(format('| %s | %s | %s |', a.attname, replace(format_type(a.atttypid, a.atttypmod), '|', '\|'),
			coalesce(replace(col_description(c.oid, a.attnum), '|', '\|'), '')), E'\n' ORDER BY a.attnum)
			FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = '$1' AND c.relkind IN ($2) AND NOT c.relispartition ORDER BY c.relname;
	SQL
}

{
	echo "# Reference"
	echo
	echo "Made by \`scripts/reference.sh\` from the comments in the database; do not edit. \`SELECT * FROM qts.help()\`"
	echo "shows the functions in psql. Settings are in [settings.md](settings.md)."
	printf '\n## Functions\n\n'
	functions "p.proname NOT LIKE '\\_%'"
	printf '\n## Views\n\n'
	relations qts "'v'"
	for schema in trade market system; do
		printf '\n## Tables of schema %s\n\n' "$schema"
		relations "$schema" "'r', 'p'"
	done
} >"$QTS_DIR/out/reference.md"
cp "$QTS_DIR/out/reference.md" "$QTS_ROOT/docs/reference.md"
say "docs/reference.md: $(wc -l <"$QTS_ROOT/docs/reference.md") lines"
