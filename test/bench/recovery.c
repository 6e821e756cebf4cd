/*-------------------------------------------------------------------------
 *
 * recovery.c
 *		B18: the execution worker, the whole server or the machine is gone:
 *		how long until orders leave again?
 *
 * Each round kills with SIGKILL and inserts an intent with the first
 * connection the server takes.  Beside it stands what PostgreSQL itself needs:
 * the first connection, and a bare background worker of its own (the logical
 * replication launcher) in the same crash.
 *
 *-------------------------------------------------------------------------
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "work.h"

#define ROUNDS 10 /* even: each promotion swaps the two directories */
#define PATIENCE_US (60 * (int64_t) 1000000)
#define LOOK_US 2000

typedef enum Blow
{
	BLOW_WORKER,
	BLOW_SERVER,
	BLOW_MACHINE
} Blow;

typedef struct Times
{
	Samples up;		  /* the first connection */
	Samples launcher; /* a bare worker runs */
	Samples ready;	  /* ledger and balance have been read again */
	Samples order;	  /* the next order is at the broker */
} Times;

static PGconn *engine;
static int symbol; /* of the next order */

/* server.sh starts, copies and promotes; it says on which port the server trades then. */
static FILE *
server_begin(const char *what)
{
	const char *script = getenv("BENCH_SERVER");
	char command[600];
	FILE *from;

	if (script == NULL)
		bench_fail("BENCH_SERVER is not set: run scripts/bench.sh");
	snprintf(command, sizeof(command), "%s %s", script, what);
	from = popen(command, "r");
	if (from == NULL)
		bench_fail("%s failed", command);
	return from;
}

static void
server_end(FILE *from)
{
	if (pclose(from) != 0)
		bench_fail("the server's script failed");
}

/* The script tells the port before it waits for anything. */
static void
server_port(FILE *from)
{
	char port[16] = "";

	if (fgets(port, sizeof(port), from) == NULL || atoi(port) <= 0)
		bench_fail("the server's script says no port");
	port[strcspn(port, "\n")] = '\0';
	setenv("PGPORT", port, 1);
}

/* The crash tells every session why it ends. */
static void
notice_ignore(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

static void
engine_connect(void)
{
	engine = work_connect(BENCH_ACCOUNT);
	(void) PQsetNoticeProcessor(engine, notice_ignore, NULL);
}

static void
kill_process(const char *sql)
{
	long pid = bench_long(engine, sql);

	if (pid <= 1 || kill((pid_t) pid, SIGKILL) != 0)
		bench_fail("could not kill process %ld", pid);
	/* a postmaster is ours: as long as it is a zombie no other starts in its directory */
	(void) waitpid((pid_t) pid, NULL, 0);
}

/* Returns the script that brings the server back, if it does not come by itself. */
static FILE *
strike(Blow blow)
{
	FILE *script = NULL;

	if (blow == BLOW_WORKER)
		kill_process("SELECT pid FROM pg_stat_activity WHERE backend_type = 'qts execution'");
	else
		kill_process("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int");
	if (blow != BLOW_WORKER)
	{
		script = server_begin(blow == BLOW_SERVER ? "start" : "promote");
		server_port(script);
	}
	return script;
}

/* A standby takes connections before it is promoted. */
static bool
accepts_writes(void)
{
	PGconn *probe = PQconnectdb("dbname=trading user=postgres");
	bool writes = false;

	if (PQstatus(probe) == CONNECTION_OK)
	{
		PGresult *row = PQexec(probe, "SELECT pg_is_in_recovery()");

		writes = PQresultStatus(row) == PGRES_TUPLES_OK && PQgetvalue(row, 0, 0)[0] == 'f';
		PQclear(row);
	}
	PQfinish(probe);
	return writes;
}

/* Tries until the server takes connections again, with the crash behind it. */
static int64_t
reconnect(int64_t start)
{
	int64_t up;

	/* the postmaster has noticed when the old connection is dead */
	while (PQstatus(engine) == CONNECTION_OK)
	{
		PQclear(PQexec(engine, "SELECT 1"));
		if (bench_real_us() > start + PATIENCE_US)
			bench_fail("the server survived");
	}
	PQfinish(engine);
	while (!accepts_writes())
	{
		if (bench_real_us() > start + PATIENCE_US)
			bench_fail("no connection after a minute");
		bench_pause_until(bench_real_us() + LOOK_US);
	}
	up = bench_real_us();
	engine_connect();
	return up;
}

static void
recover(Blow blow, Times *times)
{
	char now[64];
	int64_t since = control_last();
	int64_t start;
	int64_t up;
	int64_t launcher = 0;
	int64_t ready = 0;
	FILE *script;
	Post *posts;
	int count;

	work_now(now, sizeof(now));
	work_mark();
	start = bench_real_us();
	script = strike(blow);
	up = reconnect(start);
	(void) work_intent(symbol++ % BENCH_SYMBOLS);
	while (launcher == 0 || ready == 0)
	{
		if (launcher == 0 &&
			bench_long(
				engine,
				"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'logical replication launcher'") ==
				1)
			launcher = bench_real_us();
		if (ready == 0 && work_is_ready(now))
			ready = bench_real_us();
		if (bench_real_us() > start + PATIENCE_US)
			bench_fail("the engine was not ready after a minute");
		bench_pause_until(bench_real_us() + LOOK_US);
	}
	control_wait_orders(since, 1);
	posts = work_posts(WORK_ENGINE, since, &count);
	samples_add(&times->up, (double) (up - start) / 1000);
	samples_add(&times->launcher, (double) (launcher - start) / 1000);
	samples_add(&times->ready, (double) (ready - start) / 1000);
	samples_add(&times->order, (double) (posts[0].t_us - start) / 1000);
	free(posts);
	if (script != NULL)
		server_end(script);
	work_settle();
}

static void
bench_blow(Blow blow, const char *title, double limit_ms)
{
	static Times times;

	memset(&times, 0, sizeof(times));
	times.up.name = "the server takes writes";
	times.launcher.name = "a bare worker of PostgreSQL runs";
	times.ready.name = "qts, ledger and balance read again";
	times.order.name = "qts, the next order at the broker";
	for (int round = 0; round < ROUNDS; round++)
	{
		if (blow == BLOW_MACHINE)
			server_end(server_begin("standby"));
		recover(blow, &times);
	}
	samples_title(title, "ms");
	samples_print(&times.up);
	samples_print(&times.launcher);
	samples_print(&times.ready);
	samples_print(&times.order);
	samples_ratio(&times.order, &times.launcher, 0.5);
	samples_goal(&times.order, 0.99, limit_ms);
}

/* The bench writes its intents itself, without the audit row of the API: that one does not count. */
static void
invariants_hold(void)
{
	PGresult *rows = bench_query(
		engine,
		"SELECT i::text FROM qts.check_invariants() AS i WHERE i::text NOT LIKE '(\"unowned write\"%'");
	int broken = PQntuples(rows);

	for (int i = 0; i < broken && i < 5; i++)
		printf("  violated: %s\n", PQgetvalue(rows, i, 0));
	PQclear(rows);
	bench_check(broken == 0, "invariants violated after thirty crashes", broken, 0);
}

/*
 * Adopt the server, because not every init reaps at once, and give the engine
 * holdings that agree with its positions: it reads the balance after each
 * crash and would correct them.
 */
static void
begin(void)
{
	char now[64];

	if (prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) != 0)
		bench_fail("prctl failed");
	engine_connect();
	work_now(now, sizeof(now));
	work_holdings(0);
	PQfinish(engine);
	server_end(server_begin("restart"));
	engine_connect();
	work_wait_ready(now);
	bench_run(engine, "SELECT qts.activate(failover => 'auto')");
	work_open(3 * ROUNDS);
	work_holdings(bench_long(engine, "SELECT max(qty) FROM trade.positions WHERE account_id = '" BENCH_ACCOUNT
									 "' AND status = 'OPEN'"));
}

int
main(void)
{
	begin();
	bench_blow(BLOW_WORKER, "B18 SIGKILL of the execution worker", 1000);
	bench_blow(BLOW_SERVER, "B18 SIGKILL of the postmaster, started again at once", 5000);
	bench_blow(BLOW_MACHINE, "B18 SIGKILL of the primary, the standby promoted at once", 10000);
	work_close();
	work_holdings(BENCH_HOLDING);
	invariants_hold();
	PQfinish(engine);
	return 0;
}
