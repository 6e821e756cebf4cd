/*-------------------------------------------------------------------------
 *
 * tick_insert.c
 *		A batch of ticks of one day straight into its partition.
 *
 * What COPY does, without what it cannot know: that all rows go to one
 * partition, which is looked for once, and that every value is of its type
 * already.  CHECK constraints and indexes are those of any insert.  A table
 * that somebody gave triggers, columns or other types is COPY's, which can do
 * all of it.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"

#include "core/price.h"
#include "db/tick_insert.h"

#define CHUNK 1000 /* rows of one insertion: as COPY */

enum
{
	COL_RECV_TS,
	COL_SEQ,
	COL_SYMBOL,
	COL_SOURCE,
	COL_LAST_PRICE,
	COL_BID_PRICE,
	COL_ASK_PRICE,
	COL_VOLUME,
	COL_ACML_VOLUME,
	COL_EXCH_TS,
	COLUMNS
};

static const struct
{
	const char *name;
	Oid type;
} columns[COLUMNS] = {
	[COL_RECV_TS] = {"recv_ts", TIMESTAMPTZOID},  [COL_SEQ] = {"seq", INT8OID},
	[COL_SYMBOL] = {"symbol", TEXTOID},			  [COL_SOURCE] = {"source", TEXTOID},
	[COL_LAST_PRICE] = {"last_price", INT8OID},	  [COL_BID_PRICE] = {"bid_price", INT8OID},
	[COL_ASK_PRICE] = {"ask_price", INT8OID},	  [COL_VOLUME] = {"volume", INT8OID},
	[COL_ACML_VOLUME] = {"acml_volume", INT8OID}, [COL_EXCH_TS] = {"exch_ts", TIMESTAMPTZOID},
};

/* The executor's state for one batch, as COPY sets it up. */
typedef struct Insert
{
	EState *estate;
	ResultRelInfo *root;
	ModifyTableState *mtstate;
	PartitionTupleRouting *routing;
	ResultRelInfo *leaf;
	int at[COLUMNS]; /* place of each column in the leaf */
	Datum source[QTS_SOURCE_COUNT];
} Insert;

static bool
has_insert_triggers(const TriggerDesc *triggers)
{
	return triggers != NULL && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
								triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
								triggers->trig_insert_after_statement || triggers->trig_insert_new_table);
}

/* Our columns and no others, wherever they are; at may be NULL. */
static bool
columns_plain(TupleDesc desc, int *at)
{
	int found = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		int c = 0;

		if (column->attisdropped)
			return false;
		while (c < COLUMNS && strcmp(columns[c].name, NameStr(column->attname)) != 0)
			c++;
		if (c == COLUMNS || columns[c].type != column->atttypid || column->attgenerated != '\0')
			return false;
		at[c] = i;
		found++;
	}
	return found == COLUMNS;
}

static void
insert_open(Insert *insert, Relation parent)
{
	ParseState *pstate = make_parsestate(NULL);

	insert->estate = CreateExecutorState();
	(void) addRangeTableEntryForRelation(pstate, parent, RowExclusiveLock, NULL, false, false);
	qts_init_range_table(insert->estate, pstate);
	insert->root = makeNode(ResultRelInfo);
	ExecInitResultRelation(insert->estate, insert->root, 1);
	insert->mtstate = makeNode(ModifyTableState);
	insert->mtstate->ps.state = insert->estate;
	insert->mtstate->operation = CMD_INSERT;
	insert->mtstate->mt_nrels = 1;
	insert->mtstate->resultRelInfo = insert->mtstate->rootResultRelInfo = insert->root;
	insert->routing = ExecSetupPartitionTupleRouting(insert->estate, parent);
	free_parsestate(pstate);
}

static void
insert_close(Insert *insert)
{
	ExecCleanupTupleRouting(insert->mtstate, insert->routing);
	ExecCloseResultRelations(insert->estate);
	ExecCloseRangeTableRelations(insert->estate);
	FreeExecutorState(insert->estate);
}

/* Opens, locks and checks it; an error when there is none. */
static ResultRelInfo *
leaf_of(Insert *insert, TupleTableSlot *slot, int recv_ts, TimestampTz at)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	slot->tts_values[recv_ts] = TimestampTzGetDatum(at);
	slot->tts_isnull[recv_ts] = false;
	ExecStoreVirtualTuple(slot);
	return ExecFindPartition(insert->mtstate, insert->root, insert->routing, slot, insert->estate);
}

/* A range of time is one piece: where the first and the last go all of them go. */
static bool
find_leaf(Insert *insert, Relation parent, const QtsTick *ticks, int n)
{
	TimestampTz first = ticks[0].recv_at;
	TimestampTz last = ticks[0].recv_at;
	TupleTableSlot *slot;
	int at[COLUMNS];

	if (!columns_plain(RelationGetDescr(parent), at))
		return false;
	for (int i = 1; i < n; i++)
	{
		first = Min(first, ticks[i].recv_at);
		last = Max(last, ticks[i].recv_at);
	}
	slot = MakeTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(parent)), &TTSOpsVirtual);
	insert->leaf = leaf_of(insert, slot, at[COL_RECV_TS], first);
	if (leaf_of(insert, slot, at[COL_RECV_TS], last) != insert->leaf)
		return false;
	return insert->leaf->ri_FdwRoutine == NULL && !has_insert_triggers(insert->leaf->ri_TrigDesc) &&
		   columns_plain(RelationGetDescr(insert->leaf->ri_RelationDesc), insert->at);
}

static inline void
set(const Insert *insert, TupleTableSlot *slot, int column, Datum value)
{
	slot->tts_values[insert->at[column]] = value;
	slot->tts_isnull[insert->at[column]] = false;
}

static inline void
set_or_null(const Insert *insert, TupleTableSlot *slot, int column, int64 value, int64 null)
{
	slot->tts_values[insert->at[column]] = Int64GetDatum(value);
	slot->tts_isnull[insert->at[column]] = value == null;
}

static void
fill(const Insert *insert, TupleTableSlot *slot, const QtsTick *tick, int64 seq, char *symbol)
{
	size_t length = strlen(tick->symbol);

	ExecClearTuple(slot);
	SET_VARSIZE_SHORT(symbol, VARHDRSZ_SHORT + length);
	memcpy(VARDATA_SHORT(symbol), tick->symbol, length);
	set(insert, slot, COL_RECV_TS, TimestampTzGetDatum(tick->recv_at));
	set(insert, slot, COL_SEQ, Int64GetDatum(seq));
	set(insert, slot, COL_SYMBOL, PointerGetDatum(symbol));
	set(insert, slot, COL_SOURCE, insert->source[tick->source]);
	set(insert, slot, COL_LAST_PRICE, Int64GetDatum(tick->price));
	set_or_null(insert, slot, COL_BID_PRICE, tick->bid, 0);
	set_or_null(insert, slot, COL_ASK_PRICE, tick->ask, 0);
	set(insert, slot, COL_VOLUME, Int64GetDatum(tick->volume));
	set(insert, slot, COL_ACML_VOLUME, Int64GetDatum(tick->acml_volume));
	set_or_null(insert, slot, COL_EXCH_TS, tick->exch_at, QTS_TIME_NONE);
	ExecStoreVirtualTuple(slot);
}

static void
insert_rows(Insert *insert, const QtsTick *ticks, int n, int64 first_seq)
{
	Relation leaf = insert->leaf->ri_RelationDesc;
	/* without a count of who uses it: that is kept per slot, and dearer than the rest of one */
	TupleDesc desc = CreateTupleDescCopy(RelationGetDescr(leaf));
	int nslots = Min(n, CHUNK);
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * nslots);
	char(*symbols)[QTS_SYMBOL_LEN + 1] = palloc(sizeof(*symbols) * nslots);
	BulkInsertState bulk = GetBulkInsertState();
	CommandId cid = GetCurrentCommandId(true);

	for (int i = 0; i < nslots; i++)
	{
		slots[i] = MakeTupleTableSlot(desc, &TTSOpsVirtual);
		slots[i]->tts_tableOid = RelationGetRelid(leaf);
	}
	for (int from = 0; from < n; from += nslots)
	{
		int count = Min(nslots, n - from);

		for (int i = 0; i < count; i++)
		{
			fill(insert, slots[i], &ticks[from + i], first_seq + from + i, symbols[i]);
			ExecConstraints(insert->leaf, slots[i], insert->estate);
			ResetPerTupleExprContext(insert->estate);
		}
		table_multi_insert(leaf, slots, count, cid, 0, bulk);
		for (int i = 0; i < count && insert->leaf->ri_NumIndices > 0; i++)
		{
			list_free(qts_insert_index_tuples(insert->leaf, slots[i], insert->estate));
			ResetPerTupleExprContext(insert->estate);
		}
	}
	FreeBulkInsertState(bulk);
	table_finish_bulk_insert(leaf, 0);
}

bool
qts_ticks_insert(Relation parent, const QtsTick *ticks, int n, int64 first_seq)
{
	MemoryContext old = CurrentMemoryContext;
	Insert insert = {0};
	bool plain;

	if (parent->rd_rel->relkind != RELKIND_PARTITIONED_TABLE || has_insert_triggers(parent->trigdesc))
		return false;
	insert_open(&insert, parent);
	MemoryContextSwitchTo(insert.estate->es_query_cxt);
	for (int s = 0; s < QTS_SOURCE_COUNT; s++)
		insert.source[s] = CStringGetTextDatum(qts_source_name((QtsSource) s));
	plain = find_leaf(&insert, parent, ticks, n);
	if (plain)
		insert_rows(&insert, ticks, n, first_seq);
	MemoryContextSwitchTo(old);
	insert_close(&insert);
	return plain;
}
