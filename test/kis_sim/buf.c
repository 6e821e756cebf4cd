/*
 * buf.c
 *		Byte buffers, JSON text helpers and the seeded random source.
 *
 * Buffers own their memory until qts_buf_free; running out of memory ends the
 * process, which a test sees at once.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static uint64_t random_state = 1;
static uint64_t origin = 1;

void *
qts_mem_grow(void *old, size_t size)
{
	void *grown = realloc(old, size);

	if (grown == NULL)
	{
		fprintf(stderr, "kis_sim: out of memory\n");
		abort();
	}
	return grown;
}

/* The array, grown by doubling when its n items leave no room for one more. */
void *
qts_mem_room(void *old, int *cap, int n, size_t size)
{
	if (n < *cap)
		return old;
	*cap = *cap ? *cap * 2 : 16;
	return qts_mem_grow(old, (size_t) *cap * size);
}

void *
qts_mem_zero(size_t size)
{
	return memset(qts_mem_grow(NULL, size), 0, size);
}

static void
buf_reserve(QtsBuf *buf, size_t extra)
{
	size_t need = buf->len + extra + 1;

	if (need <= buf->cap)
		return;
	buf->cap = buf->cap < 512 ? 512 : buf->cap;
	while (buf->cap < need)
		buf->cap *= 2;
	buf->data = qts_mem_grow(buf->data, buf->cap);
}

void
qts_buf_add(QtsBuf *buf, const void *data, size_t len)
{
	buf_reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
qts_buf_text(QtsBuf *buf, const char *text)
{
	qts_buf_add(buf, text, strlen(text));
}

void
qts_buf_printf(QtsBuf *buf, const char *format, ...)
{
	va_list args;
	int len;

	buf_reserve(buf, 256);
	va_start(args, format);
	len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t) len >= buf->cap - buf->len)
	{
		buf_reserve(buf, (size_t) len + 1);
		va_start(args, format);
		len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, args);
		va_end(args);
	}
	buf->len += (size_t) len;
}

void
qts_buf_json(QtsBuf *buf, const char *text)
{
	qts_buf_add(buf, "\"", 1);
	for (const char *c = text; *c; c++)
	{
		if (*c == '"' || *c == '\\')
			qts_buf_printf(buf, "\\%c", *c);
		else if ((unsigned char) *c < 0x20)
			qts_buf_printf(buf, "\\u%04x", (unsigned char) *c);
		else
			qts_buf_add(buf, c, 1);
	}
	qts_buf_add(buf, "\"", 1);
}

/* A quoted string padded with blanks to a width counted in bytes, as the broker does. */
void
qts_buf_padded(QtsBuf *buf, const char *text, int width)
{
	qts_buf_printf(buf, "\"%-*s\"", width, text);
}

void
qts_buf_drop(QtsBuf *buf, size_t len)
{
	if (len >= buf->len)
	{
		buf->len = 0;
		return;
	}
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

void
qts_buf_free(QtsBuf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

void
qts_text_copy(char *target, size_t size, const char *source)
{
	snprintf(target, size, "%s", source ? source : "");
}

void
qts_random_seed(uint64_t seed)
{
	origin = seed;
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

/* splitmix64 */
uint64_t
qts_random_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint64_t
qts_random_next(void)
{
	return qts_random_mix(random_state += UINT64_C(0x9E3779B97F4A7C15));
}

/* The seed the process was started with. */
uint64_t
qts_random_origin(void)
{
	return origin;
}

uint64_t
qts_random_below(uint64_t limit)
{
	return qts_random_next() % limit;
}

void
qts_random_text(char *target, int len, const char *alphabet)
{
	size_t n = strlen(alphabet);

	for (int i = 0; i < len; i++)
		target[i] = alphabet[qts_random_below(n)];
	target[len] = '\0';
}

/* The text of a member, or NULL when it is absent or not a string. */
const char *
qts_json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Digits only, no sign, no blank: the shape of every number in an order body. */
bool
qts_text_digits(const char *text, int64_t *value)
{
	int64_t sum = 0;

	if (text == NULL || *text == '\0' || strlen(text) > 18)
		return false;
	for (const char *c = text; *c; c++)
	{
		if (*c < '0' || *c > '9')
			return false;
		sum = sum * 10 + (*c - '0');
	}
	*value = sum;
	return true;
}

int64_t
qts_json_int(const json_t *object, const char *key, int64_t fallback)
{
	const json_t *member = json_object_get(object, key);
	const char *text = json_string_value(member);
	char *end;

	if (json_is_number(member))
		return (int64_t) json_number_value(member);
	if (text == NULL || *text == '\0')
		return fallback;
	int64_t value = strtoll(text, &end, 10);
	return *end == '\0' || *end == '.' ? value : fallback;
}

bool
qts_json_bool(const json_t *object, const char *key, bool fallback)
{
	const json_t *member = json_object_get(object, key);

	return json_is_boolean(member) ? json_is_true(member) : fallback;
}
