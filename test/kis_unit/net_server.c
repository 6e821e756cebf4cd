/*-------------------------------------------------------------------------
 *
 * net_server.c
 *		A loopback server with bad manners, for net_test.
 *
 *-------------------------------------------------------------------------
 */
#include "net_server.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

atomic_int net_server_connections;
atomic_int net_server_posts;
atomic_int net_server_warm_posts;
atomic_int net_server_post_segments;

static bool
server_read(int fd, void *to, size_t n)
{
	char *p = to;

	while (n > 0)
	{
		ssize_t got = recv(fd, p, n, 0);

		if (got <= 0)
			return false;
		p += got;
		n -= (size_t) got;
	}
	return true;
}

static bool
server_write(int fd, const void *from, size_t n)
{
	return send(fd, from, n, MSG_NOSIGNAL) == (ssize_t) n;
}

static void
server_reply(int fd, const char *extra, const char *body)
{
	char text[1024];
	int n =
		snprintf(text, sizeof(text), "HTTP/1.1 %sContent-Length: %zu\r\n\r\n%s", extra, strlen(body), body);

	(void) server_write(fd, text, (size_t) n);
}

static void
server_reset(int fd)
{
	struct linger now = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
ws_frame(int fd, int first_byte, const char *text, size_t len)
{
	unsigned char head[10];
	size_t n = 2;

	head[0] = (unsigned char) first_byte;
	if (len < 126)
		head[1] = (unsigned char) len;
	else if (len < 65536)
	{
		head[1] = 126;
		head[2] = (unsigned char) (len >> 8);
		head[3] = (unsigned char) len;
		n = 4;
	}
	else
	{
		head[1] = 127;
		for (int i = 0; i < 8; i++)
			head[2 + i] = (unsigned char) ((uint64_t) len >> (8 * (7 - i)));
		n = 10;
	}
	if (server_write(fd, head, n))
		(void) server_write(fd, text, len);
}

/* One masked text message of the client, short ones only. */
static bool
ws_read_text(int fd, char *out, size_t size)
{
	unsigned char head[2];
	unsigned char wide[2];
	unsigned char mask[4];
	size_t len;

	for (;;)
	{
		if (!server_read(fd, head, 2))
			return false;
		len = head[1] & 0x7F;
		if (len == 126)
		{
			if (!server_read(fd, wide, 2))
				return false;
			len = (size_t) (wide[0] << 8 | wide[1]);
		}
		if (len >= size || !server_read(fd, mask, 4) || !server_read(fd, out, len))
			return false;
		for (size_t i = 0; i < len; i++)
			out[i] ^= (char) mask[i % 4];
		out[len] = '\0';
		if ((head[0] & 0x0F) == 1)
			return true;
		if ((head[0] & 0x0F) == 8)
			return false;
	}
}

static void
ws_serve(int fd, const char *path, const char *key)
{
	char text[512];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char accept[64];
	unsigned n;
	char *big;

	snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	EVP_Digest(text, strlen(text), digest, &n, EVP_sha1(), NULL);
	EVP_EncodeBlock(accept, digest, (int) n);
	snprintf(text, sizeof(text),
			 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			 accept);
	(void) server_write(fd, text, strlen(text));
	if (strcmp(path, "/echo") == 0)
	{
		while (ws_read_text(fd, text, sizeof(text)))
			ws_frame(fd, 0x81, text, strlen(text));
	}
	else if (strcmp(path, "/fragments") == 0)
	{
		for (const char *p = "abc"; *p; p++)
		{
			ws_frame(fd, p[1] ? (*p == 'a' ? 0x01 : 0x00) : 0x80, p, 1);
			ws_frame(fd, 0x89, "ping", 4); /* control frames may come between */
		}
		(void) ws_read_text(fd, text, sizeof(text));
	}
	else if (strcmp(path, "/bye") == 0)
	{
		ws_frame(fd, 0x88, "\x03\xE8", 2);
		(void) ws_read_text(fd, text, sizeof(text));
	}
	else if (strcmp(path, "/reset") == 0)
		server_reset(fd);
	else if (strcmp(path, "/huge") == 0 && (big = malloc(2 * 1024 * 1024)) != NULL)
	{
		memset(big, 'x', 2 * 1024 * 1024);
		ws_frame(fd, 0x81, big, 2 * 1024 * 1024);
		free(big);
		(void) ws_read_text(fd, text, sizeof(text));
	}
	else if (strcmp(path, "/flood") == 0)
	{
		for (int i = 0; i < 2000; i++)
		{
			snprintf(text, sizeof(text), "%0400d", i);
			ws_frame(fd, 0x81, text, strlen(text));
		}
		(void) ws_read_text(fd, text, sizeof(text));
	}
}

static char *
server_header(char *head, const char *name)
{
	static __thread char value[128];
	char *p = strcasestr(head, name);

	if (!p || sscanf(p + strlen(name), " %127[^\r\n]", value) != 1)
		return NULL;
	return value;
}

/* False ends the connection. */
static bool
server_answer(int fd, const char *path, bool post, int served)
{
	char big[65536];

	if (strcmp(path, "/ok") == 0)
		server_reply(fd, "200 OK\r\nTR_Cont:  M \r\n", post ? "posted" : "hello");
	else if (strcmp(path, "/redirect") == 0)
		server_reply(fd, "302 Found\r\nLocation: /ok\r\n", "");
	else if (strcmp(path, "/drop") == 0)
		return false;
	else if (strcmp(path, "/drop_if_warm") == 0 && served > 0)
		return false;
	else if (strcmp(path, "/short") == 0)
	{
		(void) server_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"", 42);
		return false;
	}
	else if (strcmp(path, "/huge") == 0)
	{
		memset(big, 'x', sizeof(big));
		(void) server_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n", 45);
		for (int i = 0; i < 32 && server_write(fd, big, sizeof(big)); i++)
			;
	}
	else if (strcmp(path, "/silent") == 0)
		(void) server_read(fd, big, 1); /* until the client gives up */
	else
		server_reply(fd, "200 OK\r\n", "fresh");
	return true;
}

/* TCP segments with data that have come on a connection. */
static int
server_segments(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? (int) info.tcpi_data_segs_in : -1;
}

static void *
server_connection(void *arg)
{
	int fd = (int) (intptr_t) arg;
	char head[8192];
	size_t n = 0;
	int served = 0;
	int segments = 0;

	while (n < sizeof(head) - 1 && recv(fd, head + n, 1, 0) == 1)
	{
		char path[64];
		char body[1024];
		char *value;
		size_t len;

		head[++n] = '\0';
		if (n < 4 || strcmp(head + n - 4, "\r\n\r\n") != 0)
			continue;
		value = server_header(head, "Content-Length:");
		len = value ? (size_t) atol(value) : 0;
		if (sscanf(head, "%*s %63s", path) != 1 || len > sizeof(body) || !server_read(fd, body, len))
			break;
		if (strncmp(head, "POST", 4) == 0)
		{
			atomic_fetch_add(&net_server_posts, 1);
			atomic_fetch_add(&net_server_warm_posts, served > 0);
			atomic_fetch_add(&net_server_post_segments, server_segments(fd) - segments);
		}
		segments = server_segments(fd);
		value = server_header(head, "Sec-WebSocket-Key:");
		if (value)
		{
			ws_serve(fd, path, value);
			break;
		}
		if (!server_answer(fd, path, strncmp(head, "POST", 4) == 0, served++))
			break;
		n = 0;
	}
	close(fd);
	return NULL;
}

static void *
server_accept(void *arg)
{
	int listener = (int) (intptr_t) arg;
	int one = 1;

	for (;;)
	{
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		atomic_fetch_add(&net_server_connections, 1);
		if (pthread_create(&thread, NULL, server_connection, (void *) (intptr_t) fd) == 0)
			pthread_detach(thread);
	}
	return NULL;
}

int
net_server_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 64) < 0 ||
		getsockname(fd, (struct sockaddr *) &address, &len) < 0 ||
		pthread_create(&thread, NULL, server_accept, (void *) (intptr_t) fd) != 0)
		return -1;
	pthread_detach(thread);
	return ntohs(address.sin_port);
}
