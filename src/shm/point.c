/*-------------------------------------------------------------------------
 *
 * point.c
 *		Named places where a test may stop, fail or kill a process.
 *
 * A point is armed from SQL (test/chaos/points.sql) to act once, after it has
 * been passed so many times.  All of it is forgotten with the shared memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef QTS_POINTS

#include <signal.h>
#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/shmem.h"
#include "storage/spin.h"
#include "utils/builtins.h"

#include "errcodes.h"
#include "shm/point.h"

#define POINT_MAX 64
#define POINT_NAME 32
#define POINT_WAIT_MS 5
#define POINT_HASTE_MAX 100

typedef enum PointAction
{
	POINT_NOTHING,
	POINT_KILL,
	POINT_ERROR,
	POINT_WAIT
} PointAction;

typedef struct Point
{
	char name[POINT_NAME];
	PointAction action;
	int skip;	/* passes before it acts */
	int64 hits; /* passes in all */
	int waiting;
} Point;

typedef struct Points
{
	slock_t lock;
	Point point[POINT_MAX];
} Points;

void (*qts_point_hook)(const char *name) = NULL;
static Points *points = NULL;

size_t
qts_points_size(void)
{
	return MAXALIGN(sizeof(Points));
}

void
qts_points_attach(void)
{
	bool found;

	points = ShmemInitStruct("qts points", sizeof(Points), &found);
	if (!found)
	{
		memset(points, 0, sizeof(Points));
		SpinLockInit(&points->lock);
	}
}

int
qts_point_haste(void)
{
	static int haste = 0;

	if (haste == 0)
	{
		const char *set = getenv("QTS_HASTE");

		haste = set != NULL && atoi(set) > 1 ? Min(atoi(set), POINT_HASTE_MAX) : 1;
	}
	return haste;
}

/* Its place; a new one is made.  The caller holds the lock. */
static Point *
point_find(const char *name)
{
	for (int i = 0; i < POINT_MAX; i++)
	{
		Point *p = &points->point[i];

		if (p->name[0] == '\0')
			strlcpy(p->name, name, sizeof(p->name));
		if (strcmp(p->name, name) == 0)
			return p;
	}
	return NULL;
}

static PointAction
point_pass(const char *name)
{
	PointAction action = POINT_NOTHING;
	Point *p;

	SpinLockAcquire(&points->lock);
	p = point_find(name);
	if (p != NULL)
	{
		p->hits++;
		if (p->action != POINT_NOTHING && p->skip-- <= 0)
			action = p->action;
		if (action == POINT_KILL || action == POINT_ERROR)
			p->action = POINT_NOTHING;
		p->waiting += action == POINT_WAIT;
	}
	SpinLockRelease(&points->lock);
	return action;
}

static bool
point_held(const char *name)
{
	bool held = false;
	Point *p;

	SpinLockAcquire(&points->lock);
	p = point_find(name);
	if (p != NULL)
	{
		held = p->action == POINT_WAIT;
		p->waiting -= !held;
	}
	SpinLockRelease(&points->lock);
	return held;
}

void
qts_point(const char *name)
{
	if (qts_point_hook != NULL)
		qts_point_hook(name);
	if (points == NULL)
		return;
	switch (point_pass(name))
	{
		case POINT_NOTHING:
			break;
		case POINT_KILL:
			kill(getpid(), SIGKILL);
			pause();
			break;
		case POINT_ERROR:
			ereport(ERROR, (errcode(QTS_ERRCODE_INTERNAL), errmsg("point \"%s\" fails", name)));
			break;
		case POINT_WAIT:
			while (point_held(name))
				pg_usleep(POINT_WAIT_MS * 1000L);
			break;
	}
}

PG_FUNCTION_INFO_V1(qts_point_arm);
Datum
qts_point_arm(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *how = text_to_cstring(PG_GETARG_TEXT_PP(1));
	PointAction action = strcmp(how, "kill") == 0	 ? POINT_KILL
						 : strcmp(how, "error") == 0 ? POINT_ERROR
						 : strcmp(how, "wait") == 0	 ? POINT_WAIT
													 : POINT_NOTHING;
	Point *p;

	if (action == POINT_ERROR && strncmp(name, "net.", 4) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("nothing may throw at \"%s\"", name)));
	SpinLockAcquire(&points->lock);
	p = point_find(name);
	if (p != NULL)
	{
		p->action = action;
		p->skip = PG_GETARG_INT32(2);
	}
	SpinLockRelease(&points->lock);
	PG_RETURN_BOOL(p != NULL);
}

PG_FUNCTION_INFO_V1(qts_point_hits);
Datum
qts_point_hits(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64 hits = 0;
	Point *p;

	SpinLockAcquire(&points->lock);
	p = point_find(name);
	if (p != NULL)
		hits = p->hits;
	SpinLockRelease(&points->lock);
	PG_RETURN_INT64(hits);
}

PG_FUNCTION_INFO_V1(qts_point_waiting);
Datum
qts_point_waiting(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int waiting = 0;
	Point *p;

	SpinLockAcquire(&points->lock);
	p = point_find(name);
	if (p != NULL)
		waiting = p->waiting;
	SpinLockRelease(&points->lock);
	PG_RETURN_INT32(waiting);
}

#endif
