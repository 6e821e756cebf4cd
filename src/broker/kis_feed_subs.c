/*-------------------------------------------------------------------------
 *
 * kis_feed_subs.c
 *		What is registered at the broker: notices first, then symbols.
 *
 * 41 registrations exist per session; a symbol keeps its place until the
 * broker confirms that it left.  Messages are paced, because loops of them
 * get an app key blocked (kis-api 5.1).
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <string.h>

#include "broker/kis_feed_int.h"

#define SUBS_PACE (200 * QTS_MS)
#define SUBS_ACK (10 * QTS_SEC)	 /* without an answer: once more */
#define SUBS_LEAVE (3 * QTS_SEC) /* without an answer: gone */
#define SUBS_FULL (5 * QTS_SEC)	 /* the broker may take so long to let one go */
#define SUBS_TRIES 3

int
kis_feed_capacity(const QtsFeed *feed)
{
	return QTS_FEED_MAX_KEYS - (feed->hts_id[0] != '\0');
}

/* A new connection has no registrations. */
void
kis_feed_subs_reset(QtsFeed *feed)
{
	feed->sub_count = 0;
	feed->notices = FEED_SUB_NEW;
	feed->next_send = 0;
}

static bool
subs_send(QtsFeed *feed, const char *tr_id, const char *tr_key, bool subscribe, int64_t mono)
{
	char text[1024];
	size_t len = qts_kis_build_subscribe(text, sizeof(text), feed->approval, tr_id, tr_key, subscribe);
	bool sent = len > 0 && qts_ws_send(feed->ws, text, len);

	explicit_bzero(text, sizeof(text));
	if (sent && feed->paced)
		feed->next_send = mono + SUBS_PACE;
	return sent;
}

FeedSub *
kis_feed_sub(QtsFeed *feed, const char *symbol, bool book)
{
	for (int i = 0; i < feed->sub_count; i++)
	{
		if (feed->subs[i].book == book && strcmp(feed->subs[i].symbol, symbol) == 0)
			return &feed->subs[i];
	}
	return NULL;
}

static void
subs_remove(QtsFeed *feed, FeedSub *sub)
{
	*sub = feed->subs[--feed->sub_count];
}

/* Bring the table in line with what is wanted, as far as there is room. */
static void
subs_plan(QtsFeed *feed, int64_t mono)
{
	for (int i = 0; i < feed->sub_count; i++)
		feed->subs[i].wanted = false;
	for (int i = 0; i < feed->wanted_count; i++)
	{
		FeedSub *sub = kis_feed_sub(feed, feed->wanted[i].symbol, feed->wanted[i].book);

		if (sub)
			sub->wanted = true;
	}
	for (int i = feed->sub_count - 1; i >= 0; i--)
	{
		FeedSub *sub = &feed->subs[i];
		bool never_sent = !sub->wanted && sub->state == FEED_SUB_NEW && sub->tries == 0;
		bool refused = !sub->wanted && sub->state == FEED_SUB_REFUSED;
		bool gone = sub->state == FEED_SUB_LEAVING && mono - sub->since > SUBS_LEAVE;

		if (never_sent || refused || gone)
			subs_remove(feed, sub);
	}
	for (int i = 0; i < feed->wanted_count && feed->sub_count < kis_feed_capacity(feed); i++)
	{
		const FeedKey *key = &feed->wanted[i];

		if (kis_feed_sub(feed, key->symbol, key->book))
			continue;
		feed->subs[feed->sub_count] = (FeedSub){.wanted = true, .book = key->book};
		strcpy(feed->subs[feed->sub_count].symbol, key->symbol);
		feed->sub_count++;
	}
}

/* The next message to send: leaving makes room, so it goes first. */
static FeedSub *
subs_next(QtsFeed *feed, int64_t mono)
{
	FeedSub *enter = NULL;

	for (int i = 0; i < feed->sub_count; i++)
	{
		FeedSub *sub = &feed->subs[i];

		if (!sub->wanted && (sub->state == FEED_SUB_SENT || sub->state == FEED_SUB_ACTIVE))
			return sub;
		if (sub->state == FEED_SUB_SENT && mono - sub->since > SUBS_ACK && sub->tries < SUBS_TRIES)
			sub->state = FEED_SUB_NEW;
		if (sub->state == FEED_SUB_REFUSED && sub->full && mono - sub->since > SUBS_FULL &&
			sub->tries < SUBS_TRIES)
			sub->state = FEED_SUB_NEW;
		if (!enter && sub->wanted && sub->state == FEED_SUB_NEW)
			enter = sub;
	}
	return enter;
}

long
kis_feed_pump(QtsFeed *feed, int64_t mono)
{
	if (feed->phase != FEED_OPEN || feed->drop)
		return -1;
	if (feed->hts_id[0] != '\0' && feed->notices == FEED_SUB_NEW && mono >= feed->next_send)
	{
		if (!subs_send(feed, qts_kis_notice_tr(feed->id.environment), feed->hts_id, true, mono))
			return 10;
		feed->notices = FEED_SUB_SENT;
	}
	subs_plan(feed, mono);
	for (;;)
	{
		FeedSub *sub = subs_next(feed, mono);

		if (!sub)
			return -1;
		if (mono < feed->next_send)
			return (long) ((feed->next_send - mono) / QTS_MS + 1);
		if (!subs_send(feed, sub->book ? QTS_KIS_TR_BOOK : QTS_KIS_TR_TICK, sub->symbol, sub->wanted, mono))
			return 10;
		sub->state = sub->wanted ? FEED_SUB_SENT : FEED_SUB_LEAVING;
		sub->tries += sub->wanted;
		sub->since = mono;
	}
}

static void
subs_notice_answer(QtsFeed *feed, const QtsKisControl *control, int64_t mono)
{
	if (control->kind == QTS_KIS_CONTROL_ERROR && strcmp(control->msg_cd, "OPSP0002") != 0)
	{
		kis_feed_say(feed, control->msg);
		feed->drop = "the broker refused the notices";
		return;
	}
	if (control->has_key)
	{
		qts_kis_cipher_key(&feed->cipher, control->key, control->iv);
		kis_feed_release_held(feed, mono);
	}
	feed->notices = FEED_SUB_ACTIVE;
	kis_feed_up(feed, mono);
}

static void
subs_symbol_answer(QtsFeed *feed, const QtsKisControl *control, bool book)
{
	FeedSub *sub = kis_feed_sub(feed, control->tr_key, book);

	if (!sub)
		return;
	if (strcmp(control->msg_cd, "OPSP0001") == 0 || strcmp(control->msg_cd, "OPSP0003") == 0)
	{
		if (sub->state == FEED_SUB_LEAVING)
			subs_remove(feed, sub);
	}
	else if (sub->state == FEED_SUB_LEAVING)
		return;
	else if (control->kind == QTS_KIS_CONTROL_ACK || strcmp(control->msg_cd, "OPSP0002") == 0)
		sub->state = FEED_SUB_ACTIVE;
	else
	{
		sub->state = FEED_SUB_REFUSED;
		sub->full = strcmp(control->msg_cd, "OPSP0008") == 0;
	}
}

/* Errors about the session itself: there is nothing to gain from staying. */
static bool
subs_session_error(const char *code)
{
	static const char *const codes[] = {"OPSP0010", "OPSP0011", "OPSP8995", "OPSP8996",
										"OPSP8998", "OPSP9994", "OPSP9996"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
	{
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

void
kis_feed_control(QtsFeed *feed, const QtsKisControl *control, int64_t mono)
{
	if (control->kind == QTS_KIS_CONTROL_ERROR && subs_session_error(control->msg_cd))
	{
		/* the key may be a day old, or of a host that forgot it */
		if (strcmp(control->msg_cd, "OPSP8996") != 0)
			explicit_bzero(feed->approval, sizeof(feed->approval));
		kis_feed_say(feed, control->msg);
		feed->drop = "the broker refused the session";
	}
	else if (strcmp(control->tr_id, qts_kis_notice_tr(feed->id.environment)) == 0)
		subs_notice_answer(feed, control, mono);
	else if (strcmp(control->tr_id, QTS_KIS_TR_TICK) == 0)
		subs_symbol_answer(feed, control, false);
	else if (strcmp(control->tr_id, QTS_KIS_TR_BOOK) == 0)
		subs_symbol_answer(feed, control, true);
}
