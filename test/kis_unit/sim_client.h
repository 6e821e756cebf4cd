/*-------------------------------------------------------------------------
 *
 * sim_client.h
 *		Start the simulated broker and talk to its control port.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_SIM_CLIENT_H
#define QTS_TEST_SIM_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct Sim
{
	pid_t pid;
	int rest;
	int ws;
	int control;
} Sim;

/* config is JSON text, posted to /config after the start. */
extern bool sim_start(Sim *sim, const char *program, const char *profile, const char *config);
extern void sim_stop(Sim *sim);

/* The parsed answer (to be released by the caller) or NULL. */
extern json_t *sim_ask(const Sim *sim, const char *method, const char *path, const char *body);

/* Requests of a path so far. */
extern int sim_requests(const Sim *sim, const char *path);

/* Add a fault; params may be "". */
extern bool sim_fault(const Sim *sim, const char *mode, int times, const char *params);

#endif /* QTS_TEST_SIM_CLIENT_H */
