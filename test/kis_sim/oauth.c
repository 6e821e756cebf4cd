/*
 * oauth.c
 *		Applications (app keys), their tokens and approval keys, and the call limiter.
 *
 * Tokens and approval keys age on the virtual clock; the limiter counts real time,
 * because that is what the client's pacing runs on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

static QtsApp *apps[QTS_MAX_APPS];
static int n_apps;

QtsApp *
qts_oauth_app_at(int index)
{
	return index < n_apps ? apps[index] : NULL;
}

QtsApp *
qts_oauth_app(const char *app_key)
{
	for (int i = 0; i < n_apps; i++)
		if (app_key != NULL && strcmp(apps[i]->app_key, app_key) == 0)
			return apps[i];
	return NULL;
}

QtsApp *
qts_oauth_approval(const char *key)
{
	for (int i = 0; i < n_apps; i++)
		for (int k = 0; k < QTS_MAX_APP_KEYS && k < apps[i]->n_approvals; k++)
			if (strcmp(apps[i]->approvals[k], key) == 0 &&
				qts_clock_now() - apps[i]->approval_us[k] < INT64_C(86400) * 1000000)
				return apps[i];
	return NULL;
}

static void
app_leave(QtsApp *app, QtsAccount *account)
{
	int kept = 0;

	for (int i = 0; i < account->n_apps; i++)
		if (account->apps[i] != app)
			account->apps[kept++] = account->apps[i];
	account->n_apps = kept;
}

/* The accounts named become the application's; missing ones are made. */
static bool
app_accounts(QtsApp *app, const json_t *list)
{
	size_t i;
	json_t *item;

	for (int k = 0; list != NULL && k < app->n_accounts; k++)
		app_leave(app, app->accounts[k]);
	if (list != NULL)
		app->n_accounts = 0;
	json_array_foreach(list, i, item)
	{
		QtsAccount *account = qts_account_named(json_string_value(item));

		if (account == NULL)
		{
			json_t *blank = json_pack("{s:O}", "account", item);
			bool is_made = blank != NULL && qts_account_define(blank);

			json_decref(blank);
			account = is_made ? qts_account_named(json_string_value(item)) : NULL;
		}
		if (account == NULL || app->n_accounts >= QTS_MAX_APP_ACCOUNTS ||
			account->n_apps >= QTS_MAX_ACCOUNT_APPS)
			return false;
		app_leave(app, account);
		app->accounts[app->n_accounts++] = account;
		account->apps[account->n_apps++] = app;
	}
	return true;
}

/* Add an application or change the one with the same key. */
bool
qts_oauth_define(const json_t *row)
{
	const char *key = qts_json_text(row, "app_key");
	QtsApp *app = qts_oauth_app(key);

	if (key == NULL || strlen(key) >= sizeof(app->app_key))
		return false;
	if (app == NULL)
	{
		if (n_apps >= QTS_MAX_APPS)
			return false;
		app = apps[n_apps++] = qts_mem_zero(sizeof(*app));
		app->rate_at = qts_mem_zero(QTS_MAX_RATE * sizeof(int64_t));
		qts_text_copy(app->app_key, sizeof(app->app_key), key);
		qts_text_copy(app->hts_id, sizeof(app->hts_id), "myhtsid");
	}
	if (qts_json_text(row, "app_secret"))
		qts_text_copy(app->app_secret, sizeof(app->app_secret), qts_json_text(row, "app_secret"));
	if (qts_json_text(row, "profile"))
		app->is_misplaced = (strcmp(qts_json_text(row, "profile"), "paper") == 0) != qts_options.is_paper;
	if (qts_json_text(row, "hts_id"))
		qts_text_copy(app->hts_id, sizeof(app->hts_id), qts_json_text(row, "hts_id"));
	return app_accounts(app, json_object_get(row, "accounts"));
}

/* The account is about to go: no application has it any more. */
void
qts_oauth_forget_account(QtsAccount *account)
{
	for (int i = 0; i < account->n_apps; i++)
	{
		QtsApp *app = account->apps[i];
		int kept = 0;

		for (int k = 0; k < app->n_accounts; k++)
			if (app->accounts[k] != account)
				app->accounts[kept++] = app->accounts[k];
		app->n_accounts = kept;
	}
	account->n_apps = 0;
}

/* Its sessions must have been closed. */
void
qts_oauth_remove(QtsApp *app)
{
	int i = 0;

	for (int k = 0; k < app->n_accounts; k++)
		app_leave(app, app->accounts[k]);
	while (apps[i] != app)
		i++;
	n_apps--;
	memmove(&apps[i], &apps[i + 1], (size_t) (n_apps - i) * sizeof(apps[0]));
	free(app->rate_at);
	free(app);
}

/* Every token issued so far is as if revoked by its owner; returns how many were valid. */
int
qts_oauth_revoke_all(QtsApp *app)
{
	int n = 0;

	for (int i = 0; i < QTS_MAX_APP_KEYS && i < app->n_tokens; i++)
	{
		n += !app->tokens[i].is_revoked;
		app->tokens[i].is_revoked = true;
	}
	return n;
}

/* One shared bucket per app key over every REST call but the OAuth ones. */
bool
qts_oauth_admit(QtsApp *app)
{
	int limit = qts_options.rate_per_second;
	int64_t now = qts_clock_mono();
	int oldest;

	if (limit <= 0)
		return true;
	if (qts_options.rate_fixed)
	{
		if (app->rate_second != now / 1000000)
		{
			app->rate_second = now / 1000000;
			app->rate_in_second = 0;
		}
		return app->rate_in_second < limit && ++app->rate_in_second > 0;
	}
	oldest = (app->rate_pos + QTS_MAX_RATE - limit) % QTS_MAX_RATE;
	if (app->rate_at[oldest] != 0 && now - app->rate_at[oldest] < 1000000)
		return false;
	app->rate_at[app->rate_pos] = now;
	app->rate_pos = (app->rate_pos + 1) % QTS_MAX_RATE;
	return true;
}

static QtsToken *
oauth_find(QtsApp *app, const char *text)
{
	for (int i = 0; i < QTS_MAX_APP_KEYS && i < app->n_tokens; i++)
		if (strcmp(app->tokens[i].text, text) == 0)
			return &app->tokens[i];
	return NULL;
}

/* NULL when the token is good, else the gateway code. */
const char *
qts_oauth_check(const QtsApp *app, const char *authorization)
{
	const QtsToken *token;

	if (authorization == NULL || strncmp(authorization, "Bearer ", 7) != 0)
		return "EGW00121";
	token = oauth_find((QtsApp *) app, authorization + 7);
	if (token == NULL || token->is_revoked)
		return "EGW00121";
	return token->expires_us <= qts_clock_now() ? "EGW00123" : NULL;
}

static void
oauth_error(QtsResp *resp, const char *code, const char *text)
{
	resp->status = 403;
	qts_text_copy(resp->msg_cd, sizeof(resp->msg_cd), code);
	qts_buf_printf(&resp->body, "{\"error_description\":\"%s\",\"error_code\":\"%s\"}", text, code);
}

/* The application the body names, or NULL with the refusal written. */
static QtsApp *
oauth_caller(const QtsReq *req, QtsResp *resp, const char *secret_key)
{
	QtsApp *app = qts_oauth_app(qts_json_text(req->json, "appkey"));
	const char *secret = qts_json_text(req->json, secret_key);

	if (app == NULL)
		oauth_error(resp, "EGW00103", "유효하지 않은 AppKey입니다.");
	else if (secret == NULL || strcmp(secret, app->app_secret) != 0)
	{
		oauth_error(resp, "EGW00105", "유효하지 않은 AppSecret입니다.");
		app = NULL;
	}
	return app;
}

static QtsToken *
oauth_issue(QtsApp *app, int64_t now)
{
	QtsToken *token = &app->tokens[app->n_tokens++ % QTS_MAX_APP_KEYS];
	static const char head[] = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.";
	size_t n = sizeof(head) - 1;

	memcpy(token->text, head, n);
	qts_random_text(token->text + n, 226, TOKEN_CHARS);
	token->text[n + 226] = '.';
	qts_random_text(token->text + n + 227, 86, TOKEN_CHARS);
	token->issued_us = now;
	token->expires_us = now + (int64_t) qts_options.token_life_s * 1000000;
	token->is_revoked = false;
	qts_counters.tokens_issued++;
	return token;
}

void
qts_oauth_token(const QtsReq *req, QtsResp *resp)
{
	QtsApp *app = oauth_caller(req, resp, "appsecret");
	int64_t now = qts_clock_now();
	QtsToken *token;
	char expires[32];

	if (app == NULL)
		return;
	if (app->token_call_us != 0 && now >= app->token_call_us &&
		now - app->token_call_us < (int64_t) qts_options.token_interval_s * 1000000)
	{
		oauth_error(resp, "EGW00133", "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)");
		return;
	}
	app->token_call_us = now;
	token = app->n_tokens > 0 ? &app->tokens[(app->n_tokens - 1) % QTS_MAX_APP_KEYS] : NULL;
	if (token == NULL || token->is_revoked || token->expires_us <= now ||
		now - token->issued_us >= (int64_t) qts_options.token_reuse_s * 1000000)
		token = oauth_issue(app, now);
	qts_clock_format(token->expires_us, "%Y-%m-%d %H:%M:%S", expires, sizeof(expires));
	qts_buf_printf(&resp->body,
				   "{\"access_token\":\"%s\",\"access_token_token_expired\":\"%s\","
				   "\"token_type\":\"Bearer\",\"expires_in\":%lld}",
				   token->text, expires, (long long) ((token->expires_us - now) / 1000000));
}

void
qts_oauth_revoke(const QtsReq *req, QtsResp *resp)
{
	QtsApp *app = oauth_caller(req, resp, "appsecret");
	const char *text = qts_json_text(req->json, "token");
	QtsToken *token = app && text ? oauth_find(app, text) : NULL;

	if (app == NULL)
		return;
	if (token == NULL)
	{
		oauth_error(resp, "EGW00121", "유효하지 않은 token 입니다.");
		return;
	}
	token->is_revoked = true;
	qts_buf_text(&resp->body, "{\"code\":200,\"message\":\"접근토큰 폐기에 성공하였습니다\"}");
}

void
qts_oauth_approve(const QtsReq *req, QtsResp *resp)
{
	QtsApp *app = oauth_caller(req, resp, "secretkey");
	int slot;
	char *key;

	if (app == NULL)
		return;
	slot = app->n_approvals++ % QTS_MAX_APP_KEYS;
	key = app->approvals[slot];
	qts_random_text(key, 36, "0123456789abcdef");
	key[8] = key[13] = key[18] = key[23] = '-';
	app->approval_us[slot] = qts_clock_now();
	qts_buf_printf(&resp->body, "{\"approval_key\":\"%s\"}", key);
}
