/*-------------------------------------------------------------------------
 *
 * reference_watch.c
 *		What symbols held or ordered still lack before the open.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "db/exec.h"
#include "net/net.h"
#include "quotes.h"
#include "reference_take.h"

#define LOOK_US (60 * QTS_SEC)
#define MISSED_LOOK_US (5 * QTS_SEC)
#define PATIENCE_US (10 * QTS_SEC) /* what is under way may bring it */
#define TELL_US (600 * QTS_SEC)

static int64 needed_looked;
static int64 missed_since; /* 0 = nothing is missed */
static int64 told_mono;

typedef struct Needed
{
	const QtsFollowed *followed;
	int nfollowed;
	QtsDate today;
	QtsDate before;
	bool calendar; /* the broker tells trading days */
	bool tell;
	bool missing;
} Needed;

static void
look_needed(void *arg)
{
	Needed *needed = arg;
	QtsReferenceMissing missing = {0};

	qts_reference_missing(needed->followed, needed->nfollowed, needed->today, needed->before, &missing);
	missing.calendar &= needed->calendar;
	needed->missing = missing.bases > 0 || missing.bars > 0 || missing.calendar;
	if (needed->missing && needed->tell)
		qts_alert(
			"WARNING", "REFERENCE_MISSING", "",
			"It is asked for again by itself; SELECT * FROM qts.status() WHERE kind = 'reference' tells why not."
			" Until then limits come from the quotes, and a split may not be noticed.",
			"held or ordered: %d symbols, %d without a base price of today, %d without a bar of the last"
			" trading day%s%s%s",
			missing.symbols, missing.bases, missing.bars, missing.first[0] == '\0' ? "" : ", among them ",
			missing.first, missing.calendar ? "; the broker's calendar was not told today" : "");
}

void
qts_reference_watch_start(void)
{
	needed_looked = missed_since = told_mono = 0;
}

void
qts_reference_watch(const QtsFollowed *followed, int nfollowed, QtsDate before, TimestampTz now, int64 mono)
{
	Needed needed = {.followed = followed,
					 .nfollowed = nfollowed,
					 .today = qts_seoul_date(now),
					 .before = before,
					 .calendar = qts_quotes_account()->environment != QTS_ENV_PAPER};

	if (!qts_reference_needed(qts_reference_today(now), now))
	{
		qts_reference_watch_start();
		return;
	}
	if (needed_looked != 0 && mono - needed_looked < (missed_since == 0 ? LOOK_US : MISSED_LOOK_US))
		return;
	needed_looked = mono;
	needed.tell = missed_since != 0 && mono - missed_since >= PATIENCE_US &&
				  (told_mono == 0 || mono - told_mono >= TELL_US);
	if (qts_reference_txn(look_needed, &needed, "reference data needed") != NULL)
		return;
	if (needed.missing && needed.tell)
		told_mono = mono;
	if (!needed.missing)
		missed_since = 0;
	else if (missed_since == 0)
		missed_since = mono;
}
