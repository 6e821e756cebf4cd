/*
 * net.c
 *		The epoll loop: listeners, connections, one timer heap, and the queue of
 *		actions that must follow the answer of the request being served.
 *
 * Owns every QtsConn.  A closed connection is unlinked and its descriptor closed at
 * once; its memory goes at the end of the turn.  Everything binds to loopback.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "sim.h"

#define EVENTS_PER_TURN 256
#define READ_CHUNK 65536

typedef struct Timer
{
	int64_t at;
	uint64_t order;
	QtsTimerFn fn;
	void *arg;
	uint64_t tag;
} Timer;

static int epoll_fd = -1;
static int timer_fd = -1;
static int signal_fd = -1;
static bool is_running = true;
static QtsConn *conns[QTS_MAX_FD];
static QtsConn *dead_conns;
static uint64_t next_conn_id = 1;
static Timer *timers;
static int n_timers;
static int cap_timers;
static uint64_t next_timer;
static int64_t armed_at;
static Timer *later;
static int n_later;
static int cap_later;

static bool
net_watch(int fd, uint32_t events, int op)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(epoll_fd, op, fd, &event) == 0;
}

bool
qts_net_start(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return epoll_fd >= 0 && timer_fd >= 0 && signal_fd >= 0 && net_watch(timer_fd, EPOLLIN, EPOLL_CTL_ADD) &&
		   net_watch(signal_fd, EPOLLIN, EPOLL_CTL_ADD);
}

static QtsConn *
net_adopt(int fd, QtsPort port, bool is_listener)
{
	QtsConn *conn;

	if (fd >= QTS_MAX_FD || !net_watch(fd, EPOLLIN, EPOLL_CTL_ADD))
	{
		close(fd);
		return NULL;
	}
	conn = qts_mem_zero(sizeof(*conn));
	conn->fd = fd;
	conn->id = next_conn_id++;
	conn->port = port;
	conn->is_listener = is_listener;
	conns[fd] = conn;
	return conn;
}

/* Returns the port bound, or -1. */
int
qts_net_listen(QtsPort port, int wanted)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons((uint16_t) wanted);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) != 0 || listen(fd, 1024) != 0 ||
		getsockname(fd, (struct sockaddr *) &addr, &len) != 0)
	{
		close(fd);
		return -1;
	}
	return net_adopt(fd, port, true) ? ntohs(addr.sin_port) : -1;
}

QtsConn *
qts_net_find(int fd, uint64_t id)
{
	if (fd < 0 || fd >= QTS_MAX_FD || conns[fd] == NULL || conns[fd]->id != id)
		return NULL;
	return conns[fd];
}

void
qts_net_close(QtsConn *conn, bool reset)
{
	if (conn->is_dead)
		return;
	conn->is_dead = true;
	if (reset)
	{
		struct linger linger = {.l_onoff = 1, .l_linger = 0};

		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	}
	if (conn->ws != NULL)
		qts_ws_gone(conn);
	conns[conn->fd] = NULL;
	close(conn->fd);
	conn->next_dead = dead_conns;
	dead_conns = conn;
}

static void
net_bury(void)
{
	while (dead_conns != NULL)
	{
		QtsConn *conn = dead_conns;

		dead_conns = conn->next_dead;
		qts_buf_free(&conn->in);
		qts_buf_free(&conn->out);
		free(conn);
	}
}

/* Push queued output; what the kernel will not take now leaves on EPOLLOUT. */
void
qts_net_send(QtsConn *conn)
{
	while (!conn->is_dead && conn->out_pos < conn->out.len)
	{
		ssize_t n =
			send(conn->fd, conn->out.data + conn->out_pos, conn->out.len - conn->out_pos, MSG_NOSIGNAL);

		if (n >= 0)
		{
			conn->out_pos += (size_t) n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
		{
			qts_net_close(conn, false);
			return;
		}
		if (conn->out.len - conn->out_pos > QTS_MAX_OUT)
		{
			qts_counters.slow_drops++;
			qts_net_close(conn, true);
			return;
		}
		if (!conn->has_out_watch)
			conn->has_out_watch = net_watch(conn->fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
		return;
	}
	if (conn->is_dead)
		return;
	conn->out.len = 0;
	conn->out_pos = 0;
	if (conn->has_out_watch)
	{
		net_watch(conn->fd, EPOLLIN, EPOLL_CTL_MOD);
		conn->has_out_watch = false;
	}
	if (conn->close_when_sent)
		qts_net_close(conn, false);
}

/* A new connection that is never read, or is reset: a broker that does not answer. */
static void
net_spoil(const QtsConn *listener, QtsConn *conn)
{
	const QtsFault *fault = listener->port == QTS_PORT_REST ? qts_fault_line() : NULL;

	if (qts_fault_is(fault, "conn_stall"))
		conn->is_stalled = true;
	else if (fault != NULL)
		qts_net_close(conn, true);
}

static void
net_accept(const QtsConn *listener)
{
	for (int i = 0; i < 64; i++)
	{
		int yes = 1;
		QtsConn *conn;
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		conn = net_adopt(fd, listener->port, false);
		if (conn == NULL)
			continue;
		qts_counters.connections++;
		net_spoil(listener, conn);
	}
}

static void
net_parse(QtsConn *conn)
{
	if (conn->is_stalled)
		conn->in.len = 0;
	while (!conn->is_dead && !conn->is_busy && conn->in.len > 0 && conn->in.len >= conn->wanted)
	{
		bool more = conn->ws != NULL ? qts_ws_input(conn) : qts_http_input(conn);

		if (!more)
			break;
	}
}

/* The owed answer has been given: look at input that arrived meanwhile. */
void
qts_net_resume(QtsConn *conn)
{
	conn->is_busy = false;
	net_parse(conn);
}

static void
net_read(QtsConn *conn)
{
	static char chunk[READ_CHUNK];

	for (;;)
	{
		ssize_t n = recv(conn->fd, chunk, sizeof(chunk), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
		{
			qts_net_close(conn, false);
			return;
		}
		if (conn->in.len + (size_t) n > QTS_MAX_CONTROL_BODY + QTS_MAX_HEAD)
		{
			qts_net_close(conn, true);
			return;
		}
		qts_buf_add(&conn->in, chunk, (size_t) n);
		net_parse(conn);
		if (conn->is_dead || (size_t) n < sizeof(chunk))
			return;
	}
}

static bool
timer_before(const Timer *a, const Timer *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
timer_arm(void)
{
	struct itimerspec spec = {0};
	int64_t at = n_timers > 0 ? timers[0].at : 0;

	if (at == armed_at)
		return;
	armed_at = at;
	spec.it_value.tv_sec = at / 1000000;
	spec.it_value.tv_nsec = at % 1000000 * 1000;
	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void
timer_sink(int i)
{
	for (;;)
	{
		int child = 2 * i + 1;
		Timer swap;

		if (child >= n_timers)
			return;
		if (child + 1 < n_timers && timer_before(&timers[child + 1], &timers[child]))
			child++;
		if (!timer_before(&timers[child], &timers[i]))
			return;
		swap = timers[i];
		timers[i] = timers[child];
		timers[child] = swap;
		i = child;
	}
}

bool
qts_net_timer(int64_t delay_us, QtsTimerFn fn, void *arg, uint64_t tag)
{
	int i = n_timers;

	if (n_timers >= QTS_MAX_TIMERS)
		return false;
	if (n_timers == cap_timers)
	{
		cap_timers = cap_timers ? cap_timers * 2 : 256;
		timers = qts_mem_grow(timers, (size_t) cap_timers * sizeof(*timers));
	}
	timers[n_timers++] =
		(Timer){qts_clock_mono() + (delay_us > 0 ? delay_us : 0), next_timer++, fn, arg, tag};
	while (i > 0 && timer_before(&timers[i], &timers[(i - 1) / 2]))
	{
		Timer swap = timers[i];

		timers[i] = timers[(i - 1) / 2];
		timers[(i - 1) / 2] = swap;
		i = (i - 1) / 2;
	}
	timer_arm();
	return true;
}

static void
timer_run(void)
{
	int64_t now = qts_clock_mono();
	uint64_t ticks;

	if (read(timer_fd, &ticks, sizeof(ticks)) > 0)
		armed_at = 0;
	while (n_timers > 0 && timers[0].at <= now)
	{
		Timer due = timers[0];

		timers[0] = timers[--n_timers];
		timer_sink(0);
		due.fn(due.arg, due.tag);
		qts_net_run_later();
	}
	timer_arm();
}

void
qts_net_later(QtsTimerFn fn, void *arg, uint64_t tag)
{
	if (n_later == cap_later)
	{
		cap_later = cap_later ? cap_later * 2 : 64;
		later = qts_mem_grow(later, (size_t) cap_later * sizeof(*later));
	}
	later[n_later++] = (Timer){0, 0, fn, arg, tag};
}

/* Actions may queue further ones; they run in the same pass, in order. */
void
qts_net_run_later(void)
{
	for (int i = 0; i < n_later; i++)
	{
		Timer due = later[i];

		due.fn(due.arg, due.tag);
	}
	n_later = 0;
}

void
qts_net_stop(void)
{
	is_running = false;
}

static void
net_event(int fd, uint32_t events)
{
	QtsConn *conn = conns[fd];

	if (conn == NULL)
		return;
	if (conn->is_listener)
	{
		net_accept(conn);
		return;
	}
	if (events & EPOLLOUT)
		qts_net_send(conn);
	if (!conn->is_dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		net_read(conn);
}

int
qts_net_run(void)
{
	struct epoll_event events[EVENTS_PER_TURN];

	while (is_running)
	{
		int n = epoll_wait(epoll_fd, events, EVENTS_PER_TURN, -1);

		if (n < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < n; i++)
		{
			if (events[i].data.fd == timer_fd)
				timer_run();
			else if (events[i].data.fd == signal_fd)
				is_running = false;
			else
				net_event(events[i].data.fd, events[i].events);
		}
		qts_witness_notify();
		net_bury();
	}
	return 0;
}
