/*-------------------------------------------------------------------------
 *
 * cork.h
 *		Two writes of the library as one packet.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_NET_CORK_H
#define QTS_NET_CORK_H

/* A socket the library has made. */
extern void qts_cork_know(int fd);

/*
 * Hold back what is written on the socket with this local port until
 * qts_cork_release.  One at a time: an earlier one is released here.  Does
 * nothing when the socket is not known.
 */
extern void qts_cork_hold(int local_port);
extern void qts_cork_release(void);

extern void qts_cork_forget(void);

#endif /* QTS_NET_CORK_H */
