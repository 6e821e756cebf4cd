/*-------------------------------------------------------------------------
 *
 * limits.c
 *		What this machine can do at best, measured in the same run: the lines
 *		every other number is to be read beside.
 *
 *	limits DIRECTORY	(of the data, for fdatasync)
 *
 *-------------------------------------------------------------------------
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "stats.h"

#define ROUNDS 2000
#define BLOCK 8192

static void
limit_fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
limit_fdatasync(const char *directory)
{
	static Samples samples = {.name = "fdatasync of 8 kB"};
	static char block[BLOCK];
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/limit.XXXXXX", directory);
	fd = mkstemp(path);
	if (fd < 0)
		limit_fail("mkstemp");
	(void) unlink(path);
	/* as with WAL: the blocks exist already */
	for (int i = 0; i < 128; i++)
		if (pwrite(fd, block, BLOCK, (off_t) i * BLOCK) != BLOCK)
			limit_fail("pwrite");
	(void) fsync(fd);
	for (int i = 0; i < ROUNDS; i++)
	{
		int64_t start = bench_mono_ns();

		if (pwrite(fd, block, BLOCK, (off_t) (i % 128) * BLOCK) != BLOCK || fdatasync(fd) < 0)
			limit_fail("fdatasync");
		samples_add(&samples, (double) (bench_mono_ns() - start) / 1000);
	}
	close(fd);
	samples_print(&samples);
}

/* Both ends on one CPU would measure a task switch. */
static void
run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void) pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *
echo_main(void *arg)
{
	int fd = *(int *) arg;
	char bytes[64];
	ssize_t n;

	run_on(1);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		if (send(fd, bytes, (size_t) n, MSG_NOSIGNAL) != n)
			break;
	return NULL;
}

static void
limit_tcp(void)
{
	static Samples samples = {.name = "loopback TCP round trip, 64 bytes"};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int server;
	int on = 1;
	char bytes[64] = "";
	pthread_t thread;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *) &address, size) < 0 || listen(listener, 1) < 0 ||
		getsockname(listener, (struct sockaddr *) &address, &size) < 0 ||
		connect(client, (struct sockaddr *) &address, size) < 0 ||
		(server = accept(listener, NULL, NULL)) < 0)
		limit_fail("loopback");
	(void) setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void) setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (pthread_create(&thread, NULL, echo_main, &server) != 0)
		limit_fail("thread");
	run_on(0);
	for (int i = 0; i < ROUNDS; i++)
	{
		int64_t start = bench_mono_ns();

		if (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes) ||
			recv(client, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes))
			limit_fail("round trip");
		samples_add(&samples, (double) (bench_mono_ns() - start) / 1000);
	}
	close(client);
	pthread_join(thread, NULL);
	close(server);
	close(listener);
	samples_print(&samples);
}

static int wake_fd[2];
static _Atomic int64_t woken_at;

static void *
wake_main(void *arg)
{
	uint64_t count;

	(void) arg;
	run_on(1);
	while (read(wake_fd[0], &count, sizeof(count)) == sizeof(count) && count == 1)
	{
		atomic_store(&woken_at, bench_mono_ns());
		count = 1;
		if (write(wake_fd[1], &count, sizeof(count)) != sizeof(count))
			break;
	}
	return NULL;
}

static void
limit_wake(void)
{
	static Samples samples = {.name = "waking an idle process (eventfd), one way"};
	struct timespec idle = {.tv_nsec = 200000};
	uint64_t one = 1;
	uint64_t end = 2;
	pthread_t thread;

	wake_fd[0] = eventfd(0, 0);
	wake_fd[1] = eventfd(0, 0);
	if (wake_fd[0] < 0 || wake_fd[1] < 0 || pthread_create(&thread, NULL, wake_main, NULL) != 0)
		limit_fail("eventfd");
	run_on(0);
	for (int i = 0; i < ROUNDS; i++)
	{
		int64_t start;

		(void) nanosleep(&idle, NULL); /* lets the other side fall asleep: that is what is measured */
		start = bench_mono_ns();
		if (write(wake_fd[0], &one, sizeof(one)) != sizeof(one) ||
			read(wake_fd[1], &one, sizeof(one)) != sizeof(one))
			limit_fail("wake");
		samples_add(&samples, (double) (atomic_load(&woken_at) - start) / 1000);
		one = 1;
	}
	if (write(wake_fd[0], &end, sizeof(end)) != sizeof(end))
		limit_fail("wake");
	pthread_join(thread, NULL);
	samples_print(&samples);
}

static void
limit_clock(void)
{
	int64_t start = bench_mono_ns();
	int64_t n = 5000000;

	for (int64_t i = 0; i < n; i++)
		(void) bench_mono_ns();
	printf("  %-44s %.1f ns\n", "clock_gettime", (double) (bench_mono_ns() - start) / (double) n);
}

/* A seqlock around 64 bytes, read by its only user: the least a price read can cost. */
static void
limit_seqlock(void)
{
	static struct
	{
		_Atomic uint32_t seq;
		_Atomic int64_t word[8];
	} lock[1024];
	int64_t n = 50000000;
	int64_t start;
	volatile int64_t sum = 0;

	start = bench_mono_ns();
	for (int64_t i = 0; i < n; i++)
	{
		uint32_t before;
		int64_t last;
		int64_t volume;

		do
		{
			before = atomic_load_explicit(&lock[i & 1023].seq, memory_order_acquire);
			last = atomic_load_explicit(&lock[i & 1023].word[0], memory_order_relaxed);
			volume = atomic_load_explicit(&lock[i & 1023].word[3], memory_order_relaxed);
			atomic_thread_fence(memory_order_acquire);
		} while ((before & 1) || atomic_load_explicit(&lock[i & 1023].seq, memory_order_relaxed) != before);
		sum += last + volume;
	}
	printf("  %-44s %.1f ns\n", "seqlock read of two words, 1024 entries",
		   (double) (bench_mono_ns() - start) / (double) n);
}

int
main(int argc, char **argv)
{
	if (argc != 2)
	{
		fprintf(stderr, "usage: limits DIRECTORY\n");
		return 2;
	}
	samples_title("Limits of this machine", "us");
	limit_fdatasync(argv[1]);
	limit_tcp();
	limit_wake();
	limit_clock();
	limit_seqlock();
	return 0;
}
