/*-------------------------------------------------------------------------
 *
 * cork.c
 *		Two writes of the library as one packet.
 *
 * libcurl writes the header of a request and a body that comes from a callback
 * apart.  TCP_CORK holds the first until the second is there.  Should a
 * release ever be missed, the kernel sends after 200 ms by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "net/cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define CORK_SOCKETS 64

static int cork_socket[CORK_SOCKETS]; /* the library's, some of them closed */
static int cork_count;
static int cork_held = -1;

void
qts_cork_know(int fd)
{
	for (int i = 0; i < cork_count; i++)
		if (cork_socket[i] == fd)
			return;
	if (cork_count < CORK_SOCKETS) /* requests on one more than that leave in two packets */
		cork_socket[cork_count++] = fd;
}

/*
 * -1 if none has this port: the library does not tell the socket of a kept
 * connection.  A number may have been closed, and be another's by now.
 */
static int
cork_socket_of(int port)
{
	for (int i = cork_count - 1; i >= 0; i--)
	{
		struct sockaddr_storage address = {0};
		socklen_t len = sizeof(address);
		int fd = cork_socket[i];
		int have = -1;

		if (getsockname(fd, (struct sockaddr *) &address, &len) < 0)
			cork_socket[i] = cork_socket[--cork_count];
		else if (address.ss_family == AF_INET)
			have = ntohs(((struct sockaddr_in *) &address)->sin_port);
		else if (address.ss_family == AF_INET6)
			have = ntohs(((struct sockaddr_in6 *) &address)->sin6_port);
		if (have == port)
			return fd;
	}
	return -1;
}

static void
cork_set(int fd, int on)
{
	(void) setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

void
qts_cork_hold(int local_port)
{
	qts_cork_release();
	cork_held = cork_socket_of(local_port);
	if (cork_held >= 0)
		cork_set(cork_held, 1);
}

void
qts_cork_release(void)
{
	if (cork_held >= 0)
		cork_set(cork_held, 0);
	cork_held = -1;
}

void
qts_cork_forget(void)
{
	cork_count = 0;
	cork_held = -1;
}
