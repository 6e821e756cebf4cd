/*-------------------------------------------------------------------------
 *
 * net.c
 *		One epoll descriptor that holds every library socket of a process.
 *
 * The server's wait sets have a fixed size and no removal, so the libraries'
 * sockets live in an epoll descriptor of our own, which is one member of the
 * worker's set.  Owns that descriptor and the table of handlers; both live
 * from qts_net_open to qts_net_close.  Single thread, malloc only.
 *
 *-------------------------------------------------------------------------
 */
#include "net/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/net.h"
#include "shm/point.h"

#define NET_BATCH 64
#define NET_PASSES 4 /* batches of one drain: the caller has other work */
#define NET_MAX_FD 65536

typedef struct NetWatch
{
	QtsNetReady ready; /* NULL = not watched */
} NetWatch;

static int net_epoll = -1;
static NetWatch *net_table;
static int net_table_size;

int64_t
qts_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000) * QTS_HASTE;
}

bool
qts_net_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char bare[INET6_ADDRSTRLEN + 1];
	size_t len = strlen(host);

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']')
	{
		host++;
		len -= 2;
	}
	if (len >= sizeof(bare))
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET, bare, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool
net_reserve(int fd)
{
	int size = net_table_size ? net_table_size : 256;
	NetWatch *table;

	if (fd < net_table_size)
		return true;
	if (fd < 0 || fd >= NET_MAX_FD)
		return false;
	while (size <= fd)
		size *= 2;
	table = realloc(net_table, (size_t) size * sizeof(NetWatch));
	if (!table)
		return false;
	memset(table + net_table_size, 0, (size_t) (size - net_table_size) * sizeof(NetWatch));
	net_table = table;
	net_table_size = size;
	return true;
}

bool
qts_net_watch(int fd, uint32_t events, QtsNetReady ready)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	if (!net_reserve(fd))
		return false;
	/* watched already, unless the number is that of a closed socket, which epoll forgot by itself */
	if (!net_table[fd].ready || epoll_ctl(net_epoll, EPOLL_CTL_MOD, fd, &event) < 0)
	{
		if (epoll_ctl(net_epoll, EPOLL_CTL_ADD, fd, &event) < 0)
			return false;
	}
	net_table[fd].ready = ready;
	return true;
}

void
qts_net_forget(int fd)
{
	struct epoll_event event = {0};

	if (fd < 0 || fd >= net_table_size || !net_table[fd].ready)
		return;
	net_table[fd].ready = NULL;
	(void) epoll_ctl(net_epoll, EPOLL_CTL_DEL, fd, &event);
}

bool
qts_net_open(const char **why)
{
	if (net_epoll >= 0)
		return true;
	/* libwebsockets resolves names in the calling thread: bound it */
	(void) setenv("RES_OPTIONS", "timeout:2 attempts:1", 0);
	net_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (net_epoll < 0)
	{
		*why = "could not create an epoll descriptor";
		return false;
	}
	if (!qts_http_start(why) || !qts_ws_start(why))
	{
		qts_net_close();
		return false;
	}
	return true;
}

void
qts_net_close(void)
{
	if (net_epoll < 0)
		return;
	qts_ws_stop();
	qts_http_stop();
	close(net_epoll);
	net_epoll = -1;
	free(net_table);
	net_table = NULL;
	net_table_size = 0;
}

int
qts_net_fd(void)
{
	return net_epoll;
}

void
qts_net_drain(void)
{
	struct epoll_event events[NET_BATCH];
	int n = NET_BATCH;

	if (net_epoll < 0)
		return;
	for (int pass = 0; pass < NET_PASSES && n == NET_BATCH; pass++)
	{
		n = epoll_wait(net_epoll, events, NET_BATCH, 0);
		for (int i = 0; i < n; i++)
		{
			int fd = events[i].data.fd;

			/* an earlier handler of this batch may have forgotten it */
			if (fd < net_table_size && net_table[fd].ready)
				net_table[fd].ready(fd, events[i].events);
		}
	}
	qts_http_collect();
	qts_ws_service();
}

long
qts_net_timeout_ms(void)
{
	return net_epoll < 0 ? -1 : qts_ws_timeout_ms();
}
