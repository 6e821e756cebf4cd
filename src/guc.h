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

typedef struct QtsGuc
{
	int balance_interval; /* s */
	char *credentials_file;
	char *database;
	bool enabled;
	int error_limit;
	int exit_interval;		/* ms */
	int exit_max_price_age; /* ms */
	char *halt_file;
	int http_timeout;		  /* ms */
	int ledger_idle_interval; /* s */
	int ledger_interval;	  /* s */
	char *live_ack;
	int max_order_attempts;
	int max_symbols;
	bool notify;
	int rest_rate_live; /* calls per second */
	int rest_rate_paper;
	int rest_rate_sim;
	bool sim_clock;
	int trading_mode;
	int unknown_grace_buy;	/* s */
	int unknown_grace_sell; /* s */
} QtsGuc;

extern QtsGuc qts_guc;

extern void qts_guc_define(void);

/* May orders leave at all, by the settings and the halt file? */
extern bool qts_guc_trading_allowed(bool live_account, const char **why);

#endif /* QTS_GUC_H */
