/*-------------------------------------------------------------------------
 *
 * kis_answer.c
 *		Verdicts on KIS answers (kis-api 6), tokens and order numbers.
 *
 *-------------------------------------------------------------------------
 */
#include "kis/kis_answer.h"

#include <string.h>

#include "kis/kis_answer_int.h"

#define ANSWER_MAX_LIFE (7 * 86400)

typedef struct AnswerCode
{
	const char *code;
	QtsOutcome outcome;
	QtsKisFollow follow;
} AnswerCode;

/* Codes that mean the same for orders and queries. */
static const AnswerCode answer_codes[] = {
	{"EGW00201", QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_RATE},
	{"EGW00215", QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_LEDGER_RATE},
	{"EGW00121", QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_TOKEN},
	{"EGW00122", QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_TOKEN},
	{"EGW00123", QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_TOKEN},
	{"EGW00133", QTS_OUTCOME_NOT_PROCESSED, QTS_KIS_FOLLOW_TOKEN_WAIT},
	{"EGW00103", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_KEY},
	{"EGW00105", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_KEY},
	{"EGW00131", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW00132", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW00205", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW00206", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW00208", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW00213", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW02004", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"EGW02006", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"IGW00002", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	{"OPSQ2000", QTS_OUTCOME_FATAL, QTS_KIS_FOLLOW_NONE},
	/* an internal error behind a business code: nobody knows what it left behind */
	{"APBK1630", QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
	{"APBK1350", QTS_OUTCOME_UNKNOWN, QTS_KIS_FOLLOW_NONE},
};

static const AnswerCode *
answer_find(const char *code)
{
	for (size_t i = 0; i < sizeof(answer_codes) / sizeof(answer_codes[0]); i++)
	{
		if (strcmp(answer_codes[i].code, code) == 0)
			return &answer_codes[i];
	}
	return NULL;
}

static bool
answer_starts(const char *code, const char *family)
{
	return strncmp(code, family, strlen(family)) == 0;
}

/* Wording of a failure inside the broker, whatever code it came with. */
static bool
answer_internal(const char *msg)
{
	static const char *const words[] = {"ORA-",		   "SQL",		  "시스템", "데이터 오류발생",
										"처리중 오류", "처리 중 오류"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (strstr(msg, words[i]))
			return true;
	}
	return false;
}

/* Call and session errors of the query server: they pass (kis-api 6.2). */
static bool
answer_query_passes(const char *code)
{
	return strcmp(code, "OPSQ1002") == 0 ||
		   (answer_starts(code, "OPSQ000") && code[7] >= '3' && code[7] <= '9') ||
		   strcmp(code, "OPSQ0010") == 0 || strcmp(code, "OPSQ0011") == 0;
}

static QtsOutcome
answer_refusal(QtsKisCall call, const QtsKisVerdict *v)
{
	bool definitive = answer_starts(v->msg_cd, "APBK") || answer_starts(v->msg_cd, "KIOK") ||
					  answer_starts(v->msg_cd, "40") || answer_starts(v->msg_cd, "IGW") ||
					  answer_starts(v->msg_cd, "OPSQ");

	if (answer_internal(v->msg))
		return QTS_OUTCOME_UNKNOWN;
	if (call == QTS_KIS_CALL_ORDER)
		return definitive ? QTS_OUTCOME_REJECTED : QTS_OUTCOME_UNKNOWN;
	/* a query changes nothing: a gateway or passing error is worth another try */
	if (v->msg_cd[0] == '\0' || answer_starts(v->msg_cd, "EGW") || answer_query_passes(v->msg_cd))
		return QTS_OUTCOME_UNKNOWN;
	return QTS_OUTCOME_REJECTED;
}

void
qts_kis_doubt(QtsKisVerdict *verdict, const char *what)
{
	verdict->outcome = QTS_OUTCOME_UNKNOWN;
	qts_kis_copy_text(verdict->msg, sizeof(verdict->msg), what, strlen(what));
}

QtsKisVerdict
qts_kis_verdict(QtsKisCall call, int http_status, json_t *root)
{
	QtsKisVerdict v = {.outcome = QTS_OUTCOME_UNKNOWN};
	char rt_cd[8];
	const AnswerCode *known;
	bool success;

	if (!root)
	{
		qts_kis_doubt(&v, "the answer is not a JSON object");
		return v;
	}
	/* OAuth errors have names of their own, with or without the others */
	if (!qts_kis_json_text(root, "msg_cd", v.msg_cd, sizeof(v.msg_cd)) || v.msg_cd[0] == '\0')
		(void) qts_kis_json_text(root, "error_code", v.msg_cd, sizeof(v.msg_cd));
	if (!qts_kis_json_text(root, "msg1", v.msg, sizeof(v.msg)) || v.msg[0] == '\0')
		(void) qts_kis_json_text(root, "error_description", v.msg, sizeof(v.msg));
	(void) qts_kis_json_text(root, "rt_cd", rt_cd, sizeof(rt_cd));
	success = strcmp(rt_cd, "0") == 0 && http_status >= 200 && http_status < 300;
	if (call == QTS_KIS_CALL_QUERY && http_status == 200 &&
		(strcmp(v.msg_cd, "KIOK0560") == 0 || strcmp(v.msg_cd, "70070000") == 0))
		success = v.empty = true;

	known = answer_find(v.msg_cd);
	if (success)
		v.outcome = QTS_OUTCOME_OK;
	else if (known)
	{
		v.outcome = known->outcome;
		v.follow = known->follow;
	}
	else if (strcmp(rt_cd, "0") != 0)
		v.outcome = answer_refusal(call, &v);
	/* what remains claims success under a failing status: leave it UNKNOWN */
	return v;
}

QtsKisVerdict
qts_kis_classify(QtsKisCall call, int http_status, const char *body, size_t len)
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(call, http_status, root);

	json_decref(root);
	return v;
}

QtsKisVerdict
qts_kis_parse_order(int http_status, const char *body, size_t len, char odno[QTS_ODNO_LEN + 1],
					char orgno[QTS_ORGNO_LEN + 1])
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_ORDER, http_status, root);
	json_t *output = qts_kis_json_object(qts_kis_json_field(root, "output"));
	char number[24];

	odno[0] = orgno[0] = '\0';
	if (v.outcome == QTS_OUTCOME_OK)
	{
		(void) qts_kis_json_text(output, "ODNO", number, sizeof(number));
		(void) qts_kis_json_text(output, "KRX_FWDG_ORD_ORGNO", orgno, QTS_ORGNO_LEN + 1);
		/* accepted without a number cannot be followed: let it be searched for */
		if (!qts_kis_copy_odno(odno, number, strlen(number)) || odno[0] == '\0' ||
			strspn(odno, "0") == QTS_ODNO_LEN)
		{
			odno[0] = '\0';
			qts_kis_doubt(&v, "the answer says accepted but has no usable order number");
		}
	}
	json_decref(root);
	return v;
}

QtsKisVerdict
qts_kis_parse_token(int http_status, const char *body, size_t len, QtsKisToken *out)
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_OAUTH, http_status, root);
	const char *token = qts_kis_json_string(root, "access_token");
	size_t token_len = strlen(token);

	memset(out, 0, sizeof(*out));
	if (http_status == 200 && token_len > 0 && token_len <= QTS_KIS_TOKEN_LEN &&
		strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") == token_len &&
		qts_kis_json_integer(root, "expires_in", &out->expires_in) == QTS_KIS_NUMBER && out->expires_in > 0)
	{
		memcpy(out->token, token, token_len);
		if (out->expires_in > ANSWER_MAX_LIFE)
			out->expires_in = ANSWER_MAX_LIFE;
		v.outcome = QTS_OUTCOME_OK;
	}
	else if (v.outcome == QTS_OUTCOME_OK)
		qts_kis_doubt(&v, "the answer has no usable token");
	json_decref(root);
	return v;
}

QtsKisVerdict
qts_kis_parse_approval(int http_status, const char *body, size_t len, char key[QTS_KIS_APPROVAL_LEN + 1])
{
	json_t *root = qts_kis_json_load(body, len);
	QtsKisVerdict v = qts_kis_verdict(QTS_KIS_CALL_OAUTH, http_status, root);
	const char *text = qts_kis_json_string(root, "approval_key");
	size_t n = strlen(text);

	key[0] = '\0';
	if (http_status == 200 && n > 0 && n <= QTS_KIS_APPROVAL_LEN)
	{
		memcpy(key, text, n + 1);
		v.outcome = QTS_OUTCOME_OK;
	}
	else if (v.outcome == QTS_OUTCOME_OK)
		qts_kis_doubt(&v, "the answer has no usable approval key");
	json_decref(root);
	return v;
}

bool
qts_kis_tr_cont(const char *value, bool *more)
{
	while (*value == ' ')
		value++;
	*more = *value == 'F' || *value == 'M';
	return *more || *value == '\0' || *value == 'D' || *value == 'E';
}
