/*-------------------------------------------------------------------------
 *
 * master.c
 *		Lines of the broker's master files.
 *
 *-------------------------------------------------------------------------
 */
#include "core/master.h"

#include <string.h>

#include "core/session.h"

#define MASTER_CODE 9
#define MASTER_HEAD 21 /* short code and ISIN */

/* Offsets in the tail; the KOSDAQ file has five index flags fewer before them, and one after. */
typedef struct MasterLayout
{
	int tail;
	int halted;
	int liquidation;
	int managed;
	int warning; /* two digits, 00 = none */
	int listed;	 /* YYYYMMDD */
	int market_cap;
} MasterLayout;

#define MASTER_CAP_WIDTH 9
#define MASTER_CAP_UNIT INT64_C(100000000)

static const MasterLayout layouts[] = {
	[QTS_MASTER_KOSPI] = {227, 60, 61, 62, 63, 105, 212},
	[QTS_MASTER_KOSDAQ] = {221, 55, 56, 57, 58, 100, 206},
};

static bool
master_number(const char *text, int width, int64_t *out)
{
	int64_t value = 0;
	bool any = false;

	for (int i = 0; i < width; i++)
	{
		if (text[i] == ' ')
			continue;
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
		any = true;
	}
	*out = value;
	return any;
}

static bool
master_symbol(const char *line, char *symbol)
{
	int len = MASTER_CODE;

	while (len > 0 && line[len - 1] == ' ')
		len--;
	if (len != 6 && !(len == 7 && line[0] == 'Q'))
		return false;
	for (int i = 0; i < len; i++)
	{
		if (!((line[i] >= '0' && line[i] <= '9') || (line[i] >= 'A' && line[i] <= 'Z')))
			return false;
	}
	memcpy(symbol, line, (size_t) len);
	symbol[len] = '\0';
	return true;
}

/* Group of securities: ST and the like are shares, EF, EN and EW exchange-traded products. */
static QtsInstrument
master_instrument(const char *tail)
{
	bool etp = tail[0] == 'E' && (tail[1] == 'F' || tail[1] == 'N' || tail[1] == 'W');

	return etp ? QTS_INSTRUMENT_ETP : QTS_INSTRUMENT_STOCK;
}

static bool
master_flags_sane(const MasterLayout *layout, const char *tail)
{
	const int at[] = {layout->halted, layout->liquidation, layout->managed};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
	{
		if (tail[at[i]] != 'Y' && tail[at[i]] != 'N')
			return false;
	}
	return true;
}

const char *
qts_master_parse(QtsMasterMarket market, const char *line, int len, QtsMasterRow *row)
{
	const MasterLayout *layout = &layouts[market];
	const char *tail = line + len - layout->tail;
	int64_t number;

	memset(row, 0, sizeof(*row));
	if (len <= MASTER_HEAD + layout->tail)
		return "the line is too short";
	if (!master_symbol(line, row->symbol))
		return "not a code of a stock, ETF or ETN";
	if (!master_flags_sane(layout, tail))
		return "its flags are not where they belong";
	row->name = line + MASTER_HEAD;
	row->name_len = len - MASTER_HEAD - layout->tail;
	while (row->name_len > 0 && row->name[row->name_len - 1] == ' ')
		row->name_len--;
	if (row->name_len == 0)
		return "the name is empty";
	row->instrument = master_instrument(tail);
	row->halted = tail[layout->halted] == 'Y';
	row->managed = tail[layout->managed] == 'Y';
	row->warning = tail[layout->liquidation] == 'Y' ||
				   (master_number(tail + layout->warning, 2, &number) && number != 0);
	row->listed_known = master_number(tail + layout->listed, 8, &number) && number <= INT32_MAX &&
						qts_date_from_yyyymmdd((int32_t) number, &row->listed);
	if (master_number(tail + layout->market_cap, MASTER_CAP_WIDTH, &number))
		row->market_cap = number * MASTER_CAP_UNIT;
	return NULL;
}
