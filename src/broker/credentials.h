/*-------------------------------------------------------------------------
 *
 * credentials.h
 *		The credentials file: the engine's second key, outside the database.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BROKER_CREDENTIALS_H
#define QTS_BROKER_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct QtsCredential
{
	char app_key[128];
	char app_secret[512];
	char hts_id[64];
} QtsCredential;

/*
 * Read one named entry.  False with a reason and what to do, neither of which
 * contains anything from the file, unless the file is a regular one owned by
 * this process's user with mode 0600 and has the entry.  Wipe *out after use
 * with qts_credential_wipe.
 */
extern bool qts_credentials_read(const char *path, const char *name, QtsCredential *out, char *why,
								 size_t why_size, char *hint, size_t hint_size);
extern void qts_credential_wipe(QtsCredential *credential);

/* Path of the token cache of an app key, beside the credentials file. */
extern void qts_credentials_token_path(const char *path, const char *app_key, char *out, size_t size);

#endif /* QTS_BROKER_CREDENTIALS_H */
