/*-------------------------------------------------------------------------
 *
 * sim_client.c
 *		Start the simulated broker and talk to its control port.
 *
 * Plain blocking sockets, on purpose: the witness must not share code with
 * what it watches.
 *
 *-------------------------------------------------------------------------
 */
#include "sim_client.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t) 4 * 1024 * 1024)

bool
sim_start(Sim *sim, const char *program, const char *profile, const char *config)
{
	int out[2];
	char line[512];
	FILE *file;
	json_t *ready = NULL;
	json_t *answer;

	memset(sim, 0, sizeof(*sim));
	if (pipe(out) < 0 || (sim->pid = fork()) < 0)
		return false;
	if (sim->pid == 0)
	{
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		close(out[0]);
		close(out[1]);
		execl(program, program, "--profile", profile, "--rest", "0", "--ws", "0", "--control", "0", "--clock",
			  "2026-11-20T10:00:00+09:00", (char *) NULL);
		_exit(127);
	}
	close(out[1]);
	file = fdopen(out[0], "r");
	if (file && fgets(line, sizeof(line), file))
		ready = json_loads(line, 0, NULL);
	if (file)
		fclose(file);
	sim->rest = (int) json_integer_value(json_object_get(ready, "rest"));
	sim->ws = (int) json_integer_value(json_object_get(ready, "ws"));
	sim->control = (int) json_integer_value(json_object_get(ready, "control"));
	json_decref(ready);
	if (sim->rest <= 0)
		return false;
	answer = sim_ask(sim, "POST", "/config", config);
	json_decref(answer);
	return answer != NULL;
}

void
sim_stop(Sim *sim)
{
	if (sim->pid <= 0)
		return;
	kill(sim->pid, SIGTERM);
	(void) waitpid(sim->pid, NULL, 0);
	sim->pid = 0;
}

static size_t
client_read(int fd, char *text)
{
	size_t n = 0;
	size_t want = ANSWER_MAX;

	while (n < want && n < ANSWER_MAX - 1)
	{
		ssize_t got = recv(fd, text + n, ANSWER_MAX - 1 - n, 0);
		char *body;
		char *length;

		if (got <= 0)
			break;
		n += (size_t) got;
		text[n] = '\0';
		body = strstr(text, "\r\n\r\n");
		length = body ? strcasestr(text, "content-length:") : NULL;
		if (length && length < body)
			want = (size_t) (body + 4 - text) + (size_t) atol(length + 15);
	}
	return n;
}

json_t *
sim_ask(const Sim *sim, const char *method, const char *path, const char *body)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t) sim->control)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char *text = malloc(ANSWER_MAX);
	json_t *answer = NULL;
	char head[512];
	int n = snprintf(head, sizeof(head),
					 "%s %s HTTP/1.1\r\nHost: sim\r\n"
					 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
					 method, path, strlen(body));

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && text && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0 &&
		send(fd, head, (size_t) n, MSG_NOSIGNAL) == n &&
		send(fd, body, strlen(body), MSG_NOSIGNAL) == (ssize_t) strlen(body) && client_read(fd, text) > 0 &&
		strncmp(text, "HTTP/1.1 200", 12) == 0 && strstr(text, "\r\n\r\n"))
		answer = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
	else if (text && fd >= 0)
		fprintf(stderr, "# control %s %s: %.300s\n", method, path, text);
	if (fd >= 0)
		close(fd);
	free(text);
	return answer;
}

int
sim_requests(const Sim *sim, const char *path)
{
	char url[128];
	json_t *answer;
	int n;

	snprintf(url, sizeof(url), "/requests?since=0&path=%s", path);
	answer = sim_ask(sim, "GET", url, "");
	n = (int) json_array_size(json_object_get(answer, "requests"));
	json_decref(answer);
	return n;
}

bool
sim_fault(const Sim *sim, const char *mode, int times, const char *params)
{
	char body[512];
	json_t *answer;

	snprintf(body, sizeof(body), "{\"mode\":\"%s\",\"times\":%d%s%s%s}", mode, times,
			 params[0] ? ",\"params\":{" : "", params, params[0] ? "}" : "");
	answer = sim_ask(sim, "POST", "/fault", body);
	json_decref(answer);
	return answer != NULL;
}
