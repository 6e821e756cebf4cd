/*
 * types.h
 *		Types and bounds of the simulated KIS broker.
 *
 * One process, one thread, one epoll loop: nothing here is locked.  Symbols live
 * until the process ends, orders and accounts until the control port forgets them
 * (an order that a timer still names stays as `is_gone` until it has fired).
 * Connections die at the end of the loop turn that closed them, so anything that
 * outlives a turn names a connection by (fd, id) and looks it up again.
 * Money is int64 won; average prices are kept in 1/10000 won.
 */
#ifndef QTS_KIS_SIM_TYPES_H
#define QTS_KIS_SIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define QTS_MAX_FD 8192
#define QTS_MAX_APPS 1024
#define QTS_MAX_APP_ACCOUNTS 16
#define QTS_MAX_APP_KEYS 8
#define QTS_MAX_ACCOUNTS 4096
#define QTS_MAX_ACCOUNT_APPS 8
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
#define QTS_MAX_SPEED 100000
#define QTS_PRICE_HISTORY 256 /* changes of a symbol that are remembered */
#define QTS_RING 262144
#define QTS_WS_SUBS 41
#define QTS_MAX_SESSIONS 256

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
typedef struct QtsApp QtsApp;
typedef struct QtsAccount QtsAccount;

typedef struct QtsConn
{
	int fd;
	uint64_t id;
	QtsPort port;
	bool is_listener;
	bool is_dead;
	bool is_stalled;	/* whatever arrives is thrown away */
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

typedef struct QtsBar
{
	int date;
	bool is_hole; /* answered as an empty object */
	int64_t open, high, low, close, volume;
	double factor; /* from raw to adjusted prices */
} QtsBar;

typedef struct QtsPricePoint
{
	int64_t t_us; /* CLOCK_REALTIME */
	int64_t virtual_us;
	int64_t price; /* from then on */
} QtsPricePoint;

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
	int64_t vi_until_us;	 /* virtual; 0 = until lifted by hand */
	int64_t mute_until_us;	 /* monotonic: no ticks before it */
	int64_t frozen_until_us; /* monotonic: queries show `frozen` before it */
	struct QtsSymbol *frozen;
	int print_date;			/* day of the last print */
	int64_t print_us;		/* virtual; of the last print */
	QtsPricePoint *history; /* a ring */
	int64_t n_history;		/* changes so far */
	QtsBar *bars;			/* days before today, oldest first */
	int n_bars;
	int64_t buy_max, sell_min; /* outer bounds of resting limits; only widen between scans */
	QtsOrder *open_orders;
	struct QtsSymbol *hash_next;
} QtsSymbol;

typedef struct QtsHolding
{
	QtsSymbol *symbol;
	int64_t qty;
	int64_t qty_in; /* what the configuration gave: qty = qty_in + bought - sold */
	int64_t locked;
	int64_t cost_e4;
	int64_t today_buy, today_sell, prev_buy, prev_sell;
} QtsHolding;

/* What an account ordered and traded on one day, kept so that no query adds it up. */
typedef struct QtsDay
{
	int date;
	int64_t ordered, filled, amount, cost;
} QtsDay;

struct QtsAccount
{
	char account[12]; /* 12345678-01 */
	char cano[9];
	char product[3];
	char branch[6];
	char holder[32];
	char hts_id[16]; /* told of its orders besides the ids of its applications */
	int64_t cash;	 /* settled on D+2: every trade and cost so far */
	int64_t cash_in; /* what the configuration gave: cash = cash_in + trades - costs */
	int64_t reserved;
	int64_t net_today, net_prev;
	int64_t today_buy_amt, today_sell_amt, today_cost;
	int64_t prev_buy_amt, prev_sell_amt, prev_cost;
	int64_t ledger_lag_ms, balance_lag_ms; /* negative: the option counts */
	QtsHolding *holdings;
	int n_holdings, cap_holdings;
	QtsOrder **orders;
	int n_orders, cap_orders;
	QtsOrder *open_tail; /* open orders in order of entry, newest last */
	struct QtsFill *last_fill;
	QtsDay *days;
	int n_days, cap_days;
	QtsApp *apps[QTS_MAX_ACCOUNT_APPS];
	int n_apps;
	char *held_notice; /* a fill notice kept back to arrive after the next one */
	size_t held_len;
	uint64_t held_tag;
	uint64_t last_seq; /* newest request that names the account */
	struct QtsAccount *hash_next;
};

typedef struct QtsToken
{
	char text[400];
	int64_t issued_us;
	int64_t expires_us;
	bool is_revoked;
} QtsToken;

struct QtsApp
{
	char app_key[40];
	char app_secret[200];
	char hts_id[16];
	bool is_misplaced; /* a key of the other domain */
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
};

typedef struct QtsFill
{
	int64_t qty;
	int64_t price;
	int64_t t_us;
	int64_t net; /* won that moved, costs included */
	QtsOrder *order;
	struct QtsFill *next;  /* of the order, oldest first */
	struct QtsFill *older; /* of the account, newest first */
} QtsFill;

typedef enum QtsKill
{
	QTS_KILL_NONE,
	QTS_KILL_CANCEL,
	QTS_KILL_REVISE,
	QTS_KILL_REJECT,
	QTS_KILL_EXPIRE,
	QTS_KILL_RESIDUE,
	QTS_KILL_GTP /* pre-market rest, removed with a notice */
} QtsKill;

typedef enum QtsKind
{
	QTS_KIND_NEW,
	QTS_KIND_REVISE,
	QTS_KIND_CANCEL /* a request row only: never rests, never fills */
} QtsKind;

/* When an order may be entered, trade and live. */
typedef enum QtsWindow
{
	QTS_WINDOW_REGULAR,
	QTS_WINDOW_AFTER_MARKET,
	QTS_WINDOW_PREMARKET, /* NXT, types 27 to 29 */
	QTS_WINDOW_OFF_OPEN,  /* previous close, type 05 */
	QTS_WINDOW_OFF_CLOSE, /* today's close, type 06 */
	QTS_WINDOWS
} QtsWindow;

struct QtsOrder
{
	int64_t serial;	  /* never reused, unlike numbers and places */
	uint64_t req_seq; /* the request that made it; 0 for another channel */
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
	bool is_triggered; /* a stop order whose price was seen */
	bool is_gone;	   /* forgotten; freed when n_waits is 0 */
	bool is_silent;	   /* a refusal by the exchange that nobody is told of */
	int n_waits;	   /* timers and later actions that name it */
	QtsWindow window;
	bool has_arrived; /* reached the exchange; may match */
	bool owes_accept; /* accept notice not sent yet */
	bool accept_after_fill;
	char dvsn[4];
	char excg[4];
	char channel[12];
	char ip[16];
	int tif; /* 0 none, 1 IOC, 2 FOK */
	int64_t qty, price, limit, trigger, filled, amount, killed;
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
	QtsOrder *older_open, *newer_open; /* of the account */
};

/* What qts_book_defer may put off. */
typedef enum QtsStep
{
	QTS_STEP_ANNOUNCE,
	QTS_STEP_ARRIVE,
	QTS_STEP_REFUSE, /* the exchange says no */
	QTS_STEP_PIECE
} QtsStep;

/* Why an order is not taken, in the words of both domains. */
typedef struct QtsRefusal
{
	const char *real_cd;
	const char *real_msg;
	const char *paper_cd;
	const char *paper_msg;
} QtsRefusal;

typedef enum QtsBreaker
{
	QTS_BREAKER_NONE,
	QTS_BREAKER_STOP,	 /* no new orders, cancels only */
	QTS_BREAKER_AUCTION, /* orders wait */
	QTS_BREAKER_CLOSED
} QtsBreaker;

typedef enum QtsChannel
{
	QTS_CHANNEL_SILENT, /* acknowledged, never sends */
	QTS_CHANNEL_TICK,
	QTS_CHANNEL_BOOK,
	QTS_CHANNEL_STATUS,
	QTS_CHANNEL_NOTICE
} QtsChannel;

typedef struct QtsSub
{
	char tr_id[12];
	char tr_key[16];
	QtsChannel channel;
	QtsSymbol *symbol;
	char iv[17];
	char key[33];
	bool is_mute; /* acknowledged, and then nothing */
} QtsSub;

typedef struct QtsSession
{
	bool is_used;
	int fd;
	uint64_t id;
	QtsApp *app;
	QtsSub subs[QTS_WS_SUBS];
	int n_subs;
	int64_t mute_until; /* monotonic: nothing is read or written before it */
	int64_t mute_ticks_until, mute_notices_until;
	QtsBuf ticks, notices; /* records waiting to share a frame */
	int n_ticks, want_ticks, n_notices, want_notices;
	bool is_dirty;
	int missed;
} QtsSession;

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

	int64_t fill_delay_ms, fill_delay_max_ms, piece_delay_ms, cancel_delay_ms;
	int64_t clock_skew_ms; /* what the broker's stamps are ahead */
	bool accept_before_reply;
	int partial_fills;
	bool auto_fill;
	int spread_ticks;
	int rate_per_second;
	bool rate_fixed;
	bool ledger_documented;
	bool ledger_empty;
	bool ledger_sample_keys; /* the spellings of the sample code */
	bool is_strict;			 /* every documented query key must be present */
	bool closed_unexpectedly;
	bool auto_vi;
	bool naver_raw; /* raw twins beside the texts */
	int64_t ledger_lag_ms, ledger_fill_lag_ms, balance_lag_ms;
	int ledger_odno_width, notice_odno_width;
	int64_t pingpong_ms;
	bool pingpong_required;
	int tick_fields, notice_fields, book_fields;
	int page_ledger, page_open, page_balance;
	int64_t avg_blank_ms;
	int market_open; /* -1 by the clock, 0 closed, 1 continuous */
	int open_min, close_min, preopen_min, closing_min, after_open_min, after_close_min;
	int premarket_open_min, premarket_close_min;
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
	int known; /* the mode's place in the table */
	char mode[24];
	char path[48];
	char method[8];
	char tr_id[16];
	char symbol[13];
	char account[12];
	int64_t nth, times, seen, fired;
	double probability;
	bool has_seed;
	uint64_t seed;
	json_t *params;
};

typedef void (*QtsTimerFn)(void *arg, uint64_t tag);

extern QtsOptions qts_options;
extern QtsCounters qts_counters;

#endif
