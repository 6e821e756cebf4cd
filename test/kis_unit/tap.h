/*-------------------------------------------------------------------------
 *
 * tap.h
 *		Test Anything Protocol, as little of it as these tests need.
 *
 *-------------------------------------------------------------------------
 */
#ifndef QTS_TEST_TAP_H
#define QTS_TEST_TAP_H

#include <stdbool.h>
#include <stdint.h>

#define ok(condition, ...) tap_check((condition), __FILE__, __LINE__, __VA_ARGS__)

extern bool tap_check(bool condition, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
extern void tap_is(int64_t got, int64_t expected, const char *what);
extern void tap_is_text(const char *got, const char *expected, const char *what);
extern void tap_skip(const char *what, const char *why);
extern void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the plan; the exit status of the program. */
extern int tap_done(void);

#endif /* QTS_TEST_TAP_H */
