/*-------------------------------------------------------------------------
 *
 * kis_notice.c
 *		Decrypt and decode H0STCNI0 / H0STCNI9 execution notices (kis-api 5.6).
 *
 * Only fields 0 to 16 are the same in every layout seen, so only they are
 * read.  What is no notice of a KRX stock order, or contradicts itself, is
 * malformed: the ledger, not this channel, is the arbiter.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include <openssl/evp.h>

#include "kis/kis_frame.h"
#include "kis/kis_text.h"

#define NOTICE_MAX_TEXT ((size_t) 1024 * 1024)

enum
{
	NOTICE_ACCOUNT = 1,
	NOTICE_ODNO = 2,
	NOTICE_ORGN_ODNO = 3,
	NOTICE_SIDE = 4,
	NOTICE_CHANGE = 5, /* 0 new, 1 revise, 2 cancel */
	NOTICE_TYPE = 6,
	NOTICE_SYMBOL = 8,
	NOTICE_QTY = 9,
	NOTICE_PRICE = 10,
	NOTICE_HOUR = 11,
	NOTICE_REFUSED = 12,
	NOTICE_FILLED = 13,	  /* 1 order, 2 fill */
	NOTICE_ACCEPTED = 14, /* 1 received, 2 confirmed, 3 cancelled by its condition */
	NOTICE_BRANCH = 15,
	NOTICE_ORDER_QTY = 16,
	NOTICE_FIELDS = 17,
	NOTICE_MIN_WIDTH = 18
};

void
qts_kis_cipher_key(QtsKisCipher *cipher, const char *key, const char *iv)
{
	memcpy(cipher->key, key, QTS_KIS_KEY_LEN);
	memcpy(cipher->iv, iv, QTS_KIS_IV_LEN);
	cipher->keyed = true;
}

void
qts_kis_cipher_close(QtsKisCipher *cipher)
{
	EVP_CIPHER_CTX_free(cipher->context);
	explicit_bzero(cipher, sizeof(*cipher));
}

static int
notice_base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Strict: whole groups of four, padding only at the end.  Returns the length or -1. */
static long
notice_base64(const char *s, size_t len, unsigned char *out)
{
	size_t pad =
		len >= 4 ? (size_t) (s[len - 1] == '=') + (size_t) (s[len - 1] == '=' && s[len - 2] == '=') : 0;
	size_t n = 0;
	uint32_t group = 0;

	if (len == 0 || len % 4 != 0)
		return -1;
	for (size_t i = 0; i < len - pad; i++)
	{
		int value = notice_base64_value((unsigned char) s[i]);

		if (value < 0)
			return -1;
		group = (group << 6) | (uint32_t) value;
		if (i % 4 != 3)
			continue;
		out[n++] = (unsigned char) (group >> 16);
		out[n++] = (unsigned char) (group >> 8);
		out[n++] = (unsigned char) group;
	}
	if (pad == 1)
	{
		out[n++] = (unsigned char) (group >> 10);
		out[n++] = (unsigned char) (group >> 2);
	}
	else if (pad == 2)
		out[n++] = (unsigned char) (group >> 4);
	return (long) n;
}

long
qts_kis_decrypt(QtsKisCipher *cipher, const char *payload, size_t len, char *out, size_t size)
{
	unsigned char *bytes = (unsigned char *) out;
	const EVP_CIPHER *type = NULL;
	long n;
	int first = 0;
	int last = 0;

	if (!cipher->keyed || len > NOTICE_MAX_TEXT || size < len / 4 * 3)
		return -1;
	/* CBC decryption in place is what EVP allows: input and output the same buffer */
	n = notice_base64(payload, len, bytes);
	if (n <= 0 || n % QTS_KIS_IV_LEN != 0)
		return -1;
	if (!cipher->context)
	{
		cipher->context = EVP_CIPHER_CTX_new();
		type = EVP_aes_256_cbc(); /* kept by the context: looked up once */
	}
	if (!cipher->context || EVP_DecryptInit_ex(cipher->context, type, NULL, cipher->key, cipher->iv) != 1 ||
		EVP_DecryptUpdate(cipher->context, bytes, &first, bytes, (int) n) != 1 ||
		EVP_DecryptFinal_ex(cipher->context, bytes + first, &last) != 1)
		return -1;
	return first + last;
}

static bool
notice_is(QtsKisField field, char value)
{
	return field.len == 1 && field.s[0] == value;
}

static bool
notice_number(QtsKisField field, int64_t *out)
{
	*out = 0;
	return qts_kis_parse_integer(field.s, field.len, out) != QTS_KIS_JUNK && *out >= 0;
}

/*
 * The kind, or false when the flags make no sense.  A change request that is
 * only received is an ACCEPTED with orgn_odno set: the order named there still
 * lives.
 */
static bool
notice_kind(const QtsKisField *f, QtsNoticeKind *kind)
{
	bool received = notice_is(f[NOTICE_ACCEPTED], '1');

	if (notice_is(f[NOTICE_REFUSED], '1'))
		*kind = QTS_NOTICE_REJECTED;
	else if (notice_is(f[NOTICE_FILLED], '2'))
		*kind = QTS_NOTICE_FILL;
	else if (!notice_is(f[NOTICE_FILLED], '1'))
		return false;
	else if (notice_is(f[NOTICE_ACCEPTED], '3'))
		*kind = QTS_NOTICE_CANCELLED;
	else if (notice_is(f[NOTICE_CHANGE], '0') || received)
		*kind = QTS_NOTICE_ACCEPTED;
	else if (notice_is(f[NOTICE_CHANGE], '1'))
		*kind = QTS_NOTICE_REVISED;
	else if (notice_is(f[NOTICE_CHANGE], '2'))
		*kind = QTS_NOTICE_CANCELLED;
	else
		return false;
	return true;
}

static bool
notice_numbers(const QtsKisField *f, QtsNotice *notice)
{
	int64_t clock;

	if (!notice_number(f[NOTICE_QTY], &notice->qty) || !notice_number(f[NOTICE_PRICE], &notice->price) ||
		!notice_number(f[NOTICE_ORDER_QTY], &notice->order_qty) || !notice_number(f[NOTICE_HOUR], &clock) ||
		clock > 235959)
		return false;
	notice->hhmmss = (int32_t) clock;
	return notice->kind != QTS_NOTICE_FILL || (notice->qty > 0 && notice->price > 0);
}

QtsKisDecode
qts_kis_notice_next(QtsKisRecords *records, int64_t recv_mono, QtsNotice *notice)
{
	QtsKisField f[NOTICE_FIELDS];
	int width = qts_kis_records_next(records, f, NOTICE_FIELDS);

	if (width == 0)
		return QTS_KIS_END;
	memset(notice, 0, sizeof(*notice));
	if (width < NOTICE_MIN_WIDTH || f[NOTICE_SIDE].len != 2 || f[NOTICE_SIDE].s[0] != '0' ||
		(f[NOTICE_SIDE].s[1] != '1' && f[NOTICE_SIDE].s[1] != '2') || !notice_kind(f, &notice->kind) ||
		!qts_kis_copy_account(notice->account, f[NOTICE_ACCOUNT].s, f[NOTICE_ACCOUNT].len) ||
		!qts_kis_copy_odno(notice->odno, f[NOTICE_ODNO].s, f[NOTICE_ODNO].len) ||
		!qts_kis_copy_odno(notice->orgn_odno, f[NOTICE_ORGN_ODNO].s, f[NOTICE_ORGN_ODNO].len) ||
		!qts_kis_copy_symbol(notice->symbol, f[NOTICE_SYMBOL].s, f[NOTICE_SYMBOL].len) ||
		!notice_numbers(f, notice) || notice->odno[0] == '\0')
		return QTS_KIS_MALFORMED;
	if (strspn(notice->orgn_odno, "0") == QTS_ODNO_LEN)
		notice->orgn_odno[0] = '\0';
	notice->sell = f[NOTICE_SIDE].s[1] == '1';
	qts_kis_copy_text(notice->ord_dvsn, sizeof(notice->ord_dvsn), f[NOTICE_TYPE].s, f[NOTICE_TYPE].len);
	qts_kis_copy_text(notice->orgno, sizeof(notice->orgno), f[NOTICE_BRANCH].s, f[NOTICE_BRANCH].len);
	notice->recv_mono = recv_mono;
	return QTS_KIS_DECODED;
}
