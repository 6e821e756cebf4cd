/*-------------------------------------------------------------------------
 *
 * frames.c
 *		B8: a frame of trade prints decoded, judged and kept, in C and in Python.
 *
 * The engine's own decoder and intake, outside the server; what is kept goes
 * into an array of quotes.  Python splits and converts the same fields, as its
 * clients of this broker do, and judges nothing.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/intake.h"
#include "core/session.h"
#include "kis/kis_frame.h"
#include "stats.h"

#define ROUNDS 7
#define FRAMES 400000
#define PYTHON_FRAMES 40000
#define SYMBOLS 40
#define RECV (INT64_C(848451600) * QTS_SEC) /* 2026-11-20 10:00 in Seoul */

typedef struct Kept
{
	QtsQuote quote;
	QtsDayLimits limits;
} Kept;

static Kept kept[SYMBOLS];
static char text[SYMBOLS][1024];
static size_t length[SYMBOLS];

static void
frames_make(int fields)
{
	for (int i = 0; i < SYMBOLS; i++)
	{
		int n =
			snprintf(text[i], sizeof(text[i]),
					 "0|H0STCNT0|001|%06d^100000^70100^2^100^0.14^70033.12^70000^70400^69800^70200^70100^7^"
					 "1234567^86419690000^5210^6180^970^118.62^610203^723811^1^0.54^88.12^090003^2^100^"
					 "092112^5^-300^090411^2^300^20261120^20^N^15321^21050^211034^305110^0.20^1190334^"
					 "103.70^0^^70000%s",
					 100000 + i, fields == 47 ? "^2" : "");

		length[i] = (size_t) n;
	}
}

static void
frame_take(int i, int64_t n)
{
	QtsKisFrame frame;
	QtsKisRecords records;
	QtsTick tick;
	Kept *mine;
	QtsQuote next;

	if (!qts_kis_frame_split(text[i], length[i], &frame) ||
		!qts_kis_records_open(&records, frame.payload, frame.len, frame.count) ||
		qts_kis_tick_next(&records, RECV, &tick) != QTS_KIS_DECODED)
	{
		fprintf(stderr, "bench: a frame was not decoded\n");
		exit(1);
	}
	mine = &kept[(tick.symbol[4] - '0') * 10 + tick.symbol[5] - '0'];
	next = (QtsQuote){.last = QTS_PRICE(tick.price),
					  .bid = QTS_PRICE(tick.bid),
					  .ask = QTS_PRICE(tick.ask),
					  .volume = tick.acml_volume + n, /* each is news */
					  .exch_at = tick.exch_at,
					  .recv_at = tick.recv_at};
	if (qts_intake(&mine->quote, &next, QTS_SOURCE_KIS_WS, true, 60 * QTS_SEC) != QTS_INTAKE_TAKEN ||
		!qts_limits_admit(&mine->limits, next.last, QTS_PRICE(tick.price - tick.change),
						  qts_seoul_date(tick.recv_at)))
	{
		fprintf(stderr, "bench: a print was not taken\n");
		exit(1);
	}
	mine->quote = next;
}

/* ns a frame */
static double
ours(void)
{
	static int64_t n = 1;
	int64_t start = bench_mono_ns();

	for (int i = 0; i < FRAMES; i++)
		frame_take(i % SYMBOLS, n++);
	return (double) (bench_mono_ns() - start) / FRAMES;
}

/* ns a frame, by its own clock; negative without an interpreter */
static double
python(void)
{
	static const char script[] =
		"python3 -c 'import sys,time\n"
		"f=sys.argv[1]\n"
		"kept={}\n"
		"t=time.perf_counter_ns()\n"
		"for i in range(%d):\n"
		"    flag,tr,count,body=f.split(\"|\",3)\n"
		"    r=body.split(\"^\")\n"
		"    kept[r[0]]=(int(r[2]),int(r[10]),int(r[11]),int(r[12]),int(r[13]),int(r[14]),r[1])\n"
		"print((time.perf_counter_ns()-t)/%d)' '%s' 2>&1";
	char command[2048];
	char line[128] = "";
	FILE *out;
	double ns = -1;

	snprintf(command, sizeof(command), script, PYTHON_FRAMES, PYTHON_FRAMES, text[0]);
	out = popen(command, "r");
	if (out != NULL && fgets(line, sizeof(line), out) != NULL)
		ns = atof(line);
	if (out == NULL || pclose(out) != 0)
		return -1;
	return ns;
}

int
main(void)
{
	static Samples c46 = {.name = "qts, 46 fields"};
	static Samples c47 = {.name = "qts, 47 fields"};
	static Samples py = {.name = "Python split and int()"};

	for (int i = 0; i < ROUNDS + 1; i++)
	{
		Samples *into[2] = {&c46, &c47};

		for (int w = 0; w < 2; w++)
		{
			double ns;

			frames_make(46 + w);
			ns = ours();
			if (i > 0)
				samples_add(into[w], ns);
		}
		double rival = python();

		if (i > 0 && rival > 0)
			samples_add(&py, rival);
	}
	samples_title("B8 a frame of one print decoded, judged and kept", "ns");
	samples_print(&c46);
	samples_print(&c47);
	if (py.count > 0)
	{
		samples_print(&py);
		samples_ratio(&py, &c47, 0.5);
	}
	else
		printf("  Python: skipped, python3 is missing\n");
	printf("  %.1f million frames/s on one CPU\n", 1000 / samples_quantile(&c47, 0.5));
	samples_goal(&c47, 0.5, 200);
	return 0;
}
