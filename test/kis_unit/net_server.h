/*-------------------------------------------------------------------------
 *
 * net_server.h
 *		A loopback server with bad manners, for net_test.
 *
 * HTTP: the path chooses what happens.  WebSocket: the path chooses a script.
 * One thread per connection; counters are atomic.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_NET_SERVER_H
#define QTS_TEST_NET_SERVER_H

#include <stdatomic.h>

extern atomic_int net_server_connections;
extern atomic_int net_server_posts;			/* with their whole body */
extern atomic_int net_server_warm_posts;	/* of them, not the first on their connection */
extern atomic_int net_server_post_segments; /* they came in, all together */

/* Returns the port; -1 on failure. */
extern int net_server_start(void);

#endif /* QTS_TEST_NET_SERVER_H */
