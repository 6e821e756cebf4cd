/*-------------------------------------------------------------------------
 *
 * poll.c
 *		Quotes by request: tiers (runtime 3.6) and which batch leaves next.
 *
 * A request counts once against the rate limit whatever it asks for, so a
 * batch is never sent half empty while others are nearly due.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "core/poll.h"

#define POLL_LOST (30 * QTS_SEC) /* an answer that never comes frees its symbols */
#define POLL_SILENT (3 * QTS_SEC / 2)
#define POLL_SLOWEST (120 * QTS_SEC)
#define POLL_LATE (10 * QTS_SEC)
#define POLL_CAP_HELD 40
#define POLL_CAP_WANTED 100

/* Reasons that make a symbol more than background. */
#define POLL_WANTED                                                                                          \
	(QTS_FOLLOW_HELD | QTS_FOLLOW_CLOSING | QTS_FOLLOW_ORDER | QTS_FOLLOW_CANDIDATE | QTS_FOLLOW_WATCH |     \
	 QTS_FOLLOW_SIGNAL)

QtsTierPolicy
qts_tier_policy(const QtsTierCondition *condition)
{
	QtsTierPolicy policy = {.interval = {3 * QTS_SEC, 10 * QTS_SEC, 30 * QTS_SEC},
							.cap = {POLL_CAP_HELD, POLL_CAP_WANTED, INT32_MAX}};

	if (condition->push_silent)
		policy.interval[0] = POLL_SILENT;
	for (int i = 0; i < condition->throttled && policy.interval[2] < POLL_SLOWEST; i++)
		policy.interval[2] *= 2;
	policy.idle = condition->closed;
	policy.demoted = condition->throttled > 0;
	if (condition->emergency)
	{
		policy.interval[0] = 3 * QTS_SEC; /* of so many symbols, the limiter allows no less */
		policy.cap[0] = INT32_MAX;
		policy.demoted = false;
	}
	return policy;
}

/* What is beyond the room of its tier goes down. */
static int
poll_tier(const QtsFollowed *followed, const int cap[QTS_TIERS], int used[QTS_TIERS])
{
	int tier = followed->why & QTS_FOLLOW_HELD ? 0 : followed->why & POLL_WANTED ? 1 : 2;

	if (cap[0] == INT32_MAX)
		tier = 0;
	while (tier < QTS_TIERS - 1 && used[tier] >= cap[tier])
		tier++;
	used[tier]++;
	return tier;
}

static void
poll_place(const QtsFollowed *ranked, int n, const QtsTierPolicy *policy, QtsPolled *plan)
{
	static const int usual_cap[QTS_TIERS] = {POLL_CAP_HELD, POLL_CAP_WANTED, INT32_MAX};
	int used[QTS_TIERS] = {0};
	int usual[QTS_TIERS] = {0};
	int kept;

	for (int i = 0; i < n; i++)
	{
		plan[i].why = ranked[i].why;
		plan[i].demoted = false;
		plan[i].tier = poll_tier(&ranked[i], policy->cap, used);
		plan[i].usual = poll_tier(&ranked[i], usual_cap, usual);
	}
	if (!policy->demoted)
		return;
	kept = (used[1] + 1) / 2;
	for (int i = 0; i < n; i++)
	{
		if (plan[i].tier == 1 && --kept < 0)
		{
			plan[i].tier = plan[i].usual = 2;
			plan[i].demoted = true;
		}
	}
}

void
qts_poll_plan(const QtsFollowed *ranked, int n, const QtsTierPolicy *policy, const QtsPolled *old, int nold,
			  int64_t now, QtsPolled *plan)
{
	int next = 0;

	for (int i = 0; i < n; i++)
	{
		const QtsPolled *known = NULL;

		/* ranks change little: look first behind the one found last */
		for (int k = 0; k < nold && known == NULL; k++)
		{
			int at = (next + k) % nold;

			if (strcmp(old[at].symbol, ranked[i].symbol) != 0)
				continue;
			known = &old[at];
			next = at + 1;
		}
		if (known != NULL)
			plan[i] = *known;
		else
		{
			plan[i] = (QtsPolled){.due = now, .since = now, .told_at = INT64_MIN};
			memcpy(plan[i].symbol, ranked[i].symbol, sizeof(plan[i].symbol));
		}
	}
	poll_place(ranked, n, policy, plan);
}

int64_t
qts_poll_overdue_after(const QtsPolled *polled, const QtsTierPolicy *policy)
{
	return policy->interval[polled->usual] + POLL_LATE;
}

/* Never further away than its interval: it may have come from a slower tier, or the clock was set back. */
static int64_t
poll_due(const QtsPolled *polled, const QtsTierPolicy *policy, int64_t now)
{
	int64_t latest = now + policy->interval[polled->tier];

	if (polled->at_once)
		return INT64_MIN;
	if (policy->idle)
		return INT64_MAX;
	return polled->due < latest ? polled->due : latest;
}

static bool
poll_free(const QtsPolled *polled, int64_t now)
{
	return !polled->asked || now - polled->asked_at >= POLL_LOST || now < polled->asked_at;
}

/* Does a go before b?  Both may leave. */
static bool
poll_before(const QtsPolled *a, const QtsPolled *b, int64_t now)
{
	bool a_due = a->due <= now;
	bool b_due = b->due <= now;

	if (a->at_once != b->at_once)
		return a->at_once;
	if (a_due != b_due)
		return a_due;
	if (a->tier != b->tier)
		return a->tier < b->tier;
	return a->due < b->due;
}

int
qts_poll_batch(const QtsPolled *plan, int n, const QtsTierPolicy *policy, int64_t now, int max, int *batch)
{
	int used = 0;
	bool any = false;

	for (int i = 0; i < n; i++)
	{
		const QtsPolled *polled = &plan[i];
		int64_t due = poll_due(polled, policy, now);
		int at;

		/* nearly due: within half its interval */
		if (!poll_free(polled, now) || due > now + policy->interval[polled->tier] / 2)
			continue;
		any |= due <= now;
		for (at = used; at > 0 && poll_before(polled, &plan[batch[at - 1]], now); at--)
		{
			if (at < max)
				batch[at] = batch[at - 1];
		}
		if (at < max)
		{
			batch[at] = i;
			used += used < max;
		}
	}
	return any ? used : 0;
}

int64_t
qts_poll_wait(const QtsPolled *plan, int n, const QtsTierPolicy *policy, int64_t now)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < n; i++)
	{
		int64_t due =
			poll_free(&plan[i], now) ? poll_due(&plan[i], policy, now) : plan[i].asked_at + POLL_LOST;

		if (due < first)
			first = due;
	}
	if (first == INT64_MAX)
		return -1;
	return first > now ? first - now : 0;
}

void
qts_poll_asked(QtsPolled *polled, const QtsTierPolicy *policy, int64_t now)
{
	polled->asked = true;
	polled->asked_at = now;
	polled->at_once = false;
	polled->due = now + policy->interval[polled->tier];
}

void
qts_poll_told(QtsPolled *polled, bool brought, int64_t now)
{
	polled->asked = false;
	if (brought)
		polled->told_at = now;
}
