/*-------------------------------------------------------------------------
 *
 * kis_frame.h
 *		WebSocket messages: data frames, trade ticks, notices, control JSON.
 *
 * Bytes in, structs out; the messages are not changed and pointers into them
 * live as long as they do.  Decoding ticks allocates nothing.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_KIS_FRAME_H
#define QTS_KIS_FRAME_H

#include "broker/feed.h"

#define QTS_KIS_TR_LEN 15
#define QTS_KIS_MAX_RECORDS 999 /* three digits on the wire */
#define QTS_KIS_KEY_LEN 32
#define QTS_KIS_IV_LEN 16

/* <encrypted>|<TR_ID>|<count>|<payload> */
typedef struct QtsKisFrame
{
	bool encrypted;
	char tr_id[QTS_KIS_TR_LEN + 1];
	int count;
	const char *payload;
	size_t len;
} QtsKisFrame;

/* False for anything that is not a well-formed data frame. */
extern bool qts_kis_frame_split(const char *text, size_t len, QtsKisFrame *frame);

/*
 * Cursor over the '^'-separated records of a payload.  The width is fields /
 * count and must come out even; records wider than known are accepted.
 */
typedef struct QtsKisRecords
{
	const char *at;
	const char *end;
	int left;
	int width; /* 0 = one record, not counted yet */
} QtsKisRecords;

typedef struct QtsKisField
{
	const char *s;
	size_t len;
} QtsKisField;

extern bool qts_kis_records_open(QtsKisRecords *records, const char *payload, size_t len, int count);

/* Store up to max fields; returns the record's width, 0 at the end. */
extern int qts_kis_records_next(QtsKisRecords *records, QtsKisField *fields, int max);

typedef enum QtsKisDecode
{
	QTS_KIS_DECODED,
	QTS_KIS_END,
	QTS_KIS_MALFORMED
} QtsKisDecode;

/* Next tick of an opened H0STCNT0 payload. */
extern QtsKisDecode qts_kis_tick_next(QtsKisRecords *records, QtsTime recv_at, QtsTick *tick);

/* Next book of an opened H0STASP0 payload, which has a time but no day. */
extern QtsKisDecode qts_kis_book_next(QtsKisRecords *records, QtsTime recv_at, QtsBook *book);

/* Next notice of an opened, decrypted H0STCNI0 or H0STCNI9 payload. */
extern QtsKisDecode qts_kis_notice_next(QtsKisRecords *records, int64_t recv_mono, QtsNotice *notice);

/* AES-256-CBC key of one TR; wiped by close. */
typedef struct QtsKisCipher
{
	void *context; /* the library's, made at the first use */
	bool keyed;
	unsigned char key[QTS_KIS_KEY_LEN];
	unsigned char iv[QTS_KIS_IV_LEN];
} QtsKisCipher;

extern void qts_kis_cipher_key(QtsKisCipher *cipher, const char *key, const char *iv);
extern void qts_kis_cipher_close(QtsKisCipher *cipher);

/* base64 and AES; length of the text in out, or -1.  len / 4 * 3 bytes of room always suffice. */
extern long qts_kis_decrypt(QtsKisCipher *cipher, const char *payload, size_t len, char *out, size_t size);

typedef enum QtsKisControlKind
{
	QTS_KIS_CONTROL_ACK, /* rt_cd 0: subscribed or unsubscribed, see msg_cd */
	QTS_KIS_CONTROL_ERROR,
	QTS_KIS_CONTROL_PINGPONG,
	QTS_KIS_CONTROL_JUNK
} QtsKisControlKind;

typedef struct QtsKisControl
{
	QtsKisControlKind kind;
	char tr_id[QTS_KIS_TR_LEN + 1];
	char tr_key[64];
	char msg_cd[QTS_MSG_CD_LEN + 1];
	char msg[QTS_MSG_LEN + 1];
	bool has_key; /* iv and key of exactly 16 and 32 bytes */
	char key[QTS_KIS_KEY_LEN + 1];
	char iv[QTS_KIS_IV_LEN + 1];
} QtsKisControl;

extern void qts_kis_control_parse(const char *text, size_t len, QtsKisControl *control);

#endif /* QTS_KIS_FRAME_H */
