/*-------------------------------------------------------------------------
 *
 * exec_ledger.c
 *		The day's order ledger: the arbiter of every fill and every end.
 *
 * One row per order, cumulative (kis-api 3.6, 3.9).  What a row says of an
 * order is stored with its page.  What only the whole list tells, which order
 * an unanswered one became, which is somebody else's and which is missing,
 * waits for the last page; until then only rows of no order here and the
 * numbers of live orders are kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "db/exec.h"
#include "db/stmt.h"
#include "db/txn.h"
#include "errcodes.h"
#include "shm/point.h"
#include "shm/shm.h"

#define CONFIRM_BATCH 500
/* same-day orders may appear late (kis-api 3.6) */
#define LEDGER_LAG (2 * QTS_SEC)

static QtsStmt ledger_seen = {
	"UPDATE trade.orders SET ledger_ts = $2 WHERE order_uid = $1", 2, {UUIDOID, TIMESTAMPTZOID}};

static QtsStmt confirm_orders = {
	"UPDATE trade.orders o SET ledger_qty = c.qty, ledger_amount = c.amount, ledger_ts = $4"
	" FROM unnest($1::uuid[], $2::int8[], $3::int8[]) c (order_uid, qty, amount) WHERE o.order_uid = c.order_uid",
	4,
	{UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID}};

static QtsStmt page_orders = {
	"SELECT broker_order_no, order_uid, status, coalesce(cancel_state IN ('UNKNOWN', 'REFUSED'), false) AND status IN ('SUBMITTED', 'PARTIAL')"
	" AND cancel_attempts < " CppAsString2(
		QTS_CANCEL_ATTEMPTS) ", ledger_qty, ledger_amount, filled_qty, origin = 'AUTO', updated_ts,"
							 " error_code IS NOT DISTINCT FROM 'FILL_DISPUTE' FROM trade.orders"
							 " WHERE account_id = $1 AND trade_date = $2 AND broker_order_no = ANY ($3)",
	3,
	{TEXTOID, DATEOID, TEXTARRAYOID}};

static QtsStmt live_orders = {
	"SELECT order_uid, broker_order_no, acked_ts FROM trade.orders WHERE account_id = $1 AND trade_date = $2"
	" AND status IN ('PENDING_SUBMIT', 'UNKNOWN', 'SUBMITTED', 'PARTIAL') AND broker_order_no IS NOT NULL"
	" AND origin = 'AUTO'",
	2,
	{TEXTOID, DATEOID}};

static QtsStmt dispute_position = {
	"UPDATE trade.positions SET quarantine_reason = $2 WHERE position_id = $1 AND quarantine_reason IS NULL",
	2,
	{UUIDOID, TEXTOID}};

static QtsStmt dispute_order = {
	"UPDATE trade.orders SET error_code = 'FILL_DISPUTE', error_message = $2 WHERE order_uid = $1",
	2,
	{UUIDOID, TEXTOID}};

static void
row_dispute(const QtsOrderRow *row)
{
	Datum args[2] = {qts_uuid(&row->position_id),
					 qts_text("the broker's ledger denies what notices told of an order")};
	Datum once[2] = {qts_uuid(&row->order_uid), args[1]};

	if (!qts_uuid_is_null(&row->position_id))
		qts_stmt_run(&dispute_position, args, NULL);
	qts_stmt_run(&dispute_order, once, NULL);
	qts_alert("CRITICAL", "FILL_DISPUTE", row->symbol,
			  "Compare the day's orders at the broker; the symbol's exits hold until then.",
			  "order %s of %s is %s here with " INT64_FORMAT " filled; the ledger shows " INT64_FORMAT
			  " and denies it",
			  row->odno, row->symbol, qts_order_status_name(row->life.status), row->life.book.booked_qty,
			  row->life.book.ledger_qty);
}

void
qts_exec_ledger_row(QtsOrderRow *row, const QtsLedgerRow *seen, bool session_over, TimestampTz now)
{
	QtsLedgerSeen facts = {.filled = seen->filled,
						   .amount = seen->amount,
						   .remaining = seen->remaining,
						   .cancelled = seen->cancelled};
	QtsFillStep step = qts_life_ledger(&row->life, &facts, session_over);
	Datum args[2] = {qts_uuid(&row->order_uid), TimestampTzGetDatum(now)};
	char key[64];

	snprintf(key, sizeof(key), "rest:" INT64_FORMAT, row->life.book.booked_qty);
	qts_exec_book(row, &step, "REST_DELTA", key, now);
	if (step.dispute)
		row_dispute(row);
	qts_exec_store_order(row, now);
	qts_stmt_run(&ledger_seen, args, NULL);
}

/* A list of which more pages are to come; in a context of its own. */
typedef struct LedgerRead
{
	MemoryContext cxt;
	char account[12];
	QtsDate date;
	int pages; /* taken so far */
	QtsLedgerRest rest;
	int room;
	int listed_room;
	struct LedgerRead *next;
} LedgerRead;

static LedgerRead *reads; /* one of each account at most */

/* An order we have, to see at a glance whether its row says something new. */
typedef struct KnownOrder
{
	char odno[QTS_ODNO_LEN + 1];
	pg_uuid_t order_uid;
	bool settled;
	bool cancel_open;
	QtsQty ledger_qty;
	QtsKrw ledger_amount;
	QtsQty filled;
	bool own;
	QtsOrderStatus status;
	TimestampTz changed;
	bool disputed; /* said so already */
} KnownOrder;

/* The rows at hand and what becomes of them. */
typedef struct LedgerTake
{
	LedgerRead *read;
	QtsTime asked_at;
	bool trusted;
	bool session_over;
	TimestampTz now;
	bool last; /* rows of no order here are somebody else's */
	bool changed;
} LedgerTake;

static void
read_drop(LedgerRead *read)
{
	LedgerRead **link = &reads;

	while (*link != read)
		link = &(*link)->next;
	*link = read->next;
	MemoryContextDelete(read->cxt);
}

/* The read a page belongs to; its first page begins it. */
static LedgerRead *
read_of(const char *account, QtsDate date, int page)
{
	LedgerRead *read = reads;
	MemoryContext cxt;

	while (read != NULL && strcmp(read->account, account) != 0)
		read = read->next;
	if (page > 0)
	{
		if (read == NULL || read->date != date || read->pages != page)
			ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL), errmsg("a page of a ledger is missing")));
		return read;
	}
	if (read != NULL)
		read_drop(read);
	cxt = AllocSetContextCreate(TopMemoryContext, "qts ledger", ALLOCSET_SMALL_SIZES);
	read = MemoryContextAllocZero(cxt, sizeof(LedgerRead));
	read->cxt = cxt;
	strlcpy(read->account, account, sizeof(read->account));
	read->date = date;
	read->next = reads;
	reads = read;
	return read;
}

void
qts_exec_ledger_forget(void)
{
	while (reads != NULL)
		read_drop(reads);
}

/* Room for one more at the end. */
static void *
read_grow(const LedgerRead *read, void *all, int count, int *room, size_t size)
{
	if (count < *room)
		return all;
	*room = Max(64, *room * 2);
	return all == NULL ? MemoryContextAllocHuge(read->cxt, *room * size) : repalloc_huge(all, *room * size);
}

static void
read_keep(LedgerRead *read, const QtsLedgerRow *seen)
{
	/* a cancel has a row too, of nothing: it is nobody's order */
	if (seen->orgn_odno[0] != '\0' && seen->remaining <= 0 && seen->filled <= 0)
		return;
	read->rest.rows = read_grow(read, read->rest.rows, read->rest.count, &read->room, sizeof(QtsLedgerRow));
	read->rest.rows[read->rest.count++] = *seen;
}

static void
read_list(LedgerRead *read, const char *odno)
{
	QtsLedgerRest *rest = &read->rest;

	rest->listed = read_grow(read, rest->listed, rest->nlisted, &read->listed_room, sizeof(*rest->listed));
	strlcpy(rest->listed[rest->nlisted++], odno, sizeof(*rest->listed));
}

static int
number_compare(const void *a, const void *b)
{
	return strcmp(a, b); /* a KnownOrder begins with its number */
}

static void
read_sort(LedgerRead *read)
{
	qsort(read->rest.listed, read->rest.nlisted, sizeof(*read->rest.listed), number_compare);
}

bool
qts_exec_ledger_lists(const QtsLedgerRest *rest, const char *odno)
{
	return rest->nlisted > 0 &&
		   bsearch(odno, rest->listed, rest->nlisted, sizeof(*rest->listed), number_compare) != NULL;
}

/* Those of these rows that we have. */
static KnownOrder *
known_orders(const LedgerRead *read, const QtsLedgerRow *rows, int nrows, int *count)
{
	Datum *numbers = palloc(sizeof(Datum) * nrows);
	Datum args[3] = {qts_text(read->account), DateADTGetDatum(read->date)};
	KnownOrder *known;
	int n;

	for (int i = 0; i < nrows; i++)
		numbers[i] = qts_text(rows[i].odno);
	args[2] = PointerGetDatum(construct_array(numbers, nrows, TEXTOID, -1, false, TYPALIGN_INT));
	n = (int) qts_stmt_run(&page_orders, args, NULL);
	known = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(KnownOrder) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		qts_col_copy(i, 1, known[i].odno, sizeof(known[i].odno));
		known[i].order_uid = qts_col_uuid(i, 2);
		if (!qts_order_status_parse(qts_col_text(i, 3), &known[i].status))
			ereport(ERROR,
					(errcode(QTS_ERRCODE_INTERNAL), errmsg("order has a status this library does not know")));
		known[i].settled = qts_order_terminal(known[i].status);
		known[i].cancel_open = qts_col_bool(i, 4);
		known[i].ledger_qty = qts_col_int64(i, 5, 0);
		known[i].ledger_amount = qts_col_int64(i, 6, 0);
		known[i].filled = qts_col_int64(i, 7, 0);
		known[i].own = qts_col_bool(i, 8);
		known[i].changed = qts_col_int64(i, 9, QTS_TIME_NONE);
		known[i].disputed = qts_col_bool(i, 10);
	}
	qsort(known, n, sizeof(KnownOrder), number_compare);
	*count = n;
	return known;
}

/* Nothing new: no lock and no write per row and read. */
static bool
row_is_old(const KnownOrder *known, const QtsLedgerRow *seen)
{
	return known->ledger_qty == seen->filled && known->ledger_amount == seen->amount && !known->cancel_open &&
		   (known->settled || seen->remaining != 0);
}

static bool
row_denies(const KnownOrder *known, const QtsLedgerRow *seen, TimestampTz asked_at)
{
	QtsLedgerSeen facts = {.filled = seen->filled, .remaining = seen->remaining};

	return !known->disputed &&
		   qts_life_denied(known->status, known->filled, &facts, known->changed, asked_at);
}

/* The row only confirms what the notices said of an order that has ended. */
static bool
row_confirms(const KnownOrder *known, const QtsLedgerRow *seen)
{
	return known->settled && !known->cancel_open && seen->remaining == 0 && seen->filled == known->filled &&
		   seen->filled >= known->ledger_qty && seen->amount >= known->ledger_amount;
}

/* All confirmations at once: they change neither position nor intent, so none is locked. */
static void
store_confirmations(const QtsLedgerRow *const *seen, KnownOrder *const *known, int count, TimestampTz now)
{
	for (int from = 0; from < count; from += CONFIRM_BATCH)
	{
		int n = Min(CONFIRM_BATCH, count - from);
		Datum *uids;
		Datum *qtys;
		Datum *amounts;
		Datum args[4];

		if (!qts_txn_begin("ledger confirmations"))
			return;
		uids = palloc(sizeof(Datum) * n);
		qtys = palloc(sizeof(Datum) * n);
		amounts = palloc(sizeof(Datum) * n);
		for (int i = 0; i < n; i++)
		{
			uids[i] = qts_uuid(&known[from + i]->order_uid);
			qtys[i] = Int64GetDatum(seen[from + i]->filled);
			amounts[i] = Int64GetDatum(seen[from + i]->amount);
		}
		args[0] = PointerGetDatum(construct_array(uids, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
		args[1] = PointerGetDatum(construct_array(qtys, n, INT8OID, 8, true, TYPALIGN_DOUBLE));
		args[2] = PointerGetDatum(construct_array(amounts, n, INT8OID, 8, true, TYPALIGN_DOUBLE));
		args[3] = TimestampTzGetDatum(now);
		qts_stmt_run(&confirm_orders, args, NULL);
		qts_txn_commit_soon();
	}
}

/* Live orders of ours that a complete list does not show. */
static void
store_absences(LedgerTake *take)
{
	LedgerRead *read = take->read;
	Datum args[2] = {qts_text(read->account), DateADTGetDatum(read->date)};
	pg_uuid_t *absent;
	int n;
	int count = 0;

	read_sort(read);
	qts_txn_begin_must("absent orders");
	n = (int) qts_stmt_run(&live_orders, args, NULL);
	absent = MemoryContextAlloc(qts_txn_caller_cxt(), sizeof(pg_uuid_t) * (n + 1));
	for (int i = 0; i < n; i++)
		if (take->asked_at >= qts_col_int64(i, 3, 0) + LEDGER_LAG &&
			!qts_exec_ledger_lists(&read->rest, qts_col_text(i, 2)))
			absent[count++] = qts_col_uuid(i, 1);
	qts_txn_commit();
	for (int i = 0; i < count; i++)
	{
		QtsOrderRow row;

		if (!qts_txn_begin("absent order"))
			break;
		if (qts_exec_lock_order(&absent[i], &row))
		{
			if (qts_life_absent(&row.life, take->trusted, take->session_over))
				qts_alert(take->trusted ? "CRITICAL" : "WARNING", "ORDER_MISSING", row.symbol,
						  "Look for it at the broker; it stays open here until a list shows it.",
						  "order %s of %s is in none of %d complete ledgers", row.odno, row.symbol,
						  row.life.complete_lists);
			qts_exec_store_order(&row, take->now);
			take->changed = true;
		}
		qts_txn_commit_soon();
	}
	pfree(absent);
}

/* One position is locked at a time: no circle with anybody. */
static void
take_row(LedgerTake *take, const QtsLedgerRow *seen, const KnownOrder *known, bool denied)
{
	QtsOrderRow row;

	qts_txn_begin_must("ledger row");
	if (known == NULL)
		qts_exec_foreign(take->read->account, take->read->date, seen, take->session_over, take->now);
	else if (qts_exec_lock_order(&known->order_uid, &row))
	{
		if (denied)
			row_dispute(&row);
		else
			qts_exec_ledger_row(&row, seen, take->session_over, take->now);
	}
	QTS_POINT("ledger.commit");
	qts_txn_commit_soon();
	take->changed = true;
}

static void
take_rows(LedgerTake *take, const QtsLedgerRow *rows, int count)
{
	const QtsLedgerRow **confirming;
	KnownOrder **confirmed;
	int nconfirmed = 0;
	KnownOrder *known;
	int nknown;

	if (count == 0)
		return;
	confirming = palloc(sizeof(*confirming) * count);
	confirmed = palloc(sizeof(*confirmed) * count);
	qts_txn_begin_must("ledger");
	known = known_orders(take->read, rows, count, &nknown);
	qts_txn_commit();
	for (int i = 0; i < count; i++)
	{
		const QtsLedgerRow *seen = &rows[i];
		KnownOrder *found = bsearch(seen->odno, known, nknown, sizeof(KnownOrder), number_compare);
		bool denied;

		if (found == NULL)
		{
			if (take->last)
				take_row(take, seen, NULL, false);
			else
				read_keep(take->read, seen);
			continue;
		}
		if (!found->settled && found->own)
			read_list(take->read, found->odno);
		denied = take->trusted && row_denies(found, seen, take->asked_at);
		if (!denied && row_is_old(found, seen))
			continue;
		if (!denied && row_confirms(found, seen))
		{
			confirming[nconfirmed] = seen;
			confirmed[nconfirmed++] = found;
			continue;
		}
		take_row(take, seen, found, denied);
	}
	store_confirmations(confirming, confirmed, nconfirmed, take->now);
	pfree(known);
	pfree(confirmed);
	pfree(confirming);
}

/* Unknown orders first: a bound one is then brought up to date by its row. */
static void
take_rest(LedgerTake *take)
{
	LedgerRead *read = take->read;

	read_sort(read);
	qts_exec_unknowns(read->account, read->date, &read->rest, take->asked_at, take->trusted, take->now);
	take->last = true;
	take_rows(take, read->rest.rows, read->rest.count);
	store_absences(take);
	qts_count(QTS_COUNT_LEDGER_READS, 1);
	qts_exec_attach_late(read->account, read->date, take->now);
	take->changed = true;
}

bool
qts_exec_ledger(const char *account, QtsDate date, const QtsLedger *page, TimestampTz asked_at, bool trusted,
				bool session_over, TimestampTz now)
{
	LedgerTake take = {.read = read_of(account, date, page->page),
					   .asked_at = asked_at,
					   .trusted = trusted,
					   .session_over = session_over,
					   .now = now};

	take_rows(&take, page->rows, page->count);
	take.read->pages++;
	if (page->complete)
	{
		take_rest(&take);
		read_drop(take.read);
	}
	return take.changed;
}
