/*-------------------------------------------------------------------------
 *
 * loop.h
 *		What http.c and ws.c share with net.c, and nobody else includes.
 *
 * One handler per descriptor.  A handler may watch and forget any descriptor,
 * its own included, while events are being handed out.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NET_LOOP_H
#define QTS_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*QtsNetReady)(int fd, uint32_t events);

/* events are epoll's; watching again replaces events and handler. */
extern bool qts_net_watch(int fd, uint32_t events, QtsNetReady ready);
extern void qts_net_forget(int fd);

/* Literal 127.0.0.0/8, ::1 (with or without brackets) or "localhost". */
extern bool qts_net_is_loopback(const char *host);

extern bool qts_http_start(const char **why);
extern void qts_http_stop(void);
extern void qts_http_collect(void);

extern bool qts_ws_start(const char **why);
extern void qts_ws_stop(void);
extern void qts_ws_service(void);
extern long qts_ws_timeout_ms(void);

#endif /* QTS_NET_LOOP_H */
