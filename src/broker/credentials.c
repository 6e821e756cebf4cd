/*-------------------------------------------------------------------------
 *
 * credentials.c
 *		Reads the credentials file and refuses it when others could.
 *
 *-------------------------------------------------------------------------
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/sha.h>

#include "broker/credentials.h"

#define FILE_MAX (64 * 1024)

/* The open file's whole text, malloc'd; NULL with a reason. */
static char *
credentials_slurp(const char *path, size_t *length, char *why, size_t why_size, char *hint, size_t hint_size)
{
	struct stat st;
	char *text = NULL;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	snprintf(hint, hint_size, "Create it as the server's user: chmod 600, JSON as the README shows.");
	if (fd < 0)
	{
		snprintf(why, why_size, "credentials file \"%s\" cannot be opened: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		snprintf(why, why_size, "credentials file \"%s\" is not a regular file", path);
	else if (st.st_uid != geteuid())
		snprintf(why, why_size, "credentials file \"%s\" belongs to another user", path);
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
	{
		snprintf(why, why_size, "credentials file \"%s\" can be read by others (mode %04o)", path,
				 (unsigned) (st.st_mode & 07777));
		snprintf(hint, hint_size, "Run chmod 600 on it, and consider its keys known.");
	}
	else if (st.st_size <= 0 || st.st_size > FILE_MAX)
		snprintf(why, why_size, "credentials file \"%s\" is empty or larger than %d bytes", path, FILE_MAX);
	else
		text = calloc(1, FILE_MAX + 1);
	if (text != NULL)
	{
		got = read(fd, text, FILE_MAX);
		if (got <= 0)
		{
			snprintf(why, why_size, "credentials file \"%s\" cannot be read", path);
			free(text);
			text = NULL;
		}
		else
			*length = (size_t) got;
	}
	close(fd);
	return text;
}

static bool
credentials_field(const json_t *entry, const char *key, char *out, size_t size)
{
	const char *value = json_string_value(json_object_get(entry, key));

	if (value == NULL || value[0] == '\0' || strlen(value) >= size)
		return false;
	snprintf(out, size, "%s", value);
	return true;
}

static bool
credentials_entry(const json_t *root, const char *name, QtsCredential *out, char *why, size_t why_size,
				  char *hint, size_t hint_size)
{
	const json_t *entry = json_object_get(json_object_get(root, "credentials"), name);

	if (!json_is_object(entry))
	{
		snprintf(why, why_size, "the credentials file has no entry \"%s\"", name);
		snprintf(hint, hint_size, "Add it under \"credentials\" with app_key, app_secret and hts_id.");
		return false;
	}
	if (!credentials_field(entry, "app_key", out->app_key, sizeof(out->app_key)) ||
		!credentials_field(entry, "app_secret", out->app_secret, sizeof(out->app_secret)))
	{
		snprintf(why, why_size,
				 "entry \"%s\" of the credentials file lacks app_key or app_secret, or one is too long",
				 name);
		snprintf(hint, hint_size, "Both are strings; copy them from the broker's portal.");
		return false;
	}
	if (!credentials_field(entry, "hts_id", out->hts_id, sizeof(out->hts_id)))
		out->hts_id[0] = '\0';
	return true;
}

bool
qts_credentials_read(const char *path, const char *name, QtsCredential *out, char *why, size_t why_size,
					 char *hint, size_t hint_size)
{
	json_error_t error;
	json_t *root;
	size_t length = 0;
	char *text;
	bool ok;

	memset(out, 0, sizeof(*out));
	if (path == NULL || path[0] == '\0')
	{
		snprintf(why, why_size, "qts.credentials_file is not set");
		snprintf(hint, hint_size,
				 "Set it in postgresql.conf to an absolute path outside the data directory and reload.");
		return false;
	}
	text = credentials_slurp(path, &length, why, why_size, hint, hint_size);
	if (text == NULL)
		return false;
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	explicit_bzero(text, FILE_MAX + 1);
	free(text);
	if (root == NULL)
	{
		/* the parser's own text may quote the file: give the place only */
		snprintf(why, why_size, "credentials file \"%s\" is not valid JSON at line %d, column %d", path,
				 error.line, error.column);
		snprintf(hint, hint_size, "Correct it; the README shows the format.");
		return false;
	}
	ok = credentials_entry(root, name, out, why, why_size, hint, hint_size);
	json_decref(root);
	return ok;
}

void
qts_credential_wipe(QtsCredential *credential)
{
	explicit_bzero(credential, sizeof(*credential));
}

void
qts_credentials_token_path(const char *path, const char *app_key, char *out, size_t size)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int) (slash - path) : 0;

	SHA256((const unsigned char *) app_key, strlen(app_key), digest);
	snprintf(out, size, "%.*s/.qts-token-%02x%02x%02x%02x%02x%02x", dir, path, digest[0], digest[1],
			 digest[2], digest[3], digest[4], digest[5]);
}
