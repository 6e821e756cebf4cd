/*-------------------------------------------------------------------------
 *
 * bar.c
 *		Which bars can be true.
 *
 *-------------------------------------------------------------------------
 */
#include "core/bar.h"

bool
qts_bar_halted(const QtsBar *bar)
{
	return bar->open == 0 && bar->high == 0 && bar->low == 0;
}

const char *
qts_bar_fault(const QtsBar *bar, bool daily)
{
	if (bar->volume < 0 || bar->value < -1)
		return "the volume is negative";
	if (bar->close <= 0)
		return "the close is not positive";
	if (bar->high > QTS_BAR_MAX_KRW || bar->close > QTS_BAR_MAX_KRW)
		return "a price is beyond belief";
	if (daily && qts_bar_halted(bar))
		return NULL; /* what is traded off session may still count */
	if (bar->low <= 0)
		return "the low is not positive";
	if (bar->low > bar->open || bar->low > bar->close)
		return "the low is above the open or the close";
	if (bar->high < bar->open || bar->high < bar->close)
		return "the high is below the open or the close";
	return NULL;
}
