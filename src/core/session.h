/*-------------------------------------------------------------------------
 *
 * session.h
 *		Trading calendar: which phase of which trading day an instant is in.
 *
 * A day is data (table market.calendar): late openings (CSAT day, first
 * trading day of the year), closed days and shifted closes are rows, never
 * code.  An instant without a row is closed: unknown means do not trade.
 * When a phase is, is data (market.sessions); what may be done in it is code,
 * because the order types of the engine are accepted in no other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_SESSION_H
#define QTS_CORE_SESSION_H

#include "core/core.h"

typedef enum QtsSessionPhase
{
	QTS_SESSION_UNKNOWN,		 /* no calendar row for the day: fail closed */
	QTS_SESSION_CLOSED,			 /* holiday, night, before the opening auction */
	QTS_SESSION_OPENING_AUCTION, /* orders collected, nothing prints */
	QTS_SESSION_CONTINUOUS,
	QTS_SESSION_CLOSING_AUCTION, /* orders collected, nothing prints */
	QTS_SESSION_AFTER_CLOSE,	 /* prints may still arrive; no order leaves */
	QTS_SESSION_PRE_MARKET,		 /* extended trading before the auction: seen, not traded */
	QTS_SESSION_AFTER_MARKET	 /* extended trading in the evening: seen, not traded */
} QtsSessionPhase;

typedef struct QtsCalendarDay
{
	QtsDate date;
	bool is_open;
	bool doubtful; /* the broker refused an order of the day as out of hours */
	/* offsets from 00:00 Asia/Seoul of the day */
	QtsTime auction_at;			/* 08:30 on a normal day */
	QtsTime open_at;			/* 09:00 */
	QtsTime closing_auction_at; /* 15:20 */
	QtsTime close_at;			/* 15:30 */
	QtsTime end_at;				/* 16:00: the last instant prints are expected */
	/* extended trading, both 0 = none: [at, until) outside of auction_at .. end_at */
	QtsTime pre_at;
	QtsTime pre_until;
	QtsTime after_at; /* 16:00 to 20:00 since 2026-09-14 */
	QtsTime after_until;
} QtsCalendarDay;

/* Times of a normal day; CSAT day is the same shifted by one hour. */
extern QtsCalendarDay qts_calendar_normal(QtsDate date);

extern QtsDate qts_seoul_date(QtsTime at);
extern QtsTime qts_seoul_time_of_day(QtsTime at);
extern QtsTime qts_seoul_instant(QtsDate date, QtsTime time_of_day);

/* YYYYMMDD and HHMMSS as on the wire; parse returns false on anything else. */
extern int32_t qts_date_yyyymmdd(QtsDate date);
extern bool qts_date_from_yyyymmdd(int32_t yyyymmdd, QtsDate *out);
extern int qts_weekday(QtsDate date); /* 0 = Sunday */

/*
 * Phase of the instant; day is the row of qts_seoul_date(at), or NULL when
 * there is none.
 */
extern QtsSessionPhase qts_session_phase(const QtsCalendarDay *day, QtsTime at);

/* May an order of this type leave now?  Market and limit orders: kis-api 8.1. */
extern bool qts_session_accepts_orders(QtsSessionPhase phase);
/* May automatic exits be evaluated on prices of this phase? */
extern bool qts_session_evaluates(QtsSessionPhase phase);
/* Are prints expected all the time, so that their absence means something? */
extern bool qts_session_prints(QtsSessionPhase phase);
/* Is regular trading over or not begun: does nothing of it follow before the next session? */
extern bool qts_session_resting(QtsSessionPhase phase);
/*
 * The broker says that the market is closed: does that contradict the calendar?
 * Not within a minute of the edges of the session, where clocks differ.
 */
extern bool qts_session_contradicted(const QtsCalendarDay *day, QtsTime at);
extern const char *qts_session_phase_name(QtsSessionPhase phase);

#endif /* QTS_CORE_SESSION_H */
