/*-------------------------------------------------------------------------
 *
 * kis_frame_int.h
 *		Fields of data frames, for the frame decoders of kis/ only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_FRAME_INT_H
#define QTS_KIS_FRAME_INT_H

#include "kis/kis_frame.h"
#include "kis/kis_text.h"

/* Unsigned number of at most 18 digits; empty is 0, anything else is refused. */
static inline bool
frame_number(QtsKisField field, int64_t *out)
{
	int64_t value = 0;

	if (field.len > 18)
		return qts_kis_parse_integer(field.s, field.len, out) == QTS_KIS_NUMBER && *out >= 0;
	for (size_t i = 0; i < field.len; i++)
	{
		unsigned digit = (unsigned) (field.s[i] - '0');

		if (digit > 9)
			return qts_kis_parse_integer(field.s, field.len, out) == QTS_KIS_NUMBER && *out >= 0;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* The same for a price, which has a bound. */
static inline bool
frame_price(QtsKisField field, int64_t *out)
{
	return frame_number(field, out) && *out <= QTS_KIS_MAX_PRICE;
}

/* HHMMSS as microseconds of the day, -1 when it is none. */
static inline QtsTime
frame_clock(QtsKisField field)
{
	int64_t c;

	if (field.len != 6 || !frame_number(field, &c) || c > 235959 || c / 100 % 100 > 59 || c % 100 > 59)
		return -1;
	return c / 10000 * QTS_HOUR + c / 100 % 100 * QTS_MINUTE + c % 100 * QTS_SEC;
}

#endif /* QTS_KIS_FRAME_INT_H */
