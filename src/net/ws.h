/*-------------------------------------------------------------------------
 *
 * ws.h
 *		WebSocket client connections that never block.
 *
 * Handlers run inside qts_net_drain() with interrupts held and signals
 * blocked, in the library's frame: copy, set flags, return.  They may call
 * qts_ws_send and qts_ws_pause, nothing else of this header.  After `down`
 * the connection is gone and its pointer must be forgotten.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NET_WS_H
#define QTS_NET_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QTS_WS_MAX_CONNECTIONS 8
#define QTS_WS_MAX_MESSAGE ((size_t) 1024 * 1024)
#define QTS_WS_MAX_OUT ((size_t) 8192) /* one message sent */
#define QTS_WS_MAX_QUEUE 256		   /* messages waiting to be sent */

typedef struct QtsWs QtsWs;

typedef struct QtsWsHandlers
{
	void (*up)(void *arg);
	/* one whole message, fragments joined; false closes the connection */
	bool (*message)(void *arg, const char *data, size_t len, int64_t mono);
	/* clean: the peer said goodbye; why is short and carries no payload */
	void (*down)(void *arg, bool was_up, bool clean, const char *why);
} QtsWsHandlers;

/*
 * url: wss://..., or ws://... to a loopback address; plain_allowed lifts the
 * last condition for a peer that offers no TLS.  NULL with a static reason on
 * failure; else up or down follows.
 */
extern QtsWs *
qts_ws_connect(const char *url, bool plain_allowed, const QtsWsHandlers *on, void *arg, const char **why);

/* Text message, copied and queued; false when the queue is full or it is too long. */
extern bool qts_ws_send(QtsWs *ws, const char *message, size_t len);

/* Stop or resume reading; the peer is held back by TCP. */
extern void qts_ws_pause(QtsWs *ws, bool paused);

/* Say goodbye and forget: no handler is called any more.  Not from a handler. */
extern void qts_ws_close(QtsWs *ws);

#endif /* QTS_NET_WS_H */
