/*
 * main.c
 *		Command line and start-up of the simulated broker.
 *
 * Standard output carries exactly one line, the ready message; everything else goes
 * to standard error.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

typedef struct Args
{
	bool is_paper;
	int rest, ws, control;
	uint64_t seed;
	int rate; /* -1 keeps the profile's */
	const char *config;
	const char *clock;
} Args;

static int
usage(const char *name)
{
	fprintf(stderr,
			"usage: %s [--profile real|paper] [--rest PORT] [--ws PORT] [--control PORT]\n"
			"       [--seed N] [--config FILE.json] [--clock ISO8601] [--rate N]\n",
			name);
	return 2;
}

static bool
args_read(int argc, char **argv, Args *args)
{
	static const struct option names[] = {{"profile", required_argument, NULL, 'p'},
										  {"rest", required_argument, NULL, 'r'},
										  {"ws", required_argument, NULL, 'w'},
										  {"control", required_argument, NULL, 'c'},
										  {"seed", required_argument, NULL, 's'},
										  {"config", required_argument, NULL, 'f'},
										  {"clock", required_argument, NULL, 't'},
										  {"rate", required_argument, NULL, 'n'},
										  {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
	{
		if (option == 'p' && (strcmp(optarg, "paper") == 0 || strcmp(optarg, "real") == 0))
			args->is_paper = strcmp(optarg, "paper") == 0;
		else if (option == 'r')
			args->rest = atoi(optarg);
		else if (option == 'w')
			args->ws = atoi(optarg);
		else if (option == 'c')
			args->control = atoi(optarg);
		else if (option == 's')
			args->seed = strtoull(optarg, NULL, 10);
		else if (option == 'f')
			args->config = optarg;
		else if (option == 't')
			args->clock = optarg;
		else if (option == 'n')
			args->rate = atoi(optarg);
		else
			return false;
	}
	return optind == argc;
}

static bool
config_load(const char *file)
{
	json_error_t where;
	const char *error = NULL;
	json_t *config = json_load_file(file, 0, &where);
	bool is_good = config != NULL && qts_config_apply(config, &error);

	if (!is_good)
		fprintf(stderr, "kis_sim: %s: %s\n", file, config ? error : where.text);
	json_decref(config);
	return is_good;
}

int
main(int argc, char **argv)
{
	Args args = {.seed = 1, .rate = -1};
	int64_t start;

	if (!args_read(argc, argv, &args))
		return usage(argv[0]);
	qts_random_seed(args.seed);
	qts_config_defaults(args.is_paper);
	if (args.clock != NULL)
	{
		if (!qts_clock_parse(args.clock, &start))
			return usage(argv[0]);
		qts_clock_set(start, 1.0);
	}
	if (args.config != NULL && !config_load(args.config))
		return 1;
	if (args.rate >= 0 && args.rate < QTS_MAX_RATE)
		qts_options.rate_per_second = args.rate;
	if (!qts_net_start() || (qts_options.rest_port = qts_net_listen(QTS_PORT_REST, args.rest)) < 0 ||
		(qts_options.ws_port = qts_net_listen(QTS_PORT_WS, args.ws)) < 0 ||
		(qts_options.control_port = qts_net_listen(QTS_PORT_CONTROL, args.control)) < 0)
	{
		perror("kis_sim: cannot listen");
		return 1;
	}
	qts_clock_watch();
	printf("{\"ready\":true,\"pid\":%d,\"rest\":%d,\"ws\":%d,\"control\":%d}\n", (int) getpid(),
		   qts_options.rest_port, qts_options.ws_port, qts_options.control_port);
	fflush(stdout);
	return qts_net_run();
}
