/*
 * feed.c
 *		Frames out: ticks, books, market status and sealed notices, and the faults that
 *		spoil single frames.
 *
 * A record is a line of fields separated by '^' and may hold any byte, so its length
 * counts, not a terminator.  Records held back for a frame of several are kept with
 * the session and leave at the latest when their timer fires.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "sim.h"

#define BATCH_MS 300

static int64_t mute_until; /* monotonic: no tick at all before it */

void
qts_feed_mute(int64_t until_us)
{
	mute_until = until_us;
}

/* The byte where field i starts, or the length when there are fewer. */
static size_t
record_field(const QtsBuf *record, int64_t i)
{
	size_t at = 0;

	for (; i > 0; i--)
	{
		const char *next = at < record->len ? memchr(record->data + at, '^', record->len - at) : NULL;

		if (next == NULL)
			return record->len;
		at = (size_t) (next - record->data) + 1;
	}
	return at;
}

/* Cut the record to so many fields or add empty ones. */
static void
record_resize(QtsBuf *record, int64_t wanted)
{
	int64_t have = 1;

	for (size_t i = 0; i < record->len; i++)
		have += record->data[i] == '^';
	if (wanted < have)
		record->len = wanted > 0 ? record_field(record, wanted) - 1 : 0;
	for (; have < wanted; have++)
		qts_buf_text(record, "^");
}

/* Put other bytes in the place of a field. */
static void
record_replace(QtsBuf *record, int64_t index, const char *bytes, size_t len)
{
	size_t from = record_field(record, index);
	size_t to = record_field(record, index + 1);
	QtsBuf copy = {0};

	if (to < record->len || (to > from && record->data[to - 1] == '^'))
		to--;
	qts_buf_add(&copy, record->data, from);
	qts_buf_add(&copy, bytes, len);
	qts_buf_add(&copy, record->data + to, record->len - to);
	record->len = 0;
	qts_buf_add(record, copy.data, copy.len);
	qts_buf_free(&copy);
}

/* Apply a *_fields or *_field rule. */
void
qts_feed_mangle(QtsBuf *record, const QtsFault *fault)
{
	const json_t *value = json_object_get(fault->params, "value");
	json_t *values = json_object_get(fault->params, "values");
	const char *index;
	json_t *item;

	if (strstr(fault->mode, "_fields") != NULL)
		record_resize(record, qts_json_int(fault->params, "fields", 10));
	else if (values != NULL)
	{
		json_object_foreach(values, index, item) record_replace(
			record, strtol(index, NULL, 10), json_string_value(item), json_string_length(item));
	}
	else
		record_replace(record, qts_json_int(fault->params, "index", 2),
					   json_is_string(value) ? json_string_value(value) : "",
					   json_is_string(value) ? json_string_length(value) : 0);
}

static void
feed_frame(QtsSession *session, const char *tr_id, const char *tr_key, const QtsBuf *frame)
{
	const QtsFault *fault = qts_fault_feed("frame_pieces", tr_id, tr_key, session->app);

	qts_wsapp_queue(session, frame->data, frame->len,
					fault ? (int) qts_json_int(fault->params, "bytes", 1) : 0);
}

static void
feed_plain(QtsSession *session, const char *tr_id, const char *tr_key, int64_t count, const QtsBuf *record)
{
	static QtsBuf frame;

	frame.len = 0;
	qts_buf_printf(&frame, "0|%s|%03" PRId64 "|", tr_id, count);
	qts_buf_add(&frame, record->data, record->len);
	feed_frame(session, tr_id, tr_key, &frame);
}

static void
batch_send_ticks(QtsSession *session)
{
	if (session->n_ticks > 0)
		feed_plain(session, "H0STCNT0", NULL, session->n_ticks, &session->ticks);
	session->ticks.len = 0;
	session->n_ticks = session->want_ticks = 0;
}

static void
batch_add(QtsBuf *batch, int *n, const char *bytes, size_t len)
{
	qts_buf_text(batch, *n > 0 ? "^" : "");
	qts_buf_add(batch, bytes, len);
	(*n)++;
}

static void batch_send_notices(QtsSession *session);

static void
batch_due(void *arg, uint64_t tag)
{
	QtsSession *session = arg;

	if (!session->is_used || session->id != tag)
		return;
	batch_send_ticks(session);
	batch_send_notices(session);
	qts_wsapp_flush();
}

/* One tick to one subscriber, as the faults want it. */
static void
feed_tick_spoiled(QtsSession *session, const QtsSub *sub, const QtsBuf *original)
{
	const QtsFault *fault;
	QtsBuf record = {0};
	int64_t count = 1;

	if (qts_fault_feed("tick_lost", sub->tr_id, sub->tr_key, session->app) != NULL)
		return;
	qts_buf_add(&record, original->data, original->len);
	if ((fault = qts_fault_feed("tick_field", sub->tr_id, sub->tr_key, session->app)) != NULL)
		qts_feed_mangle(&record, fault);
	if ((fault = qts_fault_feed("tick_fields", sub->tr_id, sub->tr_key, session->app)) != NULL)
		qts_feed_mangle(&record, fault);
	if ((fault = qts_fault_feed("tick_count", sub->tr_id, sub->tr_key, session->app)) != NULL)
		count = qts_json_int(fault->params, "count", 2);
	if (session->want_ticks == 0 &&
		(fault = qts_fault_feed("tick_batch", sub->tr_id, sub->tr_key, session->app)) != NULL)
	{
		session->want_ticks = (int) qts_json_int(fault->params, "records", 2);
		qts_net_timer(qts_json_int(fault->params, "ms", BATCH_MS) * 1000, batch_due, session, session->id);
	}
	if (session->want_ticks > 0)
	{
		batch_add(&session->ticks, &session->n_ticks, record.data, record.len);
		if (session->n_ticks >= session->want_ticks)
			batch_send_ticks(session);
	}
	else
		feed_plain(session, sub->tr_id, sub->tr_key, count, &record);
	if (qts_fault_feed("tick_twice", sub->tr_id, sub->tr_key, session->app) != NULL)
		feed_plain(session, sub->tr_id, sub->tr_key, count, &record);
	qts_buf_free(&record);
}

static void
feed_symbol(QtsSession *session, const QtsSub *sub, const QtsBuf *tick, const QtsBuf *book)
{
	if (sub->channel == QTS_CHANNEL_BOOK)
		feed_plain(session, sub->tr_id, sub->tr_key, 1, book);
	else if (qts_fault_count() > 0)
		feed_tick_spoiled(session, sub, tick);
	else
		feed_plain(session, sub->tr_id, sub->tr_key, 1, tick);
	qts_counters.ticks_sent++;
}

/* Queue a tick and a book per subscriber; the caller flushes. */
void
qts_feed_tick(QtsSymbol *symbol)
{
	static QtsBuf tick;
	static QtsBuf book;
	int64_t now = qts_clock_mono();
	QtsSession *session;

	tick.len = book.len = 0;
	if (mute_until > now || symbol->mute_until_us > now)
		return;
	for (int i = 0; (session = qts_wsapp_at(i)) != NULL; i++)
		for (int s = 0; session->is_used && session->mute_ticks_until <= now && s < session->n_subs; s++)
		{
			QtsSub *sub = &session->subs[s];

			if (sub->symbol == NULL && sub->channel != QTS_CHANNEL_NOTICE)
				sub->symbol = qts_market_find(sub->tr_key);
			if (sub->symbol != symbol || sub->is_mute ||
				(sub->channel != QTS_CHANNEL_TICK && sub->channel != QTS_CHANNEL_BOOK))
				continue;
			if (sub->channel == QTS_CHANNEL_TICK && tick.len == 0)
				qts_market_record(symbol, &tick);
			if (sub->channel == QTS_CHANNEL_BOOK && book.len == 0)
				qts_quote_book_record(symbol, &book);
			feed_symbol(session, sub, &tick, &book);
		}
}

/* H0STMKO0: halts, interruptions and the circuit breaker, when they begin and end. */
void
qts_feed_status(const QtsSymbol *symbol, const char *code)
{
	QtsSession *session;
	QtsBuf record = {0};

	qts_buf_printf(&record, "%s^%s^%s^%s^^^^%s^%s^N^1", symbol->code, symbol->is_halted ? "Y" : "N",
				   symbol->is_halted ? "거래정지" : "", code, symbol->is_halted ? "58" : "55",
				   symbol->is_vi ? "Y" : "N");
	for (int i = 0; (session = qts_wsapp_at(i)) != NULL; i++)
		for (int s = 0; session->is_used && s < session->n_subs; s++)
			if (session->subs[s].channel == QTS_CHANNEL_STATUS && !session->subs[s].is_mute &&
				strcmp(session->subs[s].tr_key, symbol->code) == 0)
				feed_plain(session, "H0STMKO0", symbol->code, 1, &record);
	qts_buf_free(&record);
	qts_wsapp_flush();
}

/* AES-256-CBC with PKCS#7, then base64, as the ack's key and iv say. */
static bool
notice_seal(const QtsSub *sub, int count, const char *plain, size_t len, QtsBuf *out)
{
	static EVP_CIPHER_CTX *cipher;
	unsigned char *sealed = qts_mem_grow(NULL, len + 32);
	char *text = qts_mem_grow(NULL, (len + 32) * 2);
	int n = 0;
	int tail = 0;
	bool is_good;

	if (cipher == NULL)
		cipher = EVP_CIPHER_CTX_new();
	is_good = cipher != NULL && len < QTS_MAX_WS_MESSAGE &&
			  EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, (const unsigned char *) sub->key,
								 (const unsigned char *) sub->iv) == 1 &&
			  EVP_EncryptUpdate(cipher, sealed, &n, (const unsigned char *) plain, (int) len) == 1 &&
			  EVP_EncryptFinal_ex(cipher, sealed + n, &tail) == 1;
	if (is_good)
	{
		EVP_EncodeBlock((unsigned char *) text, sealed, n + tail);
		qts_buf_printf(out, "1|%s|%03d|%s", sub->tr_id, count, text);
	}
	free(sealed);
	free(text);
	return is_good;
}

static void
notice_out(QtsSession *session, const QtsSub *sub, int count, const char *plain, size_t len,
		   const QtsFault *fault)
{
	QtsBuf frame = {0};
	QtsSub other = *sub;

	if (qts_fault_is(fault, "notice_cipher"))
		qts_wsapp_new_keys(&other);
	if (notice_seal(&other, count, plain, len, &frame))
	{
		/* Letters that base64 does not have, and a length that no padding mends. */
		if (qts_fault_is(fault, "notice_base64"))
		{
			frame.data[frame.len / 2] = '*';
			frame.len -= 3;
		}
		feed_frame(session, sub->tr_id, sub->tr_key, &frame);
	}
	qts_buf_free(&frame);
}

static const QtsSub *
session_notices(const QtsSession *session, const char *hts_id)
{
	for (int s = 0; s < session->n_subs; s++)
		if (session->subs[s].channel == QTS_CHANNEL_NOTICE &&
			(hts_id == NULL || strcmp(session->subs[s].tr_key, hts_id) == 0))
			return &session->subs[s];
	return NULL;
}

static void
batch_send_notices(QtsSession *session)
{
	const QtsSub *sub = session_notices(session, NULL);

	if (sub != NULL && session->n_notices > 0)
		notice_out(session, sub, session->n_notices, session->notices.data, session->notices.len, NULL);
	session->notices.len = 0;
	session->n_notices = session->want_notices = 0;
}

/* Send a notice to every session of the HTS id; returns how many got it. */
int
qts_feed_notice(const char *hts_id, const char *plain, size_t len, const QtsFault *fault)
{
	QtsSession *session;
	int sent = 0;

	for (int i = 0; (session = qts_wsapp_at(i)) != NULL; i++)
	{
		const QtsSub *sub = session->is_used ? session_notices(session, hts_id) : NULL;

		if (sub == NULL || sub->is_mute || session->mute_notices_until > qts_clock_mono())
			continue;
		if (session->want_notices == 0 && qts_fault_is(fault, "notice_batch"))
		{
			session->want_notices = (int) qts_json_int(fault->params, "records", 2);
			qts_net_timer(qts_json_int(fault->params, "ms", BATCH_MS) * 1000, batch_due, session,
						  session->id);
		}
		if (session->want_notices > 0)
		{
			batch_add(&session->notices, &session->n_notices, plain, len);
			if (session->n_notices >= session->want_notices)
				batch_send_notices(session);
		}
		else
			notice_out(session, sub, 1, plain, len, fault);
		sent++;
	}
	qts_wsapp_flush();
	qts_counters.notices_sent += sent;
	return sent;
}

/* The same text to every session. */
int
qts_feed_text(const char *text, size_t len)
{
	QtsSession *session;
	int sent = 0;

	for (int i = 0; (session = qts_wsapp_at(i)) != NULL; i++)
		if (session->is_used)
		{
			qts_wsapp_queue(session, text, len, 0);
			sent++;
		}
	qts_wsapp_flush();
	return sent;
}

/* A frame of more bytes than any client should keep. */
void
qts_feed_oversize(QtsSession *session, int64_t bytes)
{
	QtsBuf record = {0};

	for (int64_t i = 0; i < bytes && i < QTS_MAX_CONTROL_BODY; i++)
		qts_buf_add(&record, "9", 1);
	feed_plain(session, "H0STCNT0", NULL, 1, &record);
	qts_buf_free(&record);
}
