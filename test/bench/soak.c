/*-------------------------------------------------------------------------
 *
 * soak.c
 *		B19: what the engine's processes keep, over time and over orders.
 *
 * Ticks come at 1 000 a second while rounds of orders, spread evenly over the
 * time, are placed, filled and closed.  Between the rounds, with nothing under
 * way, private memory is read from /proc, and before and after the whole run
 * the processes count their memory contexts themselves.  BENCH_SOAK (s) and
 * BENCH_ORDERS set the length: the run ends when both are reached.
 *
 * A process has its size when it has done each of its tasks once, some of
 * which come once in many minutes.  As in the simulated day, the first half
 * hour is warm-up, or half of a shorter run; only then is growth looked at,
 * as the difference of the first and the last quarter and as a least-squares
 * line through the least of each twelfth.  A run too short for a goal prints the growth and judges nothing.
 *
 *-------------------------------------------------------------------------
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

#define EACH_SYMBOL 10 /* 400 orders a round and 40 to close */
#define WARM_ROUNDS 4
#define TICK_STEP_US 40000 /* forty symbols, 25 times a second */
#define MAX_PROCESSES 8
#define MAX_SAMPLES 4096 /* when they are full every second one goes, and from then on half as many come */
#define SAMPLE_US 1000000
#define WARM_HOURS 0.5
#define WHILES 12			   /* of what comes after the warm-up */
#define ENOUGH_HOURS 0.5	   /* after the warm-up, for a verdict on growth by time */
#define ENOUGH_ORDERS 30000	   /* the same by orders */
#define SLOPE_LIMIT_KB 1024.0  /* an hour */
#define ORDERS_LIMIT_KB 1024.0 /* per 100 000 orders */

typedef struct Process
{
	int pid;
	char name[32];
	long context[2]; /* bytes in use, before and after */
	int count;
	double anon[MAX_SAMPLES]; /* kB */
	double pss;
} Process;

static PGconn *engine;
static Process process[MAX_PROCESSES];
static int processes;
static double at_hour[MAX_SAMPLES];
static double at_order[MAX_SAMPLES];
static int samples;
static atomic_bool over;
static atomic_long ticks;

/* Open loop; late lists are not left out. */
static void *
ticks_send(void *arg)
{
	int64_t first = bench_real_us();

	(void) arg;
	for (int i = 0; !atomic_load(&over); i++)
	{
		char body[4096] = "{\"prices\":[";
		size_t at = strlen(body);

		(void) bench_start(first, TICK_STEP_US, i);
		for (int s = 0; s < BENCH_SYMBOLS; s++)
			at += (size_t) snprintf(body + at, sizeof(body) - at, "%s{\"symbol\":\"%d\",\"price\":%d}",
									s ? "," : "", 100000 + s, BENCH_BASE + 100 * ((i + s) % 7));
		snprintf(body + at, sizeof(body) - at, "]}");
		json_decref(control_ask("POST", "/price", body));
		atomic_fetch_add(&ticks, BENCH_SYMBOLS);
	}
	return NULL;
}

/* A number after a key in a file of /proc, in kB. */
static long
proc_kb(int pid, const char *file, const char *key)
{
	char path[64];
	char line[256];
	long value = -1;
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	from = fopen(path, "r");
	if (from == NULL)
		bench_fail("process %d is gone", pid);
	while (value < 0 && fgets(line, sizeof(line), from) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			value = atol(line + strlen(key));
	fclose(from);
	return value;
}

static void
processes_find(void)
{
	PGresult *rows = bench_query(
		engine, "SELECT pid, backend_type FROM pg_stat_activity WHERE backend_type LIKE 'qts %' ORDER BY 2");

	processes = PQntuples(rows) < MAX_PROCESSES ? PQntuples(rows) : MAX_PROCESSES;
	for (int i = 0; i < processes; i++)
	{
		process[i].pid = atoi(PQgetvalue(rows, i, 0));
		snprintf(process[i].name, sizeof(process[i].name), "%s", PQgetvalue(rows, i, 1));
	}
	PQclear(rows);
}

/* The process writes the sum of its memory contexts into the server's log. */
static long
contexts_of(int pid)
{
	const char *log = getenv("BENCH_LOG");
	int64_t end = bench_real_us() + 20000000;
	char sql[80];
	char mark[32];
	long used = -1;
	long from_byte;
	FILE *from = fopen(log ? log : "", "r");

	if (from == NULL)
		bench_fail("BENCH_LOG is not readable: run scripts/bench.sh");
	fseek(from, 0, SEEK_END);
	from_byte = ftell(from);
	snprintf(mark, sizeof(mark), "[%d]", pid);
	snprintf(sql, sizeof(sql), "SELECT pg_log_backend_memory_contexts(%d)", pid);
	bench_run(engine, sql);
	while (used < 0)
	{
		char line[512];

		fseek(from, from_byte, SEEK_SET);
		while (used < 0 && fgets(line, sizeof(line), from) != NULL)
		{
			const char *total = strstr(line, "Grand total:");
			const char *free_bytes = total ? strstr(total, "); ") : NULL;

			if (free_bytes != NULL && strstr(line, mark) != NULL && strchr(line, '\n') != NULL)
				used = atol(free_bytes + 3);
		}
		if (bench_real_us() > end)
			bench_fail("process %d did not log its memory", pid);
		bench_pause_until(bench_real_us() + 5000);
	}
	fclose(from);
	return used;
}

/* Every second sample goes. */
static void
samples_thin(void)
{
	samples /= 2;
	for (int k = 0; k < samples; k++)
	{
		at_hour[k] = at_hour[2 * k];
		at_order[k] = at_order[2 * k];
		for (int i = 0; i < processes; i++)
			process[i].anon[k] = process[i].anon[2 * k];
	}
}

static void
sample(int64_t start_us, long orders)
{
	static int64_t next;
	static int64_t step = SAMPLE_US;
	int64_t now = bench_real_us();

	if (now < next)
		return;
	next = now + step;
	if (samples == MAX_SAMPLES)
	{
		samples_thin();
		step *= 2;
	}
	at_hour[samples] = (double) (now - start_us) / 3.6e9;
	at_order[samples] = (double) orders;
	for (int i = 0; i < processes; i++)
		process[i].anon[samples] = (double) proc_kb(process[i].pid, "status", "RssAnon:");
	samples++;
}

/* The first sample that counts. */
static int
warm(void)
{
	double half = at_hour[samples - 1] / 2;
	int first = 0;

	while (at_hour[first] < (half < WARM_HOURS ? half : WARM_HOURS))
		first++;
	return first;
}

/*
 * What a process keeps is its least over a while: the list of the day is in
 * memory only while it is read.
 */
static void
least(const double *all_x, const double *all_y, double x[WHILES], double y[WHILES])
{
	int n = samples - warm();

	for (int i = 0; i < WHILES; i++)
	{
		int at = warm() + n * i / WHILES;

		for (int k = at; k < warm() + n * (i + 1) / WHILES; k++)
			at = all_y[k] < all_y[at] ? k : at;
		x[i] = all_x[at];
		y[i] = all_y[at];
	}
}

/* Least squares from the first sample that counts. */
static double
slope(const double *all_x, const double *all_y)
{
	double x[WHILES];
	double y[WHILES];
	double mean_x = 0;
	double mean_y = 0;
	double above = 0;
	double below = 0;

	least(all_x, all_y, x, y);
	for (int i = 0; i < WHILES; i++)
	{
		mean_x += x[i] / WHILES;
		mean_y += y[i] / WHILES;
	}
	for (int i = 0; i < WHILES; i++)
	{
		above += (x[i] - mean_x) * (y[i] - mean_y);
		below += (x[i] - mean_x) * (x[i] - mean_x);
	}
	return below > 0 ? above / below : 0;
}

/* From the first quarter of what counts to the last. */
static double
growth(const double *all)
{
	double x[WHILES];
	double y[WHILES];
	double grown = 0;

	least(at_hour, all, x, y);
	for (int i = 0; i < WHILES / 4; i++)
		grown += (y[WHILES - 1 - i] - y[i]) / (WHILES / 4);
	return grown;
}

static void
round_of_orders(void)
{
	int64_t since = control_last();
	int count;

	work_open(EACH_SYMBOL);
	work_mark();
	work_intents(WORK_ENGINE, EACH_SYMBOL, 0);
	control_wait_orders(since, EACH_SYMBOL * BENCH_SYMBOLS);
	free(work_posts(WORK_ENGINE, since, &count));
	work_settle();
	work_close();
}

static double
most(const double *all)
{
	double value = 0;

	for (int i = 0; i < samples; i++)
		value = all[i] > value ? all[i] : value;
	return value;
}

/* Orders are the business of these two; the others' size is a matter of time. */
static bool
sees_orders(const Process *p)
{
	return strcmp(p->name, "qts execution") == 0 || strcmp(p->name, "qts exit") == 0;
}

static void
verdicts(void)
{
	double hours = at_hour[samples - 1] - at_hour[warm()];
	double orders = at_order[samples - 1] - at_order[warm()];
	bool by_time = hours >= ENOUGH_HOURS * 0.99;

	if (!by_time)
		printf("  no verdict by time: %.0f s after the warm-up are too short; BENCH_SOAK=%.0f is enough\n",
			   hours * 3600, (WARM_HOURS + ENOUGH_HOURS) * 3600);
	if (orders < ENOUGH_ORDERS)
		printf("  no verdict by orders: %.0f after the warm-up are too few; BENCH_ORDERS=100000 is enough\n",
			   orders);
	for (int i = 0; i < processes; i++)
	{
		double per_hour = slope(at_hour, process[i].anon);
		double per_orders = 1e5 * slope(at_order, process[i].anon);

		if (by_time)
			printf("  goal %s <= %.0f kB/h: %.0f, %s\n", process[i].name, SLOPE_LIMIT_KB, per_hour,
				   per_hour <= SLOPE_LIMIT_KB ? "met" : "MISSED");
		if (orders >= ENOUGH_ORDERS && (by_time || sees_orders(&process[i])))
			printf("  goal %s <= %.0f kB per 100 000 orders: %.0f, %s\n", process[i].name, ORDERS_LIMIT_KB,
				   per_orders, per_orders <= ORDERS_LIMIT_KB ? "met" : "MISSED");
	}
}

static void
report(double hours, long orders)
{
	double all = 0;
	int first = warm();

	printf("\nB19 memory: %.0f s, %ld orders, %ld ticks, %d samples; warm after %.0f s and %.0f orders\n",
		   hours * 3600, orders, atomic_load(&ticks), samples, at_hour[first] * 3600, at_order[first]);
	printf("  %-16s %10s %10s %10s %10s %10s %10s %22s\n", "kB", "private 1", "warm", "private n", "most",
		   "Pss", "growth", "contexts before, after");
	for (int i = 0; i < processes; i++)
	{
		Process *p = &process[i];

		p->pss = (double) proc_kb(p->pid, "smaps_rollup", "Pss:");
		all += p->anon[samples - 1];
		printf("  %-16s %10.0f %10.0f %10.0f %10.0f %10.0f %10.0f %11ld %10ld\n", p->name, p->anon[0],
			   p->anon[first], p->anon[samples - 1], most(p->anon), p->pss, growth(p->anon),
			   p->context[0] / 1024, p->context[1] / 1024);
	}
	printf("  private memory of all: %.1f MB; growth is that since the warm-up\n", all / 1024);
	verdicts();
}

static long
wanted(const char *name, long without)
{
	const char *value = getenv(name);

	return value != NULL ? atol(value) : without;
}

/* Rounds as they are due, and the pauses between them. */
static void
soak(int64_t start, long seconds, long orders)
{
	long before = work_total();
	long done = 0;
	int64_t now;

	sample(start, 0);
	while ((now = bench_real_us() - start) < seconds * 1000000 || done < orders)
	{
		if (done < orders && now >= seconds * 1000000 * done / orders)
		{
			round_of_orders();
			done = work_total() - before;
		}
		else
			bench_pause_until(bench_real_us() + SAMPLE_US);
		sample(start, done);
	}
}

int
main(void)
{
	long seconds = wanted("BENCH_SOAK", 60);
	long orders = wanted("BENCH_ORDERS", 8000);
	long before;
	int64_t start;
	pthread_t thread;

	engine = work_connect(BENCH_ACCOUNT);
	if (pthread_create(&thread, NULL, ticks_send, NULL) != 0)
		bench_fail("could not start a thread");
	for (int i = 0; i < WARM_ROUNDS; i++)
		round_of_orders();
	bench_run(engine, "ANALYZE");
	round_of_orders();
	processes_find();
	for (int i = 0; i < processes; i++)
		process[i].context[0] = contexts_of(process[i].pid);
	before = work_total();
	start = bench_real_us();
	soak(start, seconds, orders);
	for (int i = 0; i < processes; i++)
		process[i].context[1] = contexts_of(process[i].pid);
	report((double) (bench_real_us() - start) / 3.6e9, work_total() - before);
	atomic_store(&over, true);
	if (pthread_join(thread, NULL) != 0)
		bench_fail("could not stop a thread");
	PQfinish(engine);
	return 0;
}
