/*
 * sim.h
 *		Types, bounds and module interfaces of the simulated KIS broker.
 *
 * One process, one thread, one epoll loop: nothing here is locked.  Orders,
 * symbols, accounts and applications live until the process ends; connections
 * die at the end of the loop turn that closed them, so anything that outlives a
 * turn names a connection by (fd, id) and looks it up again.
 * Money is int64 won; average prices are kept in 1/10000 won.
 */
#ifndef QTS_KIS_SIM_SIM_H
#define QTS_KIS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define QTS_MAX_FD 8192
#define QTS_MAX_APPS 64
#define QTS_MAX_APP_ACCOUNTS 16
#define QTS_MAX_APP_KEYS 8
#define QTS_MAX_ACCOUNTS 256
#define QTS_MAX_SYMBOLS 8192
#define QTS_MAX_HOLDINGS 4096
#define QTS_MAX_ORDERS 4000000
#define QTS_MAX_TIMERS 1000000
#define QTS_MAX_FAULTS 256
#define QTS_MAX_HELD 4096
#define QTS_MAX_WAITERS 256
#define QTS_MAX_RATE 20000
#define QTS_MAX_HEAD 32768
#define QTS_MAX_REST_BODY 65536
#define QTS_MAX_CONTROL_BODY (16 * 1024 * 1024)
#define QTS_MAX_WS_MESSAGE 65536
#define QTS_MAX_OUT (64 * 1024 * 1024)
#define QTS_MAX_BARS 4000000
#define QTS_MAX_HOLIDAYS 64
#define QTS_RING 262144
#define QTS_WS_SUBS 41

typedef struct QtsBuf
{
	char *data;
	size_t len;
	size_t cap;
} QtsBuf;

typedef enum QtsPort
{
	QTS_PORT_REST,
	QTS_PORT_WS,
	QTS_PORT_CONTROL
} QtsPort;

typedef struct QtsWs QtsWs;
typedef struct QtsOrder QtsOrder;
typedef struct QtsFault QtsFault;

typedef struct QtsConn
{
	int fd;
	uint64_t id;
	QtsPort port;
	bool is_listener;
	bool is_dead;
	bool is_busy;		/* an answer is owed; pipelined input waits */
	bool has_out_watch; /* EPOLLOUT is armed */
	bool close_when_sent;
	size_t wanted; /* input bytes below which parsing is pointless */
	QtsBuf in;
	QtsBuf out;
	size_t out_pos;
	QtsWs *ws;
	struct QtsConn *next_dead;
} QtsConn;

typedef struct QtsReq
{
	QtsConn *conn;
	const char *method;
	const char *path;
	const char *query;
	const char *authorization;
	const char *appkey;
	const char *appsecret;
	const char *tr_id;
	const char *custtype;
	const char *tr_cont;
	const char *content_type;
	const char *hashkey;
	const char *ws_key;
	const char *body;
	size_t body_len;
	json_t *json; /* body or query as an object; NULL when unreadable */
	bool keep_alive;
	int64_t t_us;
	uint64_t seq;
	QtsFault *fault;
} QtsReq;

typedef struct QtsResp
{
	int status;
	QtsBuf body;
	const char *content_type;
	char tr_id[16];
	char tr_cont[2];
	char rt_cd[4];
	char msg_cd[12];
	char odno[12];
} QtsResp;

typedef struct QtsSymbol
{
	char code[13];
	char name[64];
	char market[12];
	bool is_etf;
	bool is_halted;
	bool is_vi;
	int64_t base, price, bid, ask, open, high, low, upper, lower, vi_ref;
	int64_t volume, amount, buy_volume, sell_volume, buy_count, sell_count, last_qty;
	bool last_is_buy;
	int open_tmd, high_tmd, low_tmd;
	int64_t buy_max, sell_min; /* outer bounds of resting limits; only widen between scans */
	QtsOrder *open_orders;
	struct QtsSymbol *hash_next;
} QtsSymbol;

typedef struct QtsHolding
{
	QtsSymbol *symbol;
	int64_t qty;
	int64_t locked;
	int64_t cost_e4;
	int64_t today_buy, today_sell, prev_buy, prev_sell;
} QtsHolding;

typedef struct QtsAccount
{
	char account[12]; /* 12345678-01 */
	char cano[9];
	char product[3];
	char branch[6];
	char holder[32];
	int64_t cash; /* settled on D+2: every trade and cost so far */
	int64_t reserved;
	int64_t net_today, net_prev;
	int64_t today_buy_amt, today_sell_amt, today_cost;
	int64_t prev_buy_amt, prev_sell_amt, prev_cost;
	QtsHolding *holdings;
	int n_holdings;
	QtsOrder **orders;
	int n_orders, cap_orders;
} QtsAccount;

typedef struct QtsToken
{
	char text[400];
	int64_t issued_us;
	int64_t expires_us;
	bool is_revoked;
} QtsToken;

typedef struct QtsApp
{
	char app_key[40];
	char app_secret[200];
	char hts_id[16];
	QtsAccount *accounts[QTS_MAX_APP_ACCOUNTS];
	int n_accounts;
	QtsToken tokens[QTS_MAX_APP_KEYS];
	int n_tokens; /* issued so far; slot = n % QTS_MAX_APP_KEYS */
	int64_t token_call_us;
	char approvals[QTS_MAX_APP_KEYS][40];
	int64_t approval_us[QTS_MAX_APP_KEYS];
	int n_approvals;
	int64_t *rate_at; /* monotonic times of the last admitted calls */
	int rate_pos;
	int64_t rate_second;
	int rate_in_second;
	QtsWs *session;
	int64_t session_free_us; /* a dropped session still counts until then */
} QtsApp;

typedef struct QtsFill
{
	int64_t qty;
	int64_t price;
	int64_t t_us;
	struct QtsFill *next;
} QtsFill;

typedef enum QtsKill
{
	QTS_KILL_NONE,
	QTS_KILL_CANCEL,
	QTS_KILL_REVISE,
	QTS_KILL_REJECT,
	QTS_KILL_EXPIRE,
	QTS_KILL_RESIDUE
} QtsKill;

typedef enum QtsKind
{
	QTS_KIND_NEW,
	QTS_KIND_REVISE,
	QTS_KIND_CANCEL /* a request row only: never rests, never fills */
} QtsKind;

struct QtsOrder
{
	int64_t odno;
	int64_t orgn_odno;
	int date;
	int tmd;
	int index; /* place in the account's list */
	QtsAccount *account;
	QtsSymbol *symbol;
	QtsKind kind;
	QtsKill kill;
	bool is_sell;
	bool is_open;
	bool is_market;
	bool is_after_market;
	bool has_arrived; /* reached the exchange; may match */
	bool owes_accept; /* accept notice not sent yet */
	bool accept_after_fill;
	char dvsn[4];
	char excg[4];
	char channel[12];
	char ip[16];
	int tif; /* 0 none, 1 IOC, 2 FOK */
	int64_t qty, price, limit, filled, amount, killed;
	int64_t reserved;
	int64_t fee, tax;
	int64_t accepted_us;
	int64_t last_fill_us;
	int pieces_left;
	bool has_piece_timer;
	QtsFill *fills;
	QtsFill *last_fill;
	QtsOrder *target; /* what a cancel or revise acts on */
	int64_t target_qty;
	QtsOrder *prev, *next, *hash_next;
};

typedef enum QtsPhase
{
	QTS_PHASE_HOLIDAY,
	QTS_PHASE_BEFORE,
	QTS_PHASE_OPENING, /* opening call auction */
	QTS_PHASE_CONTINUOUS,
	QTS_PHASE_CLOSING, /* closing call auction */
	QTS_PHASE_AFTER,
	QTS_PHASE_AFTER_MARKET
} QtsPhase;

typedef struct QtsOptions
{
	bool is_paper;
	int rest_port, ws_port, control_port;

	int64_t fill_delay_ms, piece_delay_ms, cancel_delay_ms;
	bool accept_before_reply;
	int partial_fills;
	bool auto_fill;
	int spread_ticks;
	int rate_per_second;
	bool rate_fixed;
	bool ledger_documented;
	bool ledger_empty;
	int64_t ledger_lag_ms;
	int64_t pingpong_ms;
	bool pingpong_required;
	int tick_fields, notice_fields;
	int page_ledger, page_open, page_balance;
	int64_t avg_blank_ms;
	int market_open; /* -1 by the clock, 0 closed, 1 continuous */
	int open_min, close_min, preopen_min, closing_min, after_open_min, after_close_min;
	int holidays[QTS_MAX_HOLIDAYS];
	int n_holidays;
	int token_interval_s, token_life_s, token_reuse_s;
	int64_t ws_linger_ms;
	int ws_fragment; /* bytes per fragment; 0 sends whole messages */
	int64_t fee_e9, etf_fee_e9;
} QtsOptions;

typedef struct QtsCounters
{
	int64_t connections, requests, orders_accepted, orders_rejected, fills, cancels, kills;
	int64_t ticks_sent, notices_sent, notices_lost, frames_received, pongs;
	int64_t ws_sessions, ws_open, subscriptions, rate_refusals, faults_fired, tokens_issued;
	int64_t price_changes, bars_played, slow_drops;
} QtsCounters;

struct QtsFault
{
	int id;
	char mode[24];
	char path[48];
	char method[8];
	char tr_id[16];
	char symbol[13];
	char account[12];
	int64_t nth, times, seen, fired;
	double probability;
	json_t *params;
};

typedef void (*QtsTimerFn)(void *arg, uint64_t tag);

extern QtsOptions qts_options;
extern QtsCounters qts_counters;

/* buf.c: growing byte buffers, JSON text, random numbers */
void qts_buf_add(QtsBuf *buf, const void *data, size_t len);
void qts_buf_text(QtsBuf *buf, const char *text);
void qts_buf_printf(QtsBuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void qts_buf_json(QtsBuf *buf, const char *text);
void qts_buf_padded(QtsBuf *buf, const char *text, int width);
void qts_buf_drop(QtsBuf *buf, size_t len);
void qts_buf_free(QtsBuf *buf);
void *qts_mem_zero(size_t size);
void *qts_mem_grow(void *old, size_t size);
void qts_text_copy(char *target, size_t size, const char *source);
uint64_t qts_random_next(void);
uint64_t qts_random_below(uint64_t limit);
void qts_random_text(char *target, int len, const char *alphabet);
void qts_random_seed(uint64_t seed);
const char *qts_json_text(const json_t *object, const char *key);
int64_t qts_json_int(const json_t *object, const char *key, int64_t fallback);
bool qts_json_bool(const json_t *object, const char *key, bool fallback);
bool qts_text_digits(const char *text, int64_t *value);

/* clock.c: real, monotonic and virtual time; trading phases */
int64_t qts_clock_real(void);
int64_t qts_clock_mono(void);
int64_t qts_clock_now(void);
bool qts_clock_parse(const char *text, int64_t *us);
void qts_clock_set(int64_t virtual_us, double speed);
double qts_clock_speed(void);
int qts_clock_date(int64_t us);
int qts_clock_tmd(int64_t us);
int qts_clock_weekday(int64_t us);
void qts_clock_format(int64_t us, const char *format, char *target, size_t size);
QtsPhase qts_clock_phase(void);
bool qts_clock_is_holiday(int64_t us);
const char *qts_clock_phase_name(QtsPhase phase);
void qts_clock_watch(void);

/* net.c: the loop, sockets, timers, actions run after an answer */
bool qts_net_start(void);
int qts_net_listen(QtsPort port, int wanted);
int qts_net_run(void);
void qts_net_stop(void);
QtsConn *qts_net_find(int fd, uint64_t id);
void qts_net_send(QtsConn *conn);
void qts_net_close(QtsConn *conn, bool reset);
void qts_net_resume(QtsConn *conn);
bool qts_net_timer(int64_t delay_us, QtsTimerFn fn, void *arg, uint64_t tag);
void qts_net_later(QtsTimerFn fn, void *arg, uint64_t tag);
void qts_net_run_later(void);

/* http.c: HTTP/1.1 requests in, answers out */
bool qts_http_input(QtsConn *conn);
void qts_http_render(QtsBuf *out, const QtsResp *resp, bool keep_alive);
void qts_http_answer(QtsConn *conn, const QtsResp *resp, bool keep_alive);
void qts_resp_reset(QtsResp *resp);
const char *qts_req_param(const QtsReq *req, const char *key);

/* rest.c: gateway checks and routing of the broker's REST port */
void qts_rest_handle(QtsReq *req);
void qts_rest_error(QtsResp *resp, int status, const char *rt_cd, const char *msg_cd, const char *msg1);
void qts_rest_end(QtsResp *resp, const char *real_cd, const char *paper_cd, bool has_data);
QtsAccount *qts_rest_account(const QtsReq *req, QtsResp *resp, const QtsApp *app);
bool qts_rest_context(const QtsReq *req, const char *key_name, const char *filter, char *cursor, size_t size);

/* oauth.c: applications, tokens, approval keys, the call limiter */
QtsApp *qts_oauth_app(const char *app_key);
QtsApp *qts_oauth_hts(const char *hts_id);
QtsApp *qts_oauth_approval(const char *key);
QtsApp *qts_oauth_app_at(int index);
bool qts_oauth_define(const json_t *row);
bool qts_oauth_admit(QtsApp *app);
const char *qts_oauth_check(const QtsApp *app, const char *authorization);
void qts_oauth_token(const QtsReq *req, QtsResp *resp);
void qts_oauth_revoke(const QtsReq *req, QtsResp *resp);
void qts_oauth_approve(const QtsReq *req, QtsResp *resp);

/* account.c: cash, holdings, costs */
QtsAccount *qts_account_find(const char *cano, const char *product);
QtsAccount *qts_account_at(int index);
bool qts_account_define(const json_t *row);
QtsHolding *qts_account_holding(QtsAccount *account, QtsSymbol *symbol, bool create);
int64_t qts_account_fee(const QtsSymbol *symbol, int64_t amount);
int64_t qts_account_tax(const QtsSymbol *symbol, int64_t amount);
void qts_account_fill(QtsOrder *order, int64_t qty, int64_t price);
void qts_account_new_day(void);
void qts_account_balance(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_account_buyable(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_account_sellable(const QtsReq *req, QtsResp *resp, QtsApp *app);

/* orders.c: order entry, validation, cancel and revise */
void qts_order_cash(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_order_revise(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_order_foreign(const json_t *body, QtsResp *resp);
int64_t qts_order_left(const QtsOrder *order);

/* exchange.c: the book: arrival, matching, fills, kills, session ends */
QtsOrder *qts_exchange_create(QtsAccount *account, QtsSymbol *symbol);
QtsOrder *qts_exchange_find(int date, int64_t odno);
QtsOrder *qts_exchange_at(int index);
int qts_exchange_count(void);
void qts_exchange_submit(QtsOrder *order, const QtsFault *fault);
void qts_exchange_match(QtsSymbol *symbol);
bool qts_exchange_fill(QtsOrder *order, int64_t qty, int64_t price);
void qts_exchange_kill(QtsOrder *order, int64_t qty, QtsKill how, bool has_notice);
void qts_exchange_reserve(QtsOrder *order);
void qts_exchange_session(void);

/* ledger.c: inquire-daily-ccld and inquire-psbl-rvsecncl */
void qts_ledger_daily(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_ledger_open(const QtsReq *req, QtsResp *resp, QtsApp *app);
const char *qts_ledger_dvsn_name(const char *dvsn);

/* market.c: symbols, prices, ticks */
QtsSymbol *qts_market_find(const char *code);
QtsSymbol *qts_market_at(int index);
QtsSymbol *qts_market_add(const char *code, int64_t base);
bool qts_market_define(const json_t *row);
int64_t qts_market_tick(const QtsSymbol *symbol, int64_t price);
void qts_market_price(QtsSymbol *symbol, int64_t price, int64_t bid, int64_t ask, int64_t volume);
int64_t qts_market_tick_us(void);
void qts_market_record(const QtsSymbol *symbol, QtsBuf *out);
void qts_market_new_day(void);
int qts_market_sign(const QtsSymbol *symbol, int64_t price);

/* quotes.c: price queries and the trading calendar */
void qts_quote_price(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_quote_multi(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_quote_book(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_quote_holiday(const QtsReq *req, QtsResp *resp, QtsApp *app);

/* ws.c: RFC 6455 server side; wsapp.c: subscriptions and frames */
bool qts_ws_upgrade(const QtsReq *req);
bool qts_ws_input(QtsConn *conn);
void qts_ws_gone(QtsConn *conn);
void qts_ws_queue(QtsConn *conn, int opcode, const void *data, size_t len);
void qts_wsapp_open(QtsConn *conn);
void qts_wsapp_gone(QtsConn *conn);
void qts_wsapp_message(QtsConn *conn, const char *text, size_t len);
void qts_wsapp_pong(QtsConn *conn);
void qts_wsapp_tick(QtsSymbol *symbol);
void qts_wsapp_flush(void);
int qts_wsapp_notice(const char *hts_id, const char *plain);
int qts_wsapp_text(const char *text, size_t len);
int qts_wsapp_fault(const char *mode, int64_t ms);
void qts_wsapp_list(QtsBuf *out);

/* notice.c: execution notices and their faults */
void qts_notice_accept(QtsOrder *order);
void qts_notice_fill(QtsOrder *order, int64_t qty, int64_t price);
void qts_notice_confirm(const QtsOrder *request, int64_t qty);
void qts_notice_kill(const QtsOrder *order, int64_t qty, bool is_reject);
int qts_notice_custom(const json_t *body);

/* faults.c: fault rules */
QtsFault *qts_fault_pick(const char *modes, const QtsReq *req, const QtsOrder *order);
bool qts_fault_is(const QtsFault *fault, const char *mode);
bool qts_fault_is_request(const char *mode);
int qts_fault_add(const json_t *body, const char **error);
void qts_fault_clear(void);
void qts_fault_list(QtsBuf *out);

/* witness.c: what arrived, waiting for it, the state as the broker sees it */
uint64_t qts_witness_record(QtsReq *req);
void qts_witness_outcome(uint64_t seq, const QtsResp *resp, const char *fault, bool is_sent);
void qts_witness_requests(const QtsReq *req, QtsBuf *out);
void qts_witness_stats(QtsBuf *out);
bool qts_witness_wait(const QtsReq *req, QtsResp *resp);
void qts_witness_notify(void);
void qts_truth_write(const QtsReq *req, QtsBuf *out);

/* hold.c: answers kept back */
void qts_hold_add(const QtsReq *req, const QtsResp *resp, int fault_id);
int qts_hold_release(int fault_id);
void qts_hold_delay(const QtsReq *req, const QtsResp *resp, int64_t ms);
void qts_hold_drip(const QtsReq *req, const QtsResp *resp, int64_t ms);
int qts_hold_count(void);

/* control.c and config.c */
void qts_control_handle(QtsReq *req);
bool qts_config_apply(const json_t *config, const char **error);
void qts_config_defaults(bool is_paper);

/* play.c: bars as price paths */
bool qts_play_start(const json_t *body, const char **error);
void qts_play_status(QtsBuf *out);

#endif
