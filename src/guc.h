/*-------------------------------------------------------------------------
 *
 * guc.h
 *		Settings of the engine, one struct.  docs/settings.md describes them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_GUC_H
#define QTS_GUC_H

#include "postgres.h"

typedef enum QtsTradingMode
{
	QTS_TRADING_OFF,
	QTS_TRADING_PAPER,
	QTS_TRADING_LIVE
} QtsTradingMode;

#define QTS_LIVE_ACK "I_UNDERSTAND_LIVE_TRADING"

/* What an order of another program on one of our accounts does. */
typedef enum QtsForeignOrders
{
	QTS_FOREIGN_HALT,
	QTS_FOREIGN_RECORD
} QtsForeignOrders;

/* Of which symbols the broker is asked for daily bars and base prices. */
typedef enum QtsReferenceData
{
	QTS_REFERENCE_OFF,
	QTS_REFERENCE_FOLLOWED,
	QTS_REFERENCE_ALL
} QtsReferenceData;

/* What the engine does about stale prices by itself. */
typedef enum QtsEscalating
{
	QTS_ESCALATE_OFF,
	QTS_ESCALATE_ALERT,
	QTS_ESCALATE_ACT
} QtsEscalating;

typedef struct QtsGuc
{
	int balance_interval; /* s */
	int breaker_open;	  /* ms */
	int breaker_threshold;
	char *credentials_file;
	char *database;
	bool enabled;
	int error_limit;
	int escalation;			  /* QtsEscalating */
	int exit_interval;		  /* ms */
	int exit_max_price_age;	  /* ms */
	int exit_signal_interval; /* s */
	int foreign_api_orders;	  /* QtsForeignOrders */
	char *halt_file;
	int http_timeout;		  /* ms */
	int ledger_idle_interval; /* s */
	int ledger_interval;	  /* s */
	char *live_ack;
	int max_books;
	int max_clock_skew;			/* s; 0 = not looked at */
	int max_entries_per_minute; /* per account; 0 = no limit */
	int max_exits_per_minute;
	int max_order_attempts;
	int max_orders_per_minute; /* engine-wide */
	int max_slot_wal;		   /* MB */
	int max_symbols;
	int max_xid_age; /* transactions */
	bool naver_decides;
	char *naver_url;
	bool notify;
	bool quotes;
	int reference_data; /* QtsReferenceData */
	int rest_rate_live; /* calls per second */
	int rest_rate_paper;
	int rest_rate_sim;
	bool sim_clock;
	int tick_backlog; /* ticks */
	int trading_mode;
	int unfilled_gap_interval; /* ms */
	int unfilled_interval;	   /* ms */
	int unknown_grace_buy;	   /* s */
	int unknown_grace_sell;	   /* s */
} QtsGuc;

extern QtsGuc qts_guc;

extern void qts_guc_define(void);

/* May orders leave at all, by the settings and the halt file? */
extern bool qts_guc_trading_allowed(bool live_account, const char **why);

#endif /* QTS_GUC_H */
