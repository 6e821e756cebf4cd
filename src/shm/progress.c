/*-------------------------------------------------------------------------
 *
 * progress.c
 *		Progress of backtests in shared memory.
 *
 * Each slot has a spinlock, held for the copy of a few words.  A process that
 * dies hard restarts the server, and the slots with it; one that ends in any
 * other way gives its slot back from the query's memory.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/shmem.h"
#include "storage/spin.h"

#include "shm/progress.h"

typedef struct ProgressSlot
{
	slock_t lock;
	QtsProgress progress;
} ProgressSlot;

static ProgressSlot *slots = NULL;

Size
qts_progress_size(void)
{
	return mul_size(QTS_PROGRESS_SLOTS, sizeof(ProgressSlot));
}

void
qts_progress_attach(void)
{
	bool found;

	slots = ShmemInitStruct("qts backtests", qts_progress_size(), &found);
	if (found)
		return;
	memset(slots, 0, qts_progress_size());
	for (int i = 0; i < QTS_PROGRESS_SLOTS; i++)
		SpinLockInit(&slots[i].lock);
}

int
qts_progress_begin(int64 total)
{
	QtsProgress mine = {.pid = MyProcPid, .started = GetCurrentTimestamp(), .total = total};

	if (slots == NULL)
		return -1;
	for (int i = 0; i < QTS_PROGRESS_SLOTS; i++)
	{
		bool taken;

		SpinLockAcquire(&slots[i].lock);
		taken = slots[i].progress.pid == 0;
		if (taken)
			slots[i].progress = mine;
		SpinLockRelease(&slots[i].lock);
		if (taken)
			return i;
	}
	return -1;
}

void
qts_progress_report(int slot, const QtsProgress *now)
{
	QtsProgress *mine;

	if (slot < 0)
		return;
	mine = &slots[slot].progress;
	SpinLockAcquire(&slots[slot].lock);
	memcpy(mine->symbol, now->symbol, sizeof(mine->symbol));
	mine->at = now->at;
	mine->walks = now->walks;
	mine->looks = now->looks;
	mine->rows = now->rows;
	SpinLockRelease(&slots[slot].lock);
}

void
qts_progress_end(int slot)
{
	if (slot < 0)
		return;
	SpinLockAcquire(&slots[slot].lock);
	slots[slot].progress.pid = 0;
	SpinLockRelease(&slots[slot].lock);
}

bool
qts_progress_read(int slot, QtsProgress *out)
{
	if (slots == NULL)
		return false;
	SpinLockAcquire(&slots[slot].lock);
	*out = slots[slot].progress;
	SpinLockRelease(&slots[slot].lock);
	return out->pid != 0;
}
