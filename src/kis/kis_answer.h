/*-------------------------------------------------------------------------
 *
 * kis_answer.h
 *		What a KIS answer means: verdicts, tokens, order numbers, lists.
 *
 * A verdict is taken from the body's code first and from the HTTP status
 * second (kis-api 6.1).  For an order, OK and REJECTED are only said when the
 * body proves them; everything else that may have been accepted is UNKNOWN.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_ANSWER_H
#define QTS_KIS_ANSWER_H

#include "broker/broker.h"
#include "kis/kis_request.h"

typedef enum QtsKisCall
{
	QTS_KIS_CALL_OAUTH,
	QTS_KIS_CALL_ORDER, /* order or cancel: never repeated blindly */
	QTS_KIS_CALL_QUERY	/* UNKNOWN then means: ask again */
} QtsKisCall;

/* What else the code tells the session. */
typedef enum QtsKisFollow
{
	QTS_KIS_FOLLOW_NONE,
	QTS_KIS_FOLLOW_RATE,		/* this app key is too fast */
	QTS_KIS_FOLLOW_LEDGER_RATE, /* the house's ledger pool is full */
	QTS_KIS_FOLLOW_TOKEN,		/* token expired or not known */
	QTS_KIS_FOLLOW_TOKEN_WAIT,	/* one token a minute */
	QTS_KIS_FOLLOW_KEY			/* wrong app key or secret */
} QtsKisFollow;

typedef struct QtsKisVerdict
{
	QtsOutcome outcome;
	QtsKisFollow follow;
	bool empty; /* success without rows, said so */
	char msg_cd[QTS_MSG_CD_LEN + 1];
	char msg[QTS_MSG_LEN + 1];
} QtsKisVerdict;

/* Verdict of a body alone; the parsers below include it. */
extern QtsKisVerdict qts_kis_classify(QtsKisCall call, int http_status, const char *body, size_t len);

/* Accepted order or cancel: odno and orgno (5 digits or ""). */
extern QtsKisVerdict qts_kis_parse_order(int http_status, const char *body, size_t len,
										 char odno[QTS_ODNO_LEN + 1], char orgno[QTS_ORGNO_LEN + 1]);

typedef struct QtsKisToken
{
	char token[QTS_KIS_TOKEN_LEN + 1];
	int64_t expires_in; /* seconds, at most 7 days */
} QtsKisToken;

extern QtsKisVerdict qts_kis_parse_token(int http_status, const char *body, size_t len, QtsKisToken *out);
extern QtsKisVerdict
qts_kis_parse_approval(int http_status, const char *body, size_t len, char key[QTS_KIS_APPROVAL_LEN + 1]);

#define QTS_KIS_MAX_ROWS 200000 /* that are held of one list */

/*
 * One page appended to the list; page receives the keys of the next one.
 * more: what the tr_cont header of the answer said.  The list becomes
 * complete when more is false.  On any outcome but OK nothing is appended.
 */
extern QtsKisVerdict qts_kis_parse_ledger(QtsEnvironment environment, int http_status, const char *body,
										  size_t len, bool more, QtsLedger *ledger, QtsKisPage *page);
extern QtsKisVerdict qts_kis_parse_open_list(QtsEnvironment environment, int http_status, const char *body,
											 size_t len, bool more, QtsOpenList *list, QtsKisPage *page);
extern QtsKisVerdict qts_kis_parse_balance(int http_status, const char *body, size_t len, bool more,
										   QtsBalance *balance, QtsKisPage *page);

/* tr_cont of an answer: F and M go on, D, E and nothing end; false = none of them. */
extern bool qts_kis_tr_cont(const char *value, bool *more);

#endif /* QTS_KIS_ANSWER_H */
