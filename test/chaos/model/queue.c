/*-------------------------------------------------------------------------
 *
 * queue.c
 *		The queue of events: a binary heap by time, first come first served.
 *
 *-------------------------------------------------------------------------
 */
#include "world.h"

static bool
event_before(const Event *a, const Event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void
world_at(World *w, QtsTime at, EventKind kind, int a, int b)
{
	Event event = {.at = at < w->now ? w->now : at, .seq = w->event_seq++, .kind = kind, .a = a, .b = b};
	int i = w->nevents;

	if (i == MAX_EVENTS)
	{
		w->full = true;
		return;
	}
	w->nevents++;
	while (i > 0 && event_before(&event, &w->event[(i - 1) / 2]))
	{
		w->event[i] = w->event[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->event[i] = event;
}

bool
world_next(World *w, Event *event)
{
	Event last;
	int i = 0;

	if (w->nevents == 0)
		return false;
	*event = w->event[0];
	last = w->event[--w->nevents];
	for (;;)
	{
		int child = 2 * i + 1;

		if (child >= w->nevents)
			break;
		if (child + 1 < w->nevents && event_before(&w->event[child + 1], &w->event[child]))
			child++;
		if (!event_before(&w->event[child], &last))
			break;
		w->event[i] = w->event[child];
		i = child;
	}
	w->event[i] = last;
	return true;
}
