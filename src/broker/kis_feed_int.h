/*-------------------------------------------------------------------------
 *
 * kis_feed_int.h
 *		Insides of a KIS feed, for kis_feed.c, kis_feed_subs.c, kis_feed_data.c.
 *
 * The connection belongs to kis_feed.c, what is registered at the broker to
 * kis_feed_subs.c, the rings and the decoding to kis_feed_data.c.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BROKER_KIS_FEED_INT_H
#define QTS_BROKER_KIS_FEED_INT_H

#include "broker/feed.h"
#include "broker/kis_session.h"
#include "kis/kis_frame.h"
#include "net/ws.h"

#define FEED_TICKS 8192	  /* power of two; the oldest are dropped */
#define FEED_BOOKS 512	  /* power of two; the oldest are dropped */
#define FEED_NOTICES 4096 /* power of two; never dropped: reading stops */
#define FEED_HELD 16	  /* encrypted frames that came before their key */
#define FEED_HELD_SIZE 8192
#define FEED_TR_KEY 64

typedef enum FeedPhase
{
	FEED_WAITING, /* until next_try */
	FEED_ASKING,  /* for an approval key */
	FEED_CONNECTING,
	FEED_OPEN
} FeedPhase;

typedef enum FeedSubState
{
	FEED_SUB_NEW,
	FEED_SUB_SENT,
	FEED_SUB_ACTIVE,
	FEED_SUB_LEAVING, /* unsubscribe sent */
	FEED_SUB_REFUSED  /* by the broker; asked again on this connection only if it had no room */
} FeedSubState;

typedef struct FeedSub
{
	char symbol[QTS_SYMBOL_LEN + 1];
	bool book; /* else trades */
	FeedSubState state;
	bool wanted;
	bool full; /* refused because there were too many */
	int tries;
	int64_t since; /* monotonic us of the last message about it */
} FeedSub;

typedef struct FeedKey
{
	char symbol[QTS_SYMBOL_LEN + 1];
	bool book;
} FeedKey;

struct QtsFeed
{
	KisIdentity id;
	char ws_url[KIS_URL_LEN + 32];
	char hts_id[FEED_TR_KEY];
	bool plain_allowed;
	bool paced;	   /* not on loopback */
	bool unusable; /* configuration: never tries */

	FeedPhase phase;
	QtsFeedState state;
	uint64_t epoch;
	char why[KIS_WHY_LEN + 1];
	char approval[QTS_KIS_APPROVAL_LEN + 1];
	int64_t approval_until; /* monotonic us */
	QtsHttp *http;
	QtsWs *ws;
	int64_t next_try;
	int64_t since; /* start of the phase */
	int64_t up_since;
	int64_t last_frame;
	int failures;
	const char *drop; /* close at the next drive: why */
	bool paused;

	FeedSubState notices; /* registration of the HTS id */
	FeedSub subs[QTS_FEED_MAX_KEYS];
	int sub_count;
	FeedKey wanted[QTS_FEED_MAX_KEYS];
	int wanted_count;
	int64_t next_send;

	QtsKisCipher cipher; /* of the notice TR alone */
	int sealed;			 /* notices in a row that the key did not open */
	char *held[FEED_HELD];
	size_t held_len[FEED_HELD];
	int held_count;

	int64_t clock_offset; /* wall - monotonic, of the last drive */
	QtsFeedCounters counters;
	QtsTick *ticks;
	uint32_t tick_head;
	uint32_t tick_tail;
	QtsBook *books;
	uint32_t book_head;
	uint32_t book_tail;
	QtsNotice *notice_ring;
	uint32_t notice_head;
	uint32_t notice_tail;
	char *plain; /* decrypted text */
	size_t plain_size;
};

/* kis_feed.c */
extern void kis_feed_say(QtsFeed *feed, const char *why);
extern void kis_feed_up(QtsFeed *feed, int64_t mono);

/* kis_feed_subs.c */
extern int kis_feed_capacity(const QtsFeed *feed);
extern void kis_feed_subs_reset(QtsFeed *feed);
extern FeedSub *kis_feed_sub(QtsFeed *feed, const char *symbol, bool book);
/* Send what is due; ms until more is, -1 = nothing left to send. */
extern long kis_feed_pump(QtsFeed *feed, int64_t mono);
extern void kis_feed_control(QtsFeed *feed, const QtsKisControl *control, int64_t mono);

/* kis_feed_data.c */
extern bool kis_feed_data_open(QtsFeed *feed);
extern void kis_feed_data_close(QtsFeed *feed);
extern void kis_feed_data(QtsFeed *feed, const char *text, size_t len, int64_t mono);
extern void kis_feed_release_held(QtsFeed *feed, int64_t mono);
extern void kis_feed_drop_held(QtsFeed *feed);

#endif /* QTS_BROKER_KIS_FEED_INT_H */
