/*-------------------------------------------------------------------------
 *
 * tick_copy.c
 *		A batch of ticks into market.prices_ticks, the way COPY does it.
 *
 * Pages are filled many rows at a time and logged once.  A plain batch goes
 * straight into its partition (tick_insert.c); any other through COPY's own
 * routine, which takes the rows from a callback in COPY's binary format:
 * partitions, CHECK constraints, indexes and triggers are what they are for
 * any COPY.  The privilege is looked at here, because both leave it to their
 * caller.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/copy.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "core/price.h"
#include "db/tick_copy.h"
#include "db/tick_insert.h"

/* In the order of the stream. */
static const char *const columns[] = {"recv_ts",   "seq",		"symbol", "source",		 "last_price",
									  "bid_price", "ask_price", "volume", "acml_volume", "exch_ts"};

static const char signature[] = "PGCOPY\n\377\r\n"; /* its end is part of it */

/* The stream under way: COPY's callback has no argument of its own. */
static const char *copy_at;
static const char *copy_end;

static int
copy_read(void *out, int least, int most)
{
	int n = (int) Min((ptrdiff_t) most, copy_end - copy_at);

	memcpy(out, copy_at, n);
	copy_at += n;
	return n;
}

static inline void
put_null(StringInfo to)
{
	pq_writeint32(to, (uint32) -1);
}

static inline void
put_int64(StringInfo to, int64 value)
{
	pq_writeint32(to, sizeof(int64));
	pq_writeint64(to, (uint64) value);
}

static inline void
put_text(StringInfo to, const char *value)
{
	int length = (int) strlen(value);

	pq_writeint32(to, (uint32) length);
	memcpy(to->data + to->len, value, length);
	to->len += length;
}

static inline void
put_int64_or_null(StringInfo to, int64 value, int64 null)
{
	if (value == null)
		put_null(to);
	else
		put_int64(to, value);
}

static void
put_tick(StringInfo to, const QtsTick *tick, int64 seq)
{
	pq_writeint16(to, lengthof(columns));
	put_int64(to, tick->recv_at);
	put_int64(to, seq);
	put_text(to, tick->symbol);
	put_text(to, qts_source_name(tick->source));
	put_int64(to, tick->price);
	put_int64_or_null(to, tick->bid, 0);
	put_int64_or_null(to, tick->ask, 0);
	put_int64(to, tick->volume);
	put_int64(to, tick->acml_volume);
	put_int64_or_null(to, tick->exch_at, QTS_TIME_NONE);
}

static void
ticks_stream(StringInfo to, const QtsTick *ticks, int n, int64 first_seq)
{
	/* the widest row: eight numbers, a symbol, a source */
	const int row = 2 + 10 * 4 + 8 * 8 + QTS_SYMBOL_LEN + 16;

	initStringInfo(to);
	enlargeStringInfo(to, sizeof(signature) + 10 + row * n);
	memcpy(to->data, signature, sizeof(signature));
	to->len = sizeof(signature);
	pq_writeint32(to, 0); /* flags */
	pq_writeint32(to, 0); /* no extension of the header */
	for (int i = 0; i < n; i++)
		put_tick(to, &ticks[i], first_seq + i);
	pq_writeint16(to, (uint16) -1);
}

static Relation
ticks_open(void)
{
	Relation rel = table_openrv(makeRangeVar("market", "prices_ticks", -1), RowExclusiveLock);
	AclResult may = pg_class_aclcheck(RelationGetRelid(rel), GetUserId(), ACL_INSERT);

	if (may != ACLCHECK_OK)
		aclcheck_error(may, OBJECT_TABLE, RelationGetRelationName(rel));
	if (check_enable_rls(RelationGetRelid(rel), InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("market.prices_ticks cannot have row-level security"),
				 errhint("Switch it off: ALTER TABLE market.prices_ticks DISABLE ROW LEVEL SECURITY.")));
	return rel;
}

/* COPY's own routine reads the rows as a stream. */
static void
ticks_copy(Relation rel, const QtsTick *ticks, int n, int64 first_seq)
{
	List *names = NIL;
	List *options = list_make1(makeDefElem("format", (Node *) makeString("binary"), -1));
	ParseState *pstate = make_parsestate(NULL);
	StringInfoData stream;
	CopyFromState copy;

	for (int i = 0; i < (int) lengthof(columns); i++)
		names = lappend(names, makeString(pstrdup(columns[i])));
	ticks_stream(&stream, ticks, n, first_seq);
	copy_at = stream.data;
	copy_end = stream.data + stream.len;
	(void) addRangeTableEntryForRelation(pstate, rel, RowExclusiveLock, NULL, false, false);
	copy = BeginCopyFrom(pstate, rel, NULL, NULL, false, copy_read, names, options);
	(void) CopyFrom(copy);
	EndCopyFrom(copy);
	free_parsestate(pstate);
	pfree(stream.data);
}

void
qts_ticks_copy(const QtsTick *ticks, int n, int64 first_seq)
{
	Relation rel;

	if (n == 0)
		return;
	rel = ticks_open();
	if (!qts_ticks_insert(rel, ticks, n, first_seq))
		ticks_copy(rel, ticks, n, first_seq);
	table_close(rel, NoLock);
}
