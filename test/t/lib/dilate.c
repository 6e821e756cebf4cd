/*
 * dilate.c
 *		Preloaded into a server and its simulator: time passes so many times faster.
 *
 * QTS_DILATE = "speed origin start", in whole numbers and ns: what CLOCK_MONOTONIC was
 * when both began, and what CLOCK_REALTIME shows of that instant.  All processes that
 * share the three share one clock.  Clocks run faster, so time-outs and timers end
 * sooner; the clocks of processor time stay as they are.  Waits are scaled in ns: a
 * time-out of some ms must not become none at all.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)

static int64_t speed = 1;
static int64_t origin; /* true CLOCK_MONOTONIC */
static int64_t start;  /* CLOCK_REALTIME as shown then; 0: nothing is changed */
static int (*true_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
dilate_load(void)
{
	const char *set = getenv("QTS_DILATE");
	long long a;
	long long b;
	long long c;

	true_gettime = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
	if (set == NULL || sscanf(set, "%lld %lld %lld", &a, &b, &c) != 3 || a < 1)
		return;
	speed = a;
	origin = b;
	start = c;
}

static int
gettime(clockid_t id, struct timespec *ts)
{
	if (true_gettime == NULL)
		return (int) syscall(SYS_clock_gettime, id, ts);
	return true_gettime(id, ts);
}

static int64_t
ns_of(const struct timespec *ts)
{
	return (int64_t) ts->tv_sec * NS + ts->tv_nsec;
}

static struct timespec
ts_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
}

/* Rounded up: what is waited for has come. */
static int64_t
shorter(int64_t ns)
{
	return ns <= 0 ? ns : (ns + speed - 1) / speed;
}

/* Since the origin, as shown. */
static int64_t
passed(void)
{
	struct timespec ts;

	(void) gettime(CLOCK_MONOTONIC, &ts);
	return (ns_of(&ts) - origin) * speed;
}

static int
is_realtime(clockid_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

static int
is_monotonic(clockid_t id)
{
	return id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE || id == CLOCK_MONOTONIC_RAW ||
		   id == CLOCK_BOOTTIME;
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (start == 0 || !(is_realtime(id) || is_monotonic(id)))
		return gettime(id, ts);
	*ts = ts_of((is_realtime(id) ? start : origin) + passed());
	return 0;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts;

	(void) tz;
	(void) clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *target)
{
	struct timespec ts;

	(void) clock_gettime(CLOCK_REALTIME, &ts);
	if (target != NULL)
		*target = ts.tv_sec;
	return ts.tv_sec;
}

/* How long a wait until this shown instant of the clock really takes. */
static struct timespec
wait_until(clockid_t id, const struct timespec *at)
{
	int64_t left = ns_of(at) - (is_realtime(id) ? start : origin) - passed();

	return ts_of(left > 0 ? shorter(left) : 0);
}

int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec ts;

	if (timeout != NULL)
		ts = ts_of(shorter(ns_of(timeout)));
	return (int) syscall(SYS_ppoll, fds, n, timeout ? &ts : NULL, mask, _NSIG / 8);
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = ts_of((int64_t) (timeout < 0 ? 0 : timeout) * 1000000);

	return ppoll(fds, n, timeout < 0 ? NULL : &ts, NULL);
}

int
epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
	struct timespec ts = ts_of(shorter((int64_t) (timeout < 0 ? 0 : timeout) * 1000000));
	int found = (int) syscall(SYS_epoll_pwait2, fd, events, n, timeout < 0 ? NULL : &ts, mask, _NSIG / 8);

	if (found >= 0 || errno != ENOSYS)
		return found;
	/* an old kernel counts in ms */
	if (timeout > 0)
		timeout = (int) (((int64_t) timeout + speed - 1) / speed);
	return (int) syscall(SYS_epoll_pwait, fd, events, n, timeout, mask, _NSIG / 8);
}

int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	return epoll_pwait(fd, events, n, timeout, NULL);
}

int
pselect(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout, const sigset_t *mask)
{
	struct
	{
		const sigset_t *mask;
		size_t size;
	} how = {mask, _NSIG / 8};
	struct timespec ts;

	if (timeout != NULL)
		ts = ts_of(shorter(ns_of(timeout)));
	return (int) syscall(SYS_pselect6, n, r, w, e, timeout ? &ts : NULL, &how);
}

int
select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	struct timespec ts;

	if (timeout != NULL)
		ts = ts_of((int64_t) timeout->tv_sec * NS + (int64_t) timeout->tv_usec * 1000);
	return pselect(n, r, w, e, timeout ? &ts : NULL, NULL);
}

int
clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
	struct timespec ts = ts_of(shorter(ns_of(wanted)));

	if (flags & TIMER_ABSTIME)
		ts = wait_until(id, wanted);
	if (syscall(SYS_nanosleep, &ts, &ts) == 0)
		return 0;
	if (left != NULL && !(flags & TIMER_ABSTIME))
		*left = ts_of(ns_of(&ts) * speed);
	return errno;
}

int
nanosleep(const struct timespec *wanted, struct timespec *left)
{
	int failed = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left);

	if (failed != 0)
		errno = failed;
	return failed == 0 ? 0 : -1;
}

int
usleep(useconds_t us)
{
	struct timespec ts = ts_of((int64_t) us * 1000);

	return nanosleep(&ts, NULL);
}

unsigned int
sleep(unsigned int seconds)
{
	struct timespec ts = {.tv_sec = seconds};

	return nanosleep(&ts, &ts) == 0 ? 0 : (unsigned int) ts.tv_sec + 1;
}

static struct timeval
tv_shorter(struct timeval tv)
{
	int64_t us = shorter((int64_t) tv.tv_sec * 1000000 + tv.tv_usec);

	return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

/* The server's time-outs; nobody asks for the old value. */
int
setitimer(__itimer_which_t which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
	struct itimerval timer = *value;

	if (which == ITIMER_REAL)
	{
		timer.it_value = tv_shorter(timer.it_value);
		timer.it_interval = tv_shorter(timer.it_interval);
	}
	return (int) syscall(SYS_setitimer, which, &timer, old);
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct itimerspec timer = *value;

	if (start != 0 && (flags & TFD_TIMER_ABSTIME) && ns_of(&timer.it_value) != 0)
	{
		/* of the monotonic clock, as all who use one here */
		timer.it_value = wait_until(CLOCK_MONOTONIC, &value->it_value);
		if (ns_of(&timer.it_value) == 0)
			timer.it_value.tv_nsec = 1;
		flags &= ~TFD_TIMER_ABSTIME;
	}
	else
		timer.it_value = ts_of(shorter(ns_of(&timer.it_value)));
	timer.it_interval = ts_of(shorter(ns_of(&timer.it_interval)));
	return (int) syscall(SYS_timerfd_settime, fd, flags, &timer, old);
}

/* Waits of libcurl's threads, which use the clock of the day. */
int
pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
					   const struct timespec *restrict at)
{
	struct timespec now;
	struct timespec end;

	if (gettime(CLOCK_REALTIME, &now) != 0)
		return EINVAL;
	if (start == 0)
		end = *at;
	else
	{
		struct timespec left = wait_until(CLOCK_REALTIME, at);

		end = ts_of(ns_of(&now) + ns_of(&left));
	}
	return pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &end);
}
