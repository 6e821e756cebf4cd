/*-------------------------------------------------------------------------
 *
 * notice.c
 *		Execution notices: kept as they came, applied when their order is
 *		known (src/db/exec_notice.c).
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "t1.h"

static bool
is_repeat(const World *w, const T1Notice *notice, int order)
{
	(void) w;
	for (int i = 0; i < t1.nnotices; i++)
	{
		const T1Notice *other = &t1.notice[i];

		if (other->order == order && other->counted && other->hhmmss == notice->hhmmss &&
			other->qty == notice->qty && other->price == notice->price)
			return true;
	}
	return false;
}

static void
notice_apply(World *w, int i, T1Notice *notice)
{
	QtsOrderLife life = w->tables.order[i].life;
	bool repeat = notice->kind == QTS_NOTICE_FILL && is_repeat(w, notice, i);
	bool counted;
	QtsFillStep step = qts_life_notice(&life, notice->kind, notice->qty, notice->price, repeat, &counted);

	world_trace(w, "notice %d of order %d: %ld at %ld%s", (int) notice->kind, i, (long) notice->qty,
				(long) notice->price, repeat ? ", repeated" : "");
	t1_book(w, i, &step, true);
	notice->order = i;
	notice->counted = counted;
	t1_store_order(w, i, &life);
}

static bool
by_original(const T1Notice *notice)
{
	return (notice->kind == QTS_NOTICE_CANCELLED || notice->kind == QTS_NOTICE_REVISED) && notice->orig != 0;
}

bool
t1_notice(World *w, const QtsNotice *n, int64_t epoch, int64_t seq)
{
	T1Notice *notice = &t1.notice[t1.nnotices];
	int order;

	for (int i = t1.nnotices - 1; i >= 0; i--)
		if (t1.notice[i].epoch == epoch && t1.notice[i].seq == seq)
			return true; /* read twice after an error */
	if (t1.nnotices == MAX_NOTICES)
	{
		w->full = true;
		return false;
	}
	*notice = (T1Notice){.epoch = epoch,
						 .seq = seq,
						 .account = world_account_index(w, n->account),
						 .symbol = world_symbol_index(n->symbol),
						 .date = qts_seoul_date(w->now),
						 .kind = n->kind,
						 .odno = atoi(n->odno),
						 .orig = atoi(n->orgn_odno),
						 .sell = n->sell,
						 .market = strcmp(n->ord_dvsn, "01") == 0,
						 .qty = n->qty,
						 .price = n->price,
						 .order_qty = n->order_qty,
						 .hhmmss = n->hhmmss,
						 .order = NONE};
	t1.nnotices++;
	order =
		t1_find_order(w, notice->account, notice->date, by_original(notice) ? notice->orig : notice->odno);
	if (order != NONE)
		notice_apply(w, order, notice);
	return true;
}

void
t1_attach_notices(World *w, int i)
{
	const ChaosOrder *order = &w->tables.order[i];

	for (int k = 0; k < t1.nnotices; k++)
	{
		T1Notice *notice = &t1.notice[k];

		if (notice->order == NONE && notice->account == order->account && notice->date == order->date &&
			(by_original(notice) ? notice->orig : notice->odno) == order->odno)
			notice_apply(w, i, notice);
	}
}

/* For every order of the day that got its number since. */
void
t1_attach_late(World *w, int account, QtsDate date)
{
	for (int k = 0; k < t1.nnotices; k++)
	{
		const T1Notice *notice = &t1.notice[k];
		int order;

		if (notice->order != NONE || notice->account != account || notice->date != date)
			continue;
		order = t1_find_order(w, account, date, by_original(notice) ? notice->orig : notice->odno);
		if (order == NONE)
			continue;
		t1_begin(w);
		t1_attach_notices(w, order);
		t1_commit(w);
	}
}
