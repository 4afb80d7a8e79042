/*
 * Checks that count. A failed one prints where and goes on; check_summary() gives the exit status.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nomyo.h"

static _Atomic unsigned check_passed;
static _Atomic unsigned check_failed;

static inline int check_that(int holds, const char *what, const char *file, int line) {
    if (holds) {
        check_passed++;
    } else {
        check_failed++;
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    }
    return holds;
}

static inline int check_int(long long got, long long wanted, const char *what, const char *file, int line) {
    if (!check_that(got == wanted, what, file, line)) {
        fprintf(stderr, "    got %lld, wanted %lld\n", got, wanted);
    }
    return got == wanted;
}

static inline int check_text(const char *got, const char *wanted, const char *what, const char *file, int line) {
    int same = got != NULL && wanted != NULL ? strcmp(got, wanted) == 0 : got == wanted;
    if (!check_that(same, what, file, line)) {
        fprintf(stderr, "    got \"%.200s\", wanted \"%.200s\"\n", got ? got : "(NULL)", wanted ? wanted : "(NULL)");
    }
    return same;
}

static inline int check_has(const char *text, const char *part, const char *what, const char *file, int line) {
    int has = text != NULL && strstr(text, part) != NULL;
    if (!check_that(has, what, file, line)) {
        fprintf(stderr, "    \"%s\" is not in \"%.300s\"\n", part, text ? text : "(NULL)");
    }
    return has;
}

/* Each evaluates its arguments once and is true when it held. */
#define CHECK(condition) check_that(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(got, wanted) check_int((long long)(got), (long long)(wanted), #got, __FILE__, __LINE__)
#define CHECK_TEXT(got, wanted) check_text(got, wanted, #got, __FILE__, __LINE__)
#define CHECK_HAS(text, part) check_has(text, part, #text, __FILE__, __LINE__)

/* A pointer that no call may leave behind, and none may follow. */
#define SENTINEL ((void *)(uintptr_t)0x5e5e)

/* Success, with the error's sentence if it is none. Frees and clears `*err`. */
static inline int check_ok(int32_t status, nomyo_error **err, const char *what, const char *file, int line) {
    if (!check_that(status == NOMYO_OK, what, file, line)) {
        fprintf(stderr, "    %s: %s\n", nomyo_status_name(status), nomyo_error_message(*err));
    }
    nomyo_error_free(*err);
    *err = NULL;
    return status == NOMYO_OK;
}
#define CHECK_OK(call, err) check_ok(call, err, #call, __FILE__, __LINE__)

/* An error that has this status and this part in its one sentence. Does not free it. */
static inline void check_error(const nomyo_error *e, int32_t status, const char *part, const char *what,
                               const char *file, int line) {
    if (check_that(e != NULL && e != SENTINEL, what, file, line)) {
        const char *message = nomyo_error_message(e);
        check_int(nomyo_error_status(e), status, what, file, line);
        check_has(message, part, what, file, line);
        check_that(strpbrk(message, "\r\n") == NULL, what, file, line);
    }
}

/* The call fails with this status and sentence, and with NULL for `err` all the same. `err` comes last and is added. */
#define REFUSED(status, part, function, ...)                                          \
    do {                                                                              \
        nomyo_error *refused_ = SENTINEL;                                             \
        CHECK_INT(function(__VA_ARGS__, &refused_), status);                          \
        check_error(refused_, status, part, #function "(" #__VA_ARGS__ ")",           \
                    __FILE__, __LINE__);                                              \
        nomyo_error_free(refused_ == SENTINEL ? NULL : refused_);                     \
        CHECK_INT(function(__VA_ARGS__, NULL), status);                               \
    } while (0)

/* The call succeeds and leaves `*err` alone, and with NULL for `err` all the same. */
#define ACCEPTED(function, ...)                                                       \
    do {                                                                              \
        nomyo_error *accepted_ = SENTINEL;                                            \
        CHECK_INT(function(__VA_ARGS__, &accepted_), NOMYO_OK);                       \
        CHECK(accepted_ == SENTINEL);                                                 \
        CHECK_INT(function(__VA_ARGS__, NULL), NOMYO_OK);                             \
    } while (0)

static inline int check_summary(const char *name) {
    printf("%s: %u passed, %u failed\n", name, check_passed, check_failed);
    return check_failed == 0 && check_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
