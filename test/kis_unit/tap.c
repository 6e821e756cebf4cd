/*-------------------------------------------------------------------------
 *
 * tap.c
 *		Test Anything Protocol, as little of it as these tests need.
 *
 *-------------------------------------------------------------------------
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static int tap_count;
static int tap_failed;

bool
tap_check(bool condition, const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", condition ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!condition)
	{
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return condition;
}

void
tap_is(int64_t got, int64_t expected, const char *what)
{
	if (!tap_check(got == expected, __FILE__, 0, "%s", what))
		printf("# got %" PRId64 ", expected %" PRId64 "\n", got, expected);
}

void
tap_is_text(const char *got, const char *expected, const char *what)
{
	if (!tap_check(strcmp(got, expected) == 0, __FILE__, 0, "%s", what))
		printf("# got \"%s\", expected \"%s\"\n", got, expected);
}

void
tap_skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_count, what, why);
}

void
tap_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed > 0 || tap_count == 0;
}
