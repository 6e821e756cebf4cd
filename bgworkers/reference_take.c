/*-------------------------------------------------------------------------
 *
 * reference_take.c
 *		What becomes of an answer to what is asked once a day: judged, stored in
 *		one transaction with the note that it is done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "db/calendar.h"
#include "db/txn.h"
#include "reference_take.h"
#include "shm/board.h"
#include "shm/point.h"

const QtsCalendarDay *
qts_reference_today(TimestampTz now)
{
	static QtsCalendarDay day;

	return qts_board_day(&day) && day.date == qts_seoul_date(now) ? &day : NULL;
}

typedef struct Txn
{
	void (*body)(void *arg);
	void *arg;
	const char *activity;
	bool begun;
} Txn;

static void
txn_body(void *arg)
{
	Txn *txn = arg;

	txn->begun = qts_txn_begin(txn->activity);
	if (!txn->begun)
		return;
	txn->body(txn->arg);
	QTS_POINT("reference.commit");
	qts_txn_commit_local();
}

const char *
qts_reference_txn(void (*body)(void *arg), void *arg, const char *activity)
{
	static char why[96];
	Txn txn = {.body = body, .arg = arg, .activity = activity};
	ErrorData *error = qts_txn_try(txn_body, &txn);

	if (error == NULL)
		return txn.begun ? NULL : "the engine's tables are locked";
	ereport(LOG, (errmsg("%s: %s", activity, error->message)));
	snprintf(why, sizeof(why), "it could not be stored: %.60s", error->message);
	FreeErrorData(error);
	return why;
}

typedef struct Told
{
	const QtsReferenceAsked *asked;
	const QtsQuoteEvent *event;
	QtsDate before;
	TimestampTz now;
	const char *error; /* of the request; NULL = it was answered */
	QtsBasePrice base[QTS_QUOTE_SYMBOLS];
	int nbases; /* good ones, for the board */
} Told;

static void
take_days(Told *told, QtsReferenceResult *result)
{
	const QtsQuoteEvent *event = told->event;
	int open = 0;

	for (int i = 0; i < event->count; i++)
		open += event->days[i].open;
	result->rejected = event->refused;
	if (!qts_trading_days_believable(event->count, open))
	{
		result->error = "the answer has no trading day";
		return;
	}
	result->stored = qts_calendar_merge(event->days, event->count);
	result->done = told->asked->target;
}

static void
take_bars(Told *told, QtsReferenceResult *result)
{
	const QtsQuoteEvent *event = told->event;
	const QtsReferenceItem *item = &told->asked->item[0];
	QtsBar *good = palloc(sizeof(QtsBar) * (event->count + 1));
	bool whole = false;
	int n = 0;

	result->rejected = event->refused;
	for (int i = 0; i < event->count; i++)
	{
		if (qts_bar_fault(&event->bars[i], true) != NULL)
		{
			result->rejected++;
			continue;
		}
		whole |= qts_seoul_date(event->bars[i].at) == told->asked->target;
		good[n++] = event->bars[i];
	}
	result->stored = qts_reference_store_bars(item->symbol, good, n, qts_seoul_date(told->now));
	if (!whole)
		result->error = "the broker has no bar of the last trading day, or not yet";
	if (whole || qts_reference_hopeless(item->tries))
		result->done = told->asked->target;
}

static const QtsBasePrice *
base_of(const QtsQuoteEvent *event, const char *symbol)
{
	for (int i = 0; i < event->count; i++)
		if (strcmp(event->bases[i].symbol, symbol) == 0)
			return &event->bases[i];
	return NULL;
}

/* Base prices come many at once: one statement for those that are good, a result for each. */
static void
take_bases(Told *told)
{
	const QtsReferenceAsked *of = told->asked;
	QtsBaseKnown known[QTS_QUOTE_SYMBOLS];
	const QtsCalendarDay *today = qts_reference_today(told->now);
	int refused = told->event->refused;

	qts_reference_known(told->event->bases, told->event->count, told->before, known);
	for (int i = 0; i < of->n; i++)
	{
		const QtsBasePrice *base = base_of(told->event, of->item[i].symbol);
		QtsReferenceResult result = {.done = QTS_DATE_NONE};

		if (base == NULL)
		{
			/* which of them it was is not known */
			result.rejected = refused;
			refused = 0;
			result.error = "the broker does not know a base price of it";
			if (qts_reference_hopeless(of->item[i].tries))
				result.done = of->target;
		}
		else if (today == NULL || today->date != of->target)
			result.error = "the day was over when it came";
		else
		{
			QtsBaseVerdict verdict =
				qts_base_judge(base, &known[base - told->event->bases], today, told->now);

			result.error = qts_base_fault(verdict);
			result.rejected = verdict == QTS_BASE_IMPOSSIBLE;
			if (result.error == NULL)
			{
				result.done = of->target;
				result.stored = 1;
				told->base[told->nbases++] = *base;
			}
		}
		qts_reference_result(of->task, of->item[i].symbol, &result, told->now);
	}
	qts_reference_store_bases(told->base, told->nbases, of->target);
}

static void
take(void *arg)
{
	Told *told = arg;
	QtsReferenceResult result = {.done = QTS_DATE_NONE, .error = told->error};

	told->nbases = 0;
	if (told->error == NULL && told->asked->task == QTS_REFERENCE_BASES)
	{
		take_bases(told);
		return;
	}
	if (told->error == NULL && told->asked->task == QTS_REFERENCE_BARS)
		take_bars(told, &result);
	else if (told->error == NULL)
		take_days(told, &result);
	for (int i = 0; i < told->asked->n; i++)
		qts_reference_result(told->asked->task, told->asked->item[i].symbol, &result, told->now);
}

/* The master's limits count from now on, whatever the quotes of the day have taught. */
static void
limits_publish(const QtsBasePrice *bases, int n, QtsDate date)
{
	for (int i = 0; i < n; i++)
	{
		int slot = qts_board_find(bases[i].symbol);
		QtsBoardEntry entry;

		if (slot < 0 || bases[i].lower == 0 || bases[i].upper == 0 || !qts_board_read(slot, &entry))
			continue;
		qts_limits_set(&entry.limits, QTS_PRICE(bases[i].base), QTS_PRICE(bases[i].lower),
					   QTS_PRICE(bases[i].upper), date);
		qts_board_publish(slot, &entry);
	}
}

static const char *
failure_of(const QtsQuoteEvent *event)
{
	if (event->outcome == QTS_OUTCOME_OK)
		return NULL;
	if (event->http_status == 0)
		return "no answer";
	if (event->throttled)
		return "refused for the rate";
	return event->msg[0] != '\0' ? event->msg : "an answer that cannot be read";
}

bool
qts_reference_take(const QtsReferenceAsked *asked, const QtsQuoteEvent *event, QtsDate before,
				   TimestampTz now)
{
	Told *told = palloc0(sizeof(Told));
	const char *why;

	*told = (Told){.asked = asked, .event = event, .before = before, .now = now, .error = failure_of(event)};
	why = qts_reference_txn(take, told, "reference data");
	if (why == NULL)
		limits_publish(told->base, told->nbases, asked->target);
	else if (told->error == NULL)
	{
		told->error = why;
		(void) qts_reference_txn(take, told, "reference data failed");
	}
	return told->error == NULL;
}
