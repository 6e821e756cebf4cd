/*-------------------------------------------------------------------------
 *
 * kis_breaker.c
 *		When a KIS session stops asking a broker that does not answer.
 *
 * An order that gets no answer is UNKNOWN: its shares stay locked and its
 * symbol waits for minutes.  After a few of them in a row it is cheaper to
 * hold orders back, protective exits too, until the broker answers again.
 * What shows that first is a list, which costs nothing when it fails: an
 * answered list lets one order or cancel out as the probe.
 *
 *-------------------------------------------------------------------------
 */
#include "broker/kis_session.h"
#include "net/net.h"

void
kis_breaker_set(QtsBroker *broker, const QtsBreakerPolicy *policy)
{
	broker->policy = *policy;
	broker->breaker[QTS_BREAKER_ORDER].cautious = true;
}

void
kis_breaker_health(const QtsBroker *broker, int64_t mono, QtsBrokerHealth *health)
{
	for (int i = 0; i < QTS_BREAKER_CLASS_COUNT; i++)
	{
		health->breaker[i] = qts_breaker_state(&broker->breaker[i], &broker->policy, mono);
		health->opens[i] = broker->breaker[i].opens;
	}
	health->wants_list =
		qts_breaker_wants_voucher(&broker->breaker[QTS_BREAKER_ORDER], &broker->policy, mono);
}

int
kis_breaker_slots(const QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	return qts_breaker_slots(&broker->breaker[qts_breaker_class(klass)], &broker->policy, mono);
}

int64_t
kis_breaker_wait(const QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	return qts_breaker_wait(&broker->breaker[qts_breaker_class(klass)], &broker->policy, mono);
}

uint32_t
kis_breaker_enter(QtsBroker *broker, QtsRateClass klass, int64_t mono)
{
	return qts_breaker_enter(&broker->breaker[qts_breaker_class(klass)], &broker->policy, mono);
}

/* A code is somebody's word, even a refusal; silence, HTML and a bare 5xx are not. */
static QtsBreakerResult
breaker_result(const QtsKisVerdict *verdict, const QtsHttpAnswer *answer)
{
	if (!answer || answer->fate != QTS_HTTP_ANSWERED)
		return QTS_BREAKER_FAILED;
	if (verdict->outcome == QTS_OUTCOME_NOT_PROCESSED)
		return QTS_BREAKER_NO_WORD;
	if (verdict->outcome == QTS_OUTCOME_UNKNOWN && (answer->status >= 500 || verdict->msg_cd[0] == '\0'))
		return QTS_BREAKER_FAILED;
	return QTS_BREAKER_ANSWERED;
}

void
kis_breaker_report(QtsBroker *broker, QtsRateClass klass, uint32_t ticket, int64_t sent_at,
				   const QtsKisVerdict *verdict, const QtsHttpAnswer *answer)
{
	QtsBreakerClass which = qts_breaker_class(klass);
	QtsBreakerResult result = breaker_result(verdict, answer);
	int64_t mono = qts_mono_us();

	qts_breaker_report(&broker->breaker[which], &broker->policy, ticket, result, mono);
	if (which == QTS_BREAKER_ACCOUNT && result == QTS_BREAKER_ANSWERED)
		qts_breaker_vouch(&broker->breaker[QTS_BREAKER_ORDER], &broker->policy, sent_at, mono);
}
