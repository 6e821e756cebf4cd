/*
 * sim.h
 *		Interfaces of the modules of the simulated KIS broker.
 */
#ifndef QTS_KIS_SIM_SIM_H
#define QTS_KIS_SIM_SIM_H

#include "types.h"

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
void *qts_mem_room(void *old, int *cap, int n, size_t size);
void qts_text_copy(char *target, size_t size, const char *source);
uint64_t qts_random_mix(uint64_t z);
uint64_t qts_random_next(void);
uint64_t qts_random_origin(void);
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
int64_t qts_clock_stamp(void);
int qts_clock_minute(void);
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

/* spoil.c: request faults on the answer */
bool qts_spoil_refuse(const QtsReq *req, QtsResp *resp);
void qts_spoil_answer(const QtsReq *req, QtsResp *resp);
bool qts_spoil_deliver(QtsReq *req, const QtsResp *resp);

/* rest.c: gateway checks and routing of the broker's REST port */
void qts_rest_handle(QtsReq *req);
void qts_rest_error(QtsResp *resp, int status, const char *rt_cd, const char *msg_cd, const char *msg1);
void qts_rest_end(QtsResp *resp, const char *real_cd, const char *paper_cd, bool has_data);
QtsAccount *qts_rest_account(const QtsReq *req, QtsResp *resp, const QtsApp *app);
bool qts_rest_context(const QtsReq *req, const char *key_name, const char *filter, char *cursor, size_t size);

/* oauth.c: applications, tokens, approval keys, the call limiter */
QtsApp *qts_oauth_app(const char *app_key);
QtsApp *qts_oauth_approval(const char *key);
QtsApp *qts_oauth_app_at(int index);
bool qts_oauth_define(const json_t *row);
void qts_oauth_forget_account(QtsAccount *account);
void qts_oauth_remove(QtsApp *app);
int qts_oauth_revoke_all(QtsApp *app);
bool qts_oauth_admit(QtsApp *app);
const char *qts_oauth_check(const QtsApp *app, const char *authorization);
void qts_oauth_token(const QtsReq *req, QtsResp *resp);
void qts_oauth_revoke(const QtsReq *req, QtsResp *resp);
void qts_oauth_approve(const QtsReq *req, QtsResp *resp);

/* account.c: cash, holdings, costs */
QtsAccount *qts_account_find(const char *cano, const char *product);
QtsAccount *qts_account_named(const char *text);
QtsAccount *qts_account_at(int index);
bool qts_account_define(const json_t *row);
void qts_account_clear(QtsAccount *account);
void qts_account_remove(QtsAccount *account);
QtsDay *qts_account_day(QtsAccount *account, int date);
QtsHolding *qts_account_holding(QtsAccount *account, QtsSymbol *symbol, bool create);
int64_t qts_account_fee(const QtsSymbol *symbol, int64_t amount);
int64_t qts_account_tax(const QtsSymbol *symbol, int64_t amount);
int64_t qts_account_fill(QtsOrder *order, int64_t qty, int64_t price);
void qts_account_new_day(void);

/* balance.c: what an account is told of itself */
void qts_balance_query(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_balance_buyable(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_balance_sellable(const QtsReq *req, QtsResp *resp, QtsApp *app);

/* checks.c: why an order is refused at once; NULL when it is not */
const QtsRefusal *qts_check_order(QtsOrder *draft);
const QtsRefusal *qts_check_revise(QtsOrder *draft, const QtsOrder *target);

/* orders.c: order entry, cancel and revise */
void qts_order_cash(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_order_revise(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_order_foreign(const json_t *body, QtsResp *resp);
int64_t qts_order_left(const QtsOrder *order);

/* book.c: every order and the lists it is on */
QtsOrder *qts_book_create(QtsAccount *account, QtsSymbol *symbol);
QtsOrder *qts_book_find(int date, int64_t odno);
QtsOrder *qts_book_at(int index);
int qts_book_from(int64_t serial);
void qts_book_new_day(void);
void qts_book_force_number(int64_t number);
bool qts_book_is_unbounded(const QtsOrder *order);
void qts_book_link(QtsOrder *order);
void qts_book_unlink(QtsOrder *order);
bool qts_book_defer(QtsOrder *order, int64_t delay_us, QtsStep step);
void qts_book_due(void *arg, uint64_t tag);
int qts_book_forget(QtsAccount *account);

/* exchange.c: arrival, matching, fills, kills */
void qts_exchange_submit(QtsOrder *order, const QtsFault *fault);
void qts_exchange_step(QtsOrder *order, QtsStep step);
void qts_exchange_match(QtsSymbol *symbol);
bool qts_exchange_fill(QtsOrder *order, int64_t qty, int64_t price);
void qts_exchange_kill(QtsOrder *order, int64_t qty, QtsKill how, bool has_notice);
void qts_exchange_reserve(QtsOrder *order);

/* session.c: what the clock and interruptions do to the market */
void qts_session_apply(void);
bool qts_session_takes(QtsWindow window);
bool qts_session_trades(QtsWindow window);
QtsBreaker qts_session_breaker(void);
void qts_session_break(int level, int64_t stop_s, int64_t auction_s);
void qts_session_resume(void);
void qts_session_vi_start(QtsSymbol *symbol, int64_t seconds);
void qts_session_vi_end(QtsSymbol *symbol);
void qts_session_print(QtsSymbol *symbol);

/* ledger.c: inquire-daily-ccld and inquire-psbl-rvsecncl */
void qts_ledger_daily(const QtsReq *req, QtsResp *resp, QtsApp *app);
void qts_ledger_open(const QtsReq *req, QtsResp *resp, QtsApp *app);
const char *qts_ledger_dvsn_name(const char *dvsn);

/* market.c: symbols, prices, ticks */
QtsSymbol *qts_market_find(const char *code);
QtsSymbol *qts_market_at(int index);
QtsSymbol *qts_market_add(const char *code, int64_t base);
bool qts_market_define(const json_t *row);
bool qts_market_generate(int64_t count);
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
int qts_quote_freeze(const char *code, int64_t ms);
void qts_quote_book_record(const QtsSymbol *s, QtsBuf *out);
void qts_quote_holiday(const QtsReq *req, QtsResp *resp, QtsApp *app);

const QtsSymbol *qts_quote_symbol(const QtsReq *req, const char *code);

/* naver.c: the fallback quote source */
void qts_naver_quote(const QtsReq *req, QtsResp *resp, const char *codes);

/* walk.c: symbols that wander, and what their prices were */
bool qts_walk_start(const json_t *body, const char **error);
void qts_walk_status(QtsBuf *out);
void qts_price_history_add(QtsSymbol *symbol);
void qts_price_truth(const QtsReq *req, QtsBuf *out);

/* bars.c: daily bars */
bool qts_bars_read(QtsSymbol *symbol, const json_t *list);
void qts_bars_close_day(QtsSymbol *symbol);
void qts_bars_chart(const QtsReq *req, QtsResp *resp, QtsApp *app);

/* ws.c: RFC 6455 server side */
bool qts_ws_upgrade(const QtsReq *req);
bool qts_ws_input(QtsConn *conn);
void qts_ws_gone(QtsConn *conn);
void qts_ws_queue(QtsConn *conn, int opcode, const void *data, size_t len, int wanted);

/* wsapp.c: sessions and subscriptions */
void qts_wsapp_open(QtsConn *conn);
void qts_wsapp_gone(QtsConn *conn);
void qts_wsapp_message(QtsConn *conn, const char *text, size_t len);
void qts_wsapp_pong(QtsConn *conn);
QtsSession *qts_wsapp_at(int index);
QtsConn *qts_wsapp_conn(const QtsSession *session);
void qts_wsapp_queue(QtsSession *session, const char *text, size_t len, int piece);
void qts_wsapp_flush(void);
void qts_wsapp_new_keys(QtsSub *sub);
int qts_wsapp_fault(const QtsFault *fault, int64_t ms);
void qts_wsapp_calm(void);
void qts_wsapp_close_app(const QtsApp *app);
void qts_wsapp_list(QtsBuf *out);

/* feed.c: frames out and what spoils them */
void qts_feed_mute(int64_t until_us);
void qts_feed_tick(QtsSymbol *symbol);
void qts_feed_status(const QtsSymbol *symbol, const char *code);
int qts_feed_notice(const char *hts_id, const char *plain, size_t len, const QtsFault *fault);
int qts_feed_text(const char *text, size_t len);
void qts_feed_oversize(QtsSession *session, int64_t bytes);
void qts_feed_mangle(QtsBuf *record, const QtsFault *fault);

/* notice.c: execution notices and their faults */
void qts_notice_accept(QtsOrder *order);
void qts_notice_fill(QtsOrder *order, int64_t qty, int64_t price);
void qts_notice_confirm(const QtsOrder *request, int64_t qty);
void qts_notice_kill(const QtsOrder *order, int64_t qty, bool is_reject);
int qts_notice_custom(const json_t *body);

/* faults.c: fault rules */
QtsFault *qts_fault_pick(const char *modes, const QtsReq *req, const QtsOrder *order);
bool qts_fault_is(const QtsFault *fault, const char *mode);
QtsFault *qts_fault_feed(const char *mode, const char *tr_id, const char *tr_key, const QtsApp *app);
QtsFault *qts_fault_quote(const char *mode, const QtsReq *req, const char *code);
QtsFault *qts_fault_line(void);
bool qts_fault_concerns(const QtsFault *f, const QtsApp *app);
int qts_fault_count(void);
int qts_fault_remove(const char *account, int id);
int qts_fault_add(const json_t *body, const char **error);
void qts_fault_clear(void);
void qts_fault_list(QtsBuf *out);

/* witness.c: what arrived, waiting for it, the state as the broker sees it */
uint64_t qts_witness_record(QtsReq *req);
void qts_witness_outcome(uint64_t seq, const QtsResp *resp, const char *fault, bool is_sent);
void qts_witness_requests(const QtsReq *req, QtsBuf *out);
int qts_witness_forget(QtsAccount *account);
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
