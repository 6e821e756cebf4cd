/*-------------------------------------------------------------------------
 *
 * fuzz_rest.c
 *		REST bodies: whatever comes, a verdict is given and nothing is believed
 *		that the body does not prove.
 *
 * The first byte chooses status and paging, the rest is the body; every
 * parser reads it.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "kis/kis_answer.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool fact)
{
	if (!fact)
		abort();
}

static void
fuzz_order(int status, const char *body, size_t len)
{
	char odno[QTS_ODNO_LEN + 1];
	char orgno[QTS_ORGNO_LEN + 1];
	QtsKisVerdict v = qts_kis_parse_order(status, body, len, odno, orgno);

	require((v.outcome == QTS_OUTCOME_OK) == (odno[0] != '\0'));
	require(v.outcome != QTS_OUTCOME_OK || strspn(odno, "0123456789") == QTS_ODNO_LEN);
	require(strlen(orgno) <= QTS_ORGNO_LEN && strlen(v.msg) <= QTS_MSG_LEN &&
			strlen(v.msg_cd) <= QTS_MSG_CD_LEN);
}

static void
fuzz_ledger(int status, const char *body, size_t len, bool more)
{
	QtsLedger ledger = {0};
	QtsKisPage page = {"", ""};
	QtsKisRequest request;
	QtsKisVerdict v;

	/* twice: the second page is appended to the first */
	for (int i = 0; i < 2; i++)
	{
		int before = ledger.count;

		ledger.complete = false;
		v = qts_kis_parse_ledger(i ? QTS_ENV_PAPER : QTS_ENV_LIVE, status, body, len, more, &ledger, &page);
		require(v.outcome == QTS_OUTCOME_OK ? ledger.complete == !more
											: ledger.count == before && !ledger.complete);
	}
	for (int i = 0; i < ledger.count; i++)
	{
		const QtsLedgerRow *row = &ledger.rows[i];

		require(strlen(row->odno) == QTS_ODNO_LEN && row->order.qty >= 0 && row->filled >= -1);
		require(strlen(row->order.symbol) == 6 || strlen(row->order.symbol) == QTS_SYMBOL_LEN);
	}
	/* whatever context came, it can be echoed */
	require(qts_kis_build_ledger(&request, QTS_ENV_LIVE, "12345678-01", 9000, 9000, &page));
	free(ledger.rows);
}

static void
fuzz_open_list(int status, const char *body, size_t len, bool more)
{
	for (int paper = 0; paper < 2; paper++)
	{
		QtsOpenList list = {0};
		QtsKisPage page = {"", ""};
		QtsKisVerdict v = qts_kis_parse_open_list(paper ? QTS_ENV_PAPER : QTS_ENV_LIVE, status, body, len,
												  more, &list, &page);

		require(v.outcome == QTS_OUTCOME_OK ? list.complete == !more : list.count == 0);
		for (int i = 0; i < list.count; i++)
			require(strlen(list.rows[i].odno) == QTS_ODNO_LEN && list.rows[i].qty >= 0 &&
					list.rows[i].filled >= -1 && list.rows[i].cancellable >= -1);
		free(list.rows);
	}
}

static void
fuzz_balance(int status, const char *body, size_t len, bool more)
{
	QtsBalance balance = {0};
	QtsKisPage page = {"", ""};

	(void) qts_kis_parse_balance(status, body, len, more, &balance, &page);
	for (int i = 0; i < balance.count; i++)
		require(balance.rows[i].qty >= 0 && balance.rows[i].name[63] == '\0');
	free(balance.rows);
}

static void
fuzz_oauth(int status, const char *body, size_t len)
{
	QtsKisToken token;
	char key[QTS_KIS_APPROVAL_LEN + 1];

	require((qts_kis_parse_token(status, body, len, &token).outcome == QTS_OUTCOME_OK) ==
			(token.token[0] != '\0'));
	require(!strpbrk(token.token, "\r\n \""));
	require((qts_kis_parse_approval(status, body, len, key).outcome == QTS_OUTCOME_OK) == (key[0] != '\0'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 500, 403, 502};
	const char *body = (const char *) data + 1;
	int status;
	bool more;

	if (size == 0)
		return 0;
	status = statuses[data[0] & 3];
	more = (data[0] & 4) != 0;
	fuzz_order(status, body, size - 1);
	fuzz_ledger(status, body, size - 1, more);
	fuzz_open_list(status, body, size - 1, more);
	fuzz_balance(status, body, size - 1, more);
	fuzz_oauth(status, body, size - 1);
	return 0;
}
