/*-------------------------------------------------------------------------
 *
 * fill.c
 *		How many shares of an order are filled, from two unreliable witnesses.
 *
 * Invariants kept by every call: booked = max(notices, ledger) <= ordered,
 * and nothing in the book ever decreases.
 *
 *-------------------------------------------------------------------------
 */
#include "core/fill.h"
#include "core/money.h"

/* qty * price in KRW, rounded half up. */
static QtsKrw
fill_amount(QtsQty qty, QtsPrice price)
{
	__int128 twice = (__int128) qty * price * 2 + QTS_PRICE_SCALE;
	__int128 amount = twice / (QTS_PRICE_SCALE * 2);

	return amount > INT64_MAX ? INT64_MAX : (QtsKrw) amount;
}

static void
fill_add_amount(QtsKrw *sum, QtsKrw amount)
{
	if (!qts_add_checked(*sum, amount, sum))
		*sum = INT64_MAX;
}

static QtsQty
fill_unbooked(const QtsFillBook *book)
{
	QtsQty proven = book->notice_qty > book->ledger_qty ? book->notice_qty : book->ledger_qty;

	return proven > book->booked_qty ? proven - book->booked_qty : 0;
}

static void
fill_book(QtsFillBook *book, QtsFillStep *step, QtsQty qty, QtsPrice price)
{
	step->qty = qty;
	step->price = price;
	book->booked_qty += qty;
	fill_add_amount(&book->booked_amount, fill_amount(qty, price));
}

/* The last notice of an order: together they tell its amount, whoever booked the first shares. */
static QtsPrice
fill_notice_price(const QtsFillBook *book, QtsQty fresh, QtsPrice price)
{
	QtsPrice rest;

	if (book->notice_qty < book->ordered)
		return price;
	rest = qts_average_price(book->notice_amount - book->booked_amount, fresh);
	return rest > 0 ? rest : price;
}

QtsFillStep
qts_fill_notice(QtsFillBook *book, QtsQty qty, QtsPrice price, bool repeat)
{
	QtsFillStep step = {0};
	QtsQty fresh;

	if (qty <= 0 || price <= 0 || repeat)
		return step;
	if (qty > book->ordered - book->notice_qty)
	{
		step.excess = true;
		return step;
	}
	book->notice_qty += qty;
	fill_add_amount(&book->notice_amount, fill_amount(qty, price));
	fresh = fill_unbooked(book);
	if (fresh > 0)
		fill_book(book, &step, fresh, fill_notice_price(book, fresh, price));
	return step;
}

/* What the shares the ledger shows beyond the booked ones have cost. */
static QtsPrice
fill_ledger_price(const QtsFillBook *book, QtsQty fresh)
{
	QtsPrice price = qts_average_price(book->ledger_amount - book->booked_amount, fresh);

	/* a wrong notice has eaten the amount: the ledger's own average remains */
	if (price <= 0)
		price = qts_average_price(book->ledger_amount, book->ledger_qty);
	return price;
}

QtsFillStep
qts_fill_ledger(QtsFillBook *book, QtsQty qty, QtsKrw amount, bool dead)
{
	QtsFillStep step = {0};
	QtsQty fresh;

	if (qty < 0 || qty > book->ordered)
	{
		step.dispute = true;
		return step;
	}
	step.dispute = dead && qty < book->booked_qty;
	/* the amount may lag behind the quantity: wait for a row that has both */
	if (qty < book->ledger_qty || amount <= 0)
		return step;
	if (amount > book->ledger_amount)
		book->ledger_amount = amount;
	book->ledger_qty = qty;
	fresh = fill_unbooked(book);
	if (fresh > 0)
		fill_book(book, &step, fresh, fill_ledger_price(book, fresh));
	return step;
}
