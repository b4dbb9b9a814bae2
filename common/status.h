/*
 * status - the result of a call, and the reason for a human
 *
 * "Asked and answered: there is none" (NOT_FOUND) and "nobody answered"
 * (TEMPFAIL) are different values everywhere in Provost, so that no outage
 * can ever look like a wrong password or a person who left.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

enum status {
    STATUS_OK,        /* done; out parameters are set */
    STATUS_NOT_FOUND, /* asked and answered: there is no such thing */
    STATUS_DENIED,    /* asked and answered: no */
    STATUS_INVALID,   /* the input is malformed; retrying cannot help */
    STATUS_TEMPFAIL   /* no answer (down, timeout, no memory): retry later */
};

#define ERRTEXT_SIZE 256 /* bytes, NUL included */

/*
 * Why a call did not return STATUS_OK, for a human. Owned by the caller,
 * usually on its stack, written only on failure, always terminated, never
 * holding a secret. Starts as {0} where it may be printed unwritten.
 */
struct errtext {
    char text[ERRTEXT_SIZE];
};

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * For a big variable that is written before it is read, on a path where each
 * microsecond counts: hardened builds would clear all of it first.
 */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define NOT_CLEARED __attribute__((uninitialized))
#endif
#endif
#ifndef NOT_CLEARED
#define NOT_CLEARED
#endif

/* Arguments fmt and args are checked like those of printf(3). */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Number of elements of a true array. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Stores a formatted reason in err, truncating. err may be NULL. */
void errtext_set(struct errtext *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Stores "out of memory" in err, which may be NULL, and returns
 * STATUS_TEMPFAIL, so that "return status_no_memory(err);" is one line. It is
 * inline for the sake of compilers and analysers, who would not know that it
 * never returns STATUS_OK.
 */
static inline enum status MUST_CHECK status_no_memory(struct errtext *err)
{
    errtext_set(err, "out of memory");
    return STATUS_TEMPFAIL;
}

/* Returns a constant lower-case name for logs ("ok", "not_found", ...). */
const char *status_name(enum status status);

#endif
