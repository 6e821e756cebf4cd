/*-------------------------------------------------------------------------
 *
 * kis_book.c
 *		Order books, best first whatever order the levels came in.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "kis/kis_frame_int.h"
#include "kis/kis_quote.h"

/* H0STASP0 field numbers (kis-api 5.5b): 59 fields are known, later ones are of no interest. */
enum
{
	BOOK_CODE = 0,
	BOOK_HOUR = 1,
	BOOK_ASK = 3,
	BOOK_BID = 13,
	BOOK_ASK_QTY = 23,
	BOOK_BID_QTY = 33,
	BOOK_FIELDS = 43,
	BOOK_MIN_WIDTH = 59
};

bool
qts_kis_book_add(QtsBook *book, bool ask, QtsKrw price, QtsQty qty)
{
	QtsBookLevel *level = ask ? book->ask : book->bid;
	int n = 0;
	int at = 0;

	if (price < 0 || price > QTS_KIS_MAX_PRICE || qty < 0)
		return false;
	if (price == 0 || qty == 0)
		return true;
	while (n < QTS_BOOK_LEVELS && level[n].price > 0)
		n++;
	while (at < n && (ask ? level[at].price < price : level[at].price > price))
		at++;
	/* two levels of one price are not a book */
	if (n == QTS_BOOK_LEVELS || (at < n && level[at].price == price))
		return false;
	memmove(&level[at + 1], &level[at], (size_t) (n - at) * sizeof(*level));
	level[at] = (QtsBookLevel){.price = price, .qty = qty};
	return true;
}

static bool
book_side(const QtsKisField *f, bool ask, QtsBook *book)
{
	for (int i = 0; i < QTS_BOOK_LEVELS; i++)
	{
		QtsKrw price;
		QtsQty qty;

		if (!frame_price(f[(ask ? BOOK_ASK : BOOK_BID) + i], &price) ||
			!frame_number(f[(ask ? BOOK_ASK_QTY : BOOK_BID_QTY) + i], &qty) ||
			!qts_kis_book_add(book, ask, price, qty))
			return false;
	}
	return true;
}

QtsKisDecode
qts_kis_book_next(QtsKisRecords *records, QtsTime recv_at, QtsBook *book)
{
	QtsKisField f[BOOK_FIELDS];
	int width = qts_kis_records_next(records, f, BOOK_FIELDS);
	QtsTime of_day;

	if (width == 0)
		return QTS_KIS_END;
	memset(book, 0, sizeof(*book));
	/* as wide as two of them: the frame has more records than it says */
	if (width < BOOK_MIN_WIDTH || width >= 2 * BOOK_MIN_WIDTH ||
		!qts_kis_copy_symbol(book->symbol, f[BOOK_CODE].s, f[BOOK_CODE].len) || !book_side(f, true, book) ||
		!book_side(f, false, book))
		return QTS_KIS_MALFORMED;
	of_day = frame_clock(f[BOOK_HOUR]);
	book->exch_at = of_day < 0 ? QTS_TIME_NONE : qts_kis_instant_near(of_day, recv_at);
	book->recv_at = recv_at;
	return QTS_KIS_DECODED;
}
