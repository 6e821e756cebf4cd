/*-------------------------------------------------------------------------
 *
 * kis_token.c
 *		The access token of an app key: one asker at a time, one shared file.
 *
 * The broker issues one token a minute per app key, so the processes of an
 * app key share a cache file (0600, replaced by rename).  Who wants to ask
 * first takes the lock beside it without waiting and reads the file again;
 * the lock is held until the answer is in the file.  The kernel drops it when
 * a process dies.  Refusals to issue are stored too, or every process would
 * find out by itself.
 *
 * The file names its owner by a digest, never the key.  Times in it are wall
 * clock: they are compared across processes.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "broker/kis_session.h"
#include "net/net.h"

#define TOKEN_HOLD_S 65			/* after EGW00133 */
#define TOKEN_GAP (2 * QTS_SEC) /* between issues: a token refused at once must not make a storm */
#define TOKEN_MARGIN_S 600		/* refresh this long before the end, at most a tenth of the life */
#define TOKEN_LOCK_WAIT (200 * QTS_MS)
#define TOKEN_BACKOFF_MIN QTS_SEC
#define TOKEN_BACKOFF_MAX (60 * QTS_SEC)
#define TOKEN_FILE_MAX 8192

typedef struct TokenFile
{
	char token[QTS_KIS_TOKEN_LEN + 1]; /* "" = none */
	int64_t issued_at;
	int64_t expires_at;
	int64_t hold_until;
} TokenFile;

static int64_t
token_wall(void)
{
	return (int64_t) time(NULL);
}

void
kis_token_open(QtsBroker *broker, const char *file)
{
	KisTokenState *t = &broker->token;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char text[KIS_KEY_LEN + KIS_URL_LEN + 2];
	int len = snprintf(text, sizeof(text), "%s\n%s", broker->id.app_key, broker->id.rest_url);

	t->lock_fd = -1;
	if (file && strlen(file) < sizeof(t->path) - 32)
		strcpy(t->path, file);
	if (EVP_Digest(text, (size_t) len, digest, &n, EVP_sha256(), NULL) != 1 || n != 32)
		t->path[0] = '\0'; /* without an owner's mark the file is of no use */
	for (unsigned i = 0; i < n && i < 32; i++)
		snprintf(t->owner + 2 * i, 3, "%02x", digest[i]);
	explicit_bzero(text, sizeof(text));
}

static void
token_unlock(KisTokenState *t)
{
	if (t->lock_fd >= 0)
		close(t->lock_fd);
	t->lock_fd = -1;
}

void
kis_token_close(QtsBroker *broker)
{
	if (broker->token.http)
		qts_http_cancel(broker->token.http);
	token_unlock(&broker->token);
	explicit_bzero(&broker->token, sizeof(broker->token));
	broker->token.lock_fd = -1;
}

/* Only a regular file of ours that nobody else can read is believed. */
static bool
token_read(const KisTokenState *t, TokenFile *out)
{
	char text[TOKEN_FILE_MAX];
	struct stat st;
	int fd;
	ssize_t n = -1;
	json_t *root;
	const char *token;
	const char *owner;

	memset(out, 0, sizeof(*out));
	if (t->path[0] == '\0' || (fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		n = read(fd, text, sizeof(text));
	close(fd);
	if (n <= 0)
		return false;
	root = json_loadb(text, (size_t) n, 0, NULL);
	explicit_bzero(text, sizeof(text));
	owner = json_string_value(json_object_get(root, "owner"));
	token = json_string_value(json_object_get(root, "token"));
	if (owner && strcmp(owner, t->owner) == 0)
	{
		if (token && strlen(token) <= QTS_KIS_TOKEN_LEN)
			strcpy(out->token, token);
		out->issued_at = json_integer_value(json_object_get(root, "issued_at"));
		out->expires_at = json_integer_value(json_object_get(root, "expires_at"));
		out->hold_until = json_integer_value(json_object_get(root, "hold_until"));
	}
	else
		owner = NULL;
	json_decref(root);
	return owner != NULL;
}

/* A file that cannot be written costs a token per process, nothing more. */
static void
token_write(const KisTokenState *t, const TokenFile *file)
{
	char text[TOKEN_FILE_MAX];
	char name[sizeof(t->path) + 32];
	int len;
	int fd;
	bool ok;

	if (t->path[0] == '\0')
		return;
	len = snprintf(text, sizeof(text),
				   "{\"owner\":\"%s\",\"token\":\"%s\",\"issued_at\":%lld,"
				   "\"expires_at\":%lld,\"hold_until\":%lld}\n",
				   t->owner, file->token, (long long) file->issued_at, (long long) file->expires_at,
				   (long long) file->hold_until);
	snprintf(name, sizeof(name), "%s.%ld", t->path, (long) getpid());
	(void) unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
	{
		ok = write(fd, text, (size_t) len) == len;
		ok = close(fd) == 0 && ok;
		if (!ok || rename(name, t->path) != 0)
			(void) unlink(name);
	}
	explicit_bzero(text, sizeof(text));
}

/* True when we may ask: locked, or nothing to share. */
static bool
token_lock(KisTokenState *t)
{
	char name[sizeof(t->path) + 8];

	if (t->path[0] == '\0')
		return true;
	snprintf(name, sizeof(name), "%s.lock", t->path);
	t->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->lock_fd < 0)
		return true; /* no directory to share in */
	if (flock(t->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	token_unlock(t);
	return false;
}

static void
token_take(QtsBroker *broker, const TokenFile *file)
{
	KisTokenState *t = &broker->token;
	int64_t wall = token_wall();
	int64_t margin = (file->expires_at - file->issued_at) / 10;

	if (margin > TOKEN_MARGIN_S)
		margin = TOKEN_MARGIN_S;
	snprintf(t->bearer, sizeof(t->bearer), "authorization: Bearer %s", file->token);
	t->age++;
	t->issued_at = file->issued_at;
	t->expires_at = file->expires_at;
	t->refresh_at = file->expires_at - margin;
	/* a life shorter than the issue limit must not become a loop of requests */
	if (t->refresh_at < wall + 1)
		t->refresh_at = wall + 1;
	t->failures = 0;
	kis_set_state(broker, QTS_SESSION_READY, "");
}

static bool
token_usable(const QtsBroker *broker, const TokenFile *file)
{
	const KisTokenState *t = &broker->token;
	int64_t life = file->expires_at - file->issued_at;
	int64_t margin = life / 10 < TOKEN_MARGIN_S ? life / 10 : TOKEN_MARGIN_S;

	if (file->token[0] == '\0' || life <= 0 || file->expires_at - margin <= token_wall())
		return false;
	/*
	 * The one that was refused is still in the file until someone replaces it,
	 * and for hours the broker issues the same text anew.
	 */
	return file->issued_at > t->issued_at ||
		   strcmp(file->token, t->bearer[0] ? t->bearer + strlen("authorization: Bearer ") : "") != 0;
}

static void
token_failed(QtsBroker *broker, const char *why, int64_t wait)
{
	KisTokenState *t = &broker->token;

	t->failures++;
	t->next_try = qts_mono_us() + (wait > 0 ? wait
											: qts_backoff(t->failures - 1, TOKEN_BACKOFF_MIN,
														  TOKEN_BACKOFF_MAX, kis_random(&broker->id)));
	if (broker->state != QTS_SESSION_READY)
		kis_set_state(broker, QTS_SESSION_NO_TOKEN, why);
}

static void
token_done(void *arg, const QtsHttpAnswer *answer)
{
	QtsBroker *broker = arg;
	KisTokenState *t = &broker->token;
	QtsKisToken got;
	QtsKisVerdict v;
	TokenFile file;
	char why[KIS_WHY_LEN + 1];

	t->http = NULL;
	(void) token_read(t, &file);
	v = answer->fate == QTS_HTTP_ANSWERED
			? qts_kis_parse_token(answer->status, answer->body, answer->body_len, &got)
			: kis_no_answer(answer);
	snprintf(why, sizeof(why), "no token: %s %.180s", v.msg_cd, v.msg);
	if (v.outcome == QTS_OUTCOME_OK)
	{
		memcpy(file.token, got.token, sizeof(file.token));
		file.issued_at = token_wall();
		file.expires_at = file.issued_at + got.expires_in;
		file.hold_until = 0;
		token_write(t, &file);
		t->next_try = qts_mono_us() + TOKEN_GAP;
		token_take(broker, &file);
	}
	else if (v.outcome == QTS_OUTCOME_FATAL)
	{
		t->bearer[0] = '\0';
		kis_set_state(broker, QTS_SESSION_REFUSED, why);
	}
	else if (v.follow == QTS_KIS_FOLLOW_TOKEN_WAIT)
	{
		file.hold_until = token_wall() + TOKEN_HOLD_S;
		token_write(t, &file);
		token_failed(broker, why, TOKEN_HOLD_S * QTS_SEC);
	}
	else
		token_failed(broker, why, 0);
	token_unlock(t);
	explicit_bzero(&got, sizeof(got));
	explicit_bzero(&file, sizeof(file));
}

/* Has one been issued just now, whichever process asked for it? */
static bool
token_fresh(const TokenFile *file)
{
	int64_t age = token_wall() - file->issued_at;

	return file->token[0] != '\0' && age >= 0 && age < TOKEN_GAP / QTS_SEC;
}

/* From the file if someone else has been there, else from the broker. */
static void
token_get(QtsBroker *broker)
{
	KisTokenState *t = &broker->token;
	QtsKisRequest request;
	TokenFile file;

	if (token_read(t, &file) && token_usable(broker, &file))
		token_take(broker, &file);
	else if (!token_lock(t))
		t->next_try = broker->mono + TOKEN_LOCK_WAIT;
	else if (token_read(t, &file) && token_usable(broker, &file))
		token_take(broker, &file);
	else if (token_fresh(&file))
		t->next_try = broker->mono + TOKEN_LOCK_WAIT;
	else if (file.hold_until > token_wall() && file.hold_until <= token_wall() + TOKEN_HOLD_S)
		token_failed(broker, "no token: one is issued per minute",
					 (file.hold_until - token_wall()) * QTS_SEC);
	else if (!qts_kis_build_token(&request, broker->id.app_key, broker->id.app_secret) ||
			 !(t->http = kis_send_oauth(&broker->id, &request, token_done, broker)))
		token_failed(broker, "no token: the request could not be made", 0);
	if (!t->http)
		token_unlock(t);
	explicit_bzero(&file, sizeof(file));
}

void
kis_token_lost(QtsBroker *broker, unsigned age)
{
	KisTokenState *t = &broker->token;

	/* later answers to requests with the same token are no news */
	if (age != t->age || broker->state != QTS_SESSION_READY)
		return;
	t->age++;
	t->expires_at = 0;
	kis_set_state(broker, QTS_SESSION_NO_TOKEN, "the broker refused the token");
}

/* Milliseconds until the token wants to be looked at. */
long
kis_token_drive(QtsBroker *broker)
{
	KisTokenState *t = &broker->token;
	int64_t wall = token_wall();
	int64_t wait;

	if (broker->state == QTS_SESSION_REFUSED)
		return -1;
	if (broker->state == QTS_SESSION_READY && wall >= t->expires_at)
	{
		t->age++;
		kis_set_state(broker, QTS_SESSION_NO_TOKEN, "the token expired");
	}
	if (t->http)
		return -1; /* the answer wakes us */
	if ((broker->state != QTS_SESSION_READY || wall >= t->refresh_at) && broker->mono >= t->next_try)
		token_get(broker);
	if (t->http || broker->state == QTS_SESSION_REFUSED)
		return -1;
	wait = (t->next_try - broker->mono) / QTS_MS + 1;
	if (broker->state == QTS_SESSION_READY && (t->refresh_at - wall) * 1000 > wait)
		wait = (t->refresh_at - wall) * 1000;
	return wait < 1 ? 1 : wait > 60000 ? 60000 : (long) wait;
}
