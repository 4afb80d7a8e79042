/*
 * A directory of the test's own, and copies of fixtures in it.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* The password of the encrypted fixtures. */
#define FIXTURE_PASSWORD "correct horse battery staple"

struct scratch {
    char dir[64];
};

static inline struct scratch scratch_new(void) {
    struct scratch scratch = {"/tmp/nomyo-test-XXXXXX"};
    CHECK(mkdtemp(scratch.dir) != NULL);
    return scratch;
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline void scratch_remove(const struct scratch *scratch) {
    CHECK(nftw(scratch->dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

/* The path of `name` in the scratch directory, in one of eight buffers that take turns. */
static inline const char *scratch_path(const struct scratch *scratch, const char *name) {
    static _Thread_local char paths[8][PATH_MAX];
    static _Thread_local unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, PATH_MAX, "%s/%s", scratch->dir, name);
    return path;
}

/* A fixture's bytes with a NUL behind them. The caller frees them. */
static inline char *fixture_text(const char *name, size_t *len) {
    char path[1024];
    snprintf(path, sizeof path, NOMYO_FIXTURES "/%s", name);
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    if (file == NULL || text == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    *len = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

/* Writes a private file for its owner alone: a checkout does not keep modes. */
static inline void write_private(const char *path, const char *text, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len && close(fd) == 0);
}

/* A copy of the private key `fixture` at `path`. */
static inline void copy_key(const char *fixture, const char *path) {
    size_t len = 0;
    char *text = fixture_text(fixture, &len);
    write_private(path, text, len);
    free(text);
}

/* The text of client_private_openssl_600k.pem with 8 000 000 iterations instead of 600 000: its password takes seconds. */
static inline void slow_down(char *text) {
    static const char before[] = "Awkn\nwDAM", after[] = "A3oS\nADAM"; /* base64 of the iterations */
    char *at = strstr(text, before);
    if (CHECK(at != NULL)) {
        memcpy(at, after, strlen(after));
    }
}

/* A private key at `path` whose password takes seconds to try. */
static inline void write_slow_key(const char *path) {
    size_t len = 0;
    char *text = fixture_text("keys/client_private_openssl_600k.pem", &len);
    slow_down(text);
    write_private(path, text, len);
    free(text);
}

/* Locks the folder `dir` as another process would. Closing the descriptor unlocks it. */
static inline int lock_folder(const char *dir) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/.nomyo.lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    return fd;
}

#endif
