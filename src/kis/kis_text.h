/*-------------------------------------------------------------------------
 *
 * kis_text.h
 *		Bounded text for the wire format: numbers, copies, a small writer.
 *
 * The broker sends every number as a string, often padded, sometimes empty.
 * Empty or "-" is "absent", never 0; anything that is not wholly a number is
 * junk.  No allocation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_TEXT_H
#define QTS_KIS_TEXT_H

#include "broker/broker.h"

#define QTS_KIS_MAX_PRICE INT64_C(1000000000000) /* in QTS_PRICE_SCALE it still fits */

typedef enum QtsKisNumber
{
	QTS_KIS_NUMBER,
	QTS_KIS_ABSENT,
	QTS_KIS_JUNK
} QtsKisNumber;

/* Integer, sign and leading zeros allowed; a fraction only when it is zero. */
extern QtsKisNumber qts_kis_parse_integer(const char *s, size_t len, int64_t *out);

/* Decimal in 1/10 000; further digits are cut. */
extern QtsKisNumber qts_kis_parse_decimal(const char *s, size_t len, QtsPrice *out);

/* Copy without outer blanks, cut at a whole UTF-8 character; control bytes become blanks. */
extern void qts_kis_copy_text(char *out, size_t size, const char *s, size_t len);

/* Order number as 10 digits; "" stays "".  False when it is not a number of at most 10 digits. */
extern bool qts_kis_copy_odno(char out[QTS_ODNO_LEN + 1], const char *s, size_t len);

/* Six or seven of [0-9A-Z]; a leading A of seven is dropped. */
extern bool qts_kis_copy_symbol(char out[QTS_SYMBOL_LEN + 1], const char *s, size_t len);

/* Ten digits to NNNNNNNN-NN, and the test of the latter. */
extern bool qts_kis_copy_account(char out[12], const char *s, size_t len);
extern bool qts_kis_account_valid(const char *account);
extern bool qts_kis_symbol_valid(const char *symbol);

/*
 * A change against the previous close: codes 4 and 5 are down whatever the
 * number says; for the others the rate has the last word (runtime 3.1).
 */
extern int64_t qts_kis_change(int64_t change, char sign, int rate_sign);

/*
 * HHMMSS of a message that tells no day, in microseconds of the day: today in
 * Seoul, or yesterday when that has not come yet.
 */
extern QtsTime qts_kis_instant_near(QtsTime of_day, QtsTime now);

/* Appends until full; overflow is remembered, never silent. */
typedef struct QtsKisWriter
{
	char *out;
	size_t size;
	size_t len;
	bool full;
} QtsKisWriter;

extern QtsKisWriter qts_kis_writer(char *out, size_t size);
extern void qts_kis_put(QtsKisWriter *w, const char *s);
extern void qts_kis_put_integer(QtsKisWriter *w, int64_t value);
extern void qts_kis_put_json(QtsKisWriter *w, const char *s);  /* escaped, without quotes */
extern void qts_kis_put_query(QtsKisWriter *w, const char *s); /* percent-encoded */

#endif /* QTS_KIS_TEXT_H */
