/*-------------------------------------------------------------------------
 *
 * soak.c
 *		B19: what the engine's processes keep, over time and over orders.
 *
 * Ticks come at 1 000 a second while rounds of orders are placed, filled and
 * closed.  After each round, with nothing under way, private memory is read
 * from /proc, and before and after the whole run the processes count their
 * memory contexts themselves.  The slope is a least-squares line through the
 * second half; the first is warm-up.  BENCH_SOAK (s) and BENCH_ORDERS set the
 * length: the run ends when both are reached.
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
#define MAX_SAMPLES 4096
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

static void
sample(int64_t start_us, long orders)
{
	if (samples == MAX_SAMPLES)
		return;
	at_hour[samples] = (double) (bench_real_us() - start_us) / 3.6e9;
	at_order[samples] = (double) orders;
	for (int i = 0; i < processes; i++)
		process[i].anon[samples] = (double) proc_kb(process[i].pid, "status", "RssAnon:");
	samples++;
}

/* Least squares through the second half of the samples. */
static double
slope(const double *all_x, const double *all_y)
{
	const double *x = all_x + samples / 2;
	const double *y = all_y + samples / 2;
	int n = samples - samples / 2;
	double mean_x = 0;
	double mean_y = 0;
	double above = 0;
	double below = 0;

	for (int i = 0; i < n; i++)
	{
		mean_x += x[i] / n;
		mean_y += y[i] / n;
	}
	for (int i = 0; i < n; i++)
	{
		above += (x[i] - mean_x) * (y[i] - mean_y);
		below += (x[i] - mean_x) * (x[i] - mean_x);
	}
	return below > 0 ? above / below : 0;
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

static void
report(double hours, long orders)
{
	double all = 0;

	printf("\nB19 memory: %.0f s, %ld orders, %ld ticks, %d samples\n", hours * 3600, orders,
		   atomic_load(&ticks), samples);
	printf("  %-16s %10s %10s %10s %12s %14s %22s\n", "kB", "private 1", "private n", "Pss", "per hour",
		   "per 100 000", "contexts before, after");
	for (int i = 0; i < processes; i++)
	{
		Process *p = &process[i];

		p->pss = (double) proc_kb(p->pid, "smaps_rollup", "Pss:");
		all += p->anon[samples - 1];
		printf("  %-16s %10.0f %10.0f %10.0f %12.0f %14.0f %11ld %10ld\n", p->name, p->anon[0],
			   p->anon[samples - 1], p->pss, slope(at_hour, p->anon), 1e5 * slope(at_order, p->anon),
			   p->context[0] / 1024, p->context[1] / 1024);
	}
	printf("  private memory of all: %.1f MB\n", all / 1024);
	for (int i = 0; i < processes; i++)
	{
		double per_hour = slope(at_hour, process[i].anon);
		double per_orders = 1e5 * slope(at_order, process[i].anon);

		printf("  goal %s <= %.0f kB/h and <= %.0f kB per 100 000 orders: %s\n", process[i].name,
			   SLOPE_LIMIT_KB, ORDERS_LIMIT_KB,
			   per_hour <= SLOPE_LIMIT_KB && per_orders <= ORDERS_LIMIT_KB ? "met" : "MISSED");
	}
}

static long
wanted(const char *name, long without)
{
	const char *value = getenv(name);

	return value != NULL ? atol(value) : without;
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
	sample(start, 0);
	while (work_total() - before < orders || bench_real_us() - start < seconds * 1000000)
	{
		round_of_orders();
		sample(start, work_total() - before);
	}
	for (int i = 0; i < processes; i++)
		process[i].context[1] = contexts_of(process[i].pid);
	report((double) (bench_real_us() - start) / 3.6e9, work_total() - before);
	atomic_store(&over, true);
	if (pthread_join(thread, NULL) != 0)
		bench_fail("could not stop a thread");
	PQfinish(engine);
	return 0;
}
