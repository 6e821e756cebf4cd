/*-------------------------------------------------------------------------
 *
 * master.h
 *		Lines of the broker's master files kospi_code.mst and kosdaq_code.mst.
 *
 * Fixed width, CP949: short code 9, ISIN 12, name, then a tail of ASCII fields
 * whose length depends on the market.  The widths are those of the broker's own
 * readers (github.com/koreainvestment/open-trading-api, stocks_info/
 * kis_kospi_code_mst.py and kis_kosdaq_code_mst.py).
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_CORE_MASTER_H
#define QTS_CORE_MASTER_H

#include "core/tick.h"

typedef enum QtsMasterMarket
{
	QTS_MASTER_KOSPI,
	QTS_MASTER_KOSDAQ
} QtsMasterMarket;

typedef struct QtsMasterRow
{
	char symbol[QTS_SYMBOL_LEN + 1];
	const char *name; /* in the line, not terminated, in the encoding of the file */
	int name_len;
	QtsInstrument instrument;
	bool halted;
	bool managed;
	bool warning; /* caution, warning or risk, or trading before its delisting */
	bool listed_known;
	QtsDate listed;
	int64_t market_cap; /* KRW, 0 = not given */
} QtsMasterRow;

/* What is wrong with the line, NULL = nothing.  The line comes without its end. */
extern const char *qts_master_parse(QtsMasterMarket market, const char *line, int len, QtsMasterRow *row);

#endif /* QTS_CORE_MASTER_H */
