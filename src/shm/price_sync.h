/*-------------------------------------------------------------------------
 *
 * price_sync.h
 *		What the prices worker shows of itself: tiers, sources, freshness.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_SHM_PRICE_SYNC_H
#define QTS_SHM_PRICE_SYNC_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "core/freshness.h"
#include "core/poll.h"
#include "core/source_health.h"

typedef struct QtsTierShown
{
	int symbols;
	int64 interval; /* us */
	int64 sweep;	/* us from the oldest answer to the newest; -1 = not all answered yet */
} QtsTierShown;

typedef struct QtsSourceShown
{
	char state[16];
	uint64 asked; /* requests */
	uint64 brought;
	uint64 refused; /* rows that could not be read or believed */
	uint64 answers[QTS_QUOTED_KINDS];
	char detail[96];
} QtsSourceShown;

/* Written whole, about once a second; since 0 = no worker. */
typedef struct QtsPriceSync
{
	TimestampTz since;
	QtsTierShown tier[QTS_TIERS];
	QtsSourceShown rest;
	QtsSourceShown naver;
	QtsFreshness fresh;
	bool judged; /* fresh is of this session: prices are expected */
	bool emergency;
	TimestampTz emergency_since;
} QtsPriceSync;

#endif /* QTS_SHM_PRICE_SYNC_H */
