/*-------------------------------------------------------------------------
 *
 * bench.h
 *		What the measuring programs share: the database, the simulator, the
 *		open-loop clock.  Everything that fails ends the program: a bench
 *		with a hole in it must not print a number.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_BENCH_BENCH_H
#define QTS_BENCH_BENCH_H

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

#define BENCH_SYMBOLS 40
#define BENCH_ACCOUNT "12345678-01" /* traded by the engine */
#define BENCH_OUTSIDE "87654321-01" /* traded by the programs compared with it */
#define BENCH_BASE 70000
#define BENCH_HOLDING                                                                                        \
	1000000000 /* at the broker, of each symbol: nobody looks, qts.balance_interval is an hour */

extern void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
extern void bench_check(bool ok, const char *what, long have, long want);

/* Connections: the engine's database, or the plain one of the programs compared. */
extern PGconn *bench_connect(const char *database);
extern PGresult *bench_query(PGconn *conn, const char *sql);
extern void bench_run(PGconn *conn, const char *sql);
extern long bench_long(PGconn *conn, const char *sql);
extern void bench_prepare(PGconn *conn, const char *name, const char *sql);
extern PGresult *bench_execute(PGconn *conn, const char *name, int nparams, const char *const *params);

/* Ask until the answer is want; fails after 20 s.  The pause is politeness, not synchronisation. */
extern void bench_until(PGconn *conn, const char *sql, long want);

/* Sleep until a CLOCK_REALTIME instant, in us, exactly. */
extern void bench_pause_until(int64_t at_us);

/*
 * Open loop: waits for the i-th start and returns the instant the latency
 * counts from.  That is the intended one when the generator is late, so that a
 * stall is charged to every operation it delays.
 */
extern int64_t bench_start(int64_t first_us, int64_t step_us, int i);

/* "100000" and so on. */
extern void bench_symbol(int i, char *symbol);

/* The simulator's control port; one connection for each thread. */
extern json_t *control_ask(const char *method, const char *path, const char *body);
extern int64_t control_now(const char *method, const char *path, const char *body); /* its t_us */
extern void control_option(const char *name, const char *json_value);
extern int64_t control_last(void);
extern void control_wait_orders(int64_t since, int count);

typedef struct Post
{
	int64_t t_us;
	char account[16];
	char symbol[8];
	char odno[16];
	long qty;
} Post;

/* Order POSTs that arrived after a sequence number; to be freed. */
extern Post *control_posts(int64_t since, int *count);

extern int bench_port(const char *name);

/* Forty MANUAL_ONLY or ENABLED positions of one size in the engine's account. */
extern void bench_positions(PGconn *conn, long qty, const char *exit_mode);

/* Sells everything through the engine and waits for the end of it. */
extern void bench_close_positions(PGconn *conn);

#endif /* QTS_BENCH_BENCH_H */
