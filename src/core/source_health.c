/*-------------------------------------------------------------------------
 *
 * source_health.c
 *		How a source of quotes has been answering in the last minute, and what
 *		follows (runtime 3.7, 3.10).
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/names.h"
#include "core/source_health.h"

#define HEALTH_WINDOW (QTS_HEALTH_SECONDS * QTS_SEC)
#define THROTTLE_SHARE 20 /* per cent */
#define THROTTLE_SAMPLE 5 /* fewer requests say nothing */
#define FAILING 3		  /* in a minute */
#define FALLBACK_AFTER (10 * QTS_SEC)
#define FALLBACK_FAILING (3 * QTS_SEC)
#define NAVER_SAMPLE 4 /* fewer requests say nothing */
#define NAVER_SHARE 50 /* per cent */
#define NAVER_PAUSE (5 * QTS_MINUTE)
#define NAVER_BAN_PAUSE (30 * QTS_MINUTE)
#define PUSH_QUIET (10 * QTS_SEC)
#define PUSH_SILENT (60 * QTS_SEC)

static const char *const naver_reasons[] = {
	[QTS_NAVER_ON] = "",
	[QTS_NAVER_TIMEOUTS] = "more than half of its answers did not come in time",
	[QTS_NAVER_BANNED] = "it refused with 403 or 429",
	[QTS_NAVER_DISCREPANT] = "its price is more than 1 % from the broker's",
};

void
qts_health_add(QtsSourceHealth *health, QtsQuoted kind, int64_t now)
{
	int64_t second = now / QTS_SEC;
	int place = (int) (second % QTS_HEALTH_SECONDS);

	if (health->second[place] != second + 1)
	{
		memset(health->count[place], 0, sizeof(health->count[place]));
		health->second[place] = second + 1;
	}
	health->count[place][kind]++;
}

int
qts_health_count(const QtsSourceHealth *health, QtsQuoted kind, int64_t now)
{
	int64_t oldest = now / QTS_SEC - QTS_HEALTH_SECONDS + 1;
	uint32_t count = 0;

	for (int i = 0; i < QTS_HEALTH_SECONDS; i++)
	{
		if (health->second[i] > 0 && health->second[i] - 1 >= oldest)
			count += health->count[i][kind];
	}
	return (int) count;
}

int
qts_health_total(const QtsSourceHealth *health, int64_t now)
{
	int total = 0;

	for (int kind = 0; kind < QTS_QUOTED_KINDS; kind++)
		total += qts_health_count(health, (QtsQuoted) kind, now);
	return total;
}

int
qts_health_share(const QtsSourceHealth *health, QtsQuoted kind, int64_t now)
{
	int total = qts_health_total(health, now);

	return total == 0 ? 0 : (int) ((int64_t) qts_health_count(health, kind, now) * 100 / total);
}

/* More than the given share, without the loss of a quotient. */
static bool
health_above(const QtsSourceHealth *health, QtsQuoted kind, int share, int sample, int64_t now)
{
	int total = qts_health_total(health, now);

	return total >= sample && (int64_t) qts_health_count(health, kind, now) * 100 > (int64_t) total * share;
}

bool
qts_throttle_step(QtsThrottle *throttle, const QtsSourceHealth *health, int64_t now)
{
	bool rested = throttle->level == 0 || now - throttle->changed_at >= HEALTH_WINDOW;
	int level = throttle->level;

	if (!rested)
		return false;
	if (health_above(health, QTS_QUOTED_THROTTLED, THROTTLE_SHARE, THROTTLE_SAMPLE, now))
		level = level < QTS_THROTTLE_MOST ? level + 1 : level;
	else if (level > 0 && qts_health_count(health, QTS_QUOTED_THROTTLED, now) == 0)
		level--;
	if (level == throttle->level)
		return false;
	throttle->level = level;
	throttle->changed_at = now;
	return true;
}

bool
qts_source_failing(const QtsSourceHealth *health, int64_t now)
{
	return qts_health_count(health, QTS_QUOTED_FAILED, now) +
			   qts_health_count(health, QTS_QUOTED_SILENT, now) >=
		   FAILING;
}

bool
qts_fallback_wanted(const QtsQuote *shown, QtsSource source, QtsTime now, bool failing, bool demoted)
{
	int64_t age;

	if (demoted || shown == NULL || shown->last <= 0 || shown->recv_at == QTS_TIME_NONE ||
		__builtin_sub_overflow(now, shown->recv_at, &age))
		return true;
	/* once it is shown, the broker's is staler still */
	return source == QTS_SOURCE_NAVER || age > (failing ? FALLBACK_FAILING : FALLBACK_AFTER);
}

static bool
naver_off(QtsNaverSwitch *naver, QtsNaverOff why, int64_t until)
{
	naver->why = why;
	naver->until = until;
	return true;
}

bool
qts_naver_look(QtsNaverSwitch *naver, const QtsSourceHealth *health, bool discrepant, int64_t now)
{
	if (naver->why != QTS_NAVER_ON && now < naver->until)
		return false;
	/* what switched it off is still in the window of a minute only if it goes on: pauses are longer */
	naver->why = QTS_NAVER_ON;
	if (qts_health_count(health, QTS_QUOTED_BANNED, now) > 0)
		return naver_off(naver, QTS_NAVER_BANNED, now + NAVER_BAN_PAUSE);
	if (discrepant)
		return naver_off(naver, QTS_NAVER_DISCREPANT, now + NAVER_PAUSE);
	if (health_above(health, QTS_QUOTED_SILENT, NAVER_SHARE, NAVER_SAMPLE, now))
		return naver_off(naver, QTS_NAVER_TIMEOUTS, now + NAVER_PAUSE);
	return false;
}

const char *
qts_naver_why(QtsNaverOff why)
{
	return qts_name_of(naver_reasons, sizeof(naver_reasons) / sizeof(naver_reasons[0]), (int) why);
}

QtsPushState
qts_push_state(bool up, int symbols, int64_t silent, bool prints)
{
	if (symbols == 0 || !prints)
		return QTS_PUSH_SPEAKS;
	if (silent >= PUSH_SILENT)
		return QTS_PUSH_SILENT;
	return !up || silent >= PUSH_QUIET ? QTS_PUSH_QUIET : QTS_PUSH_SPEAKS;
}
