/*
 * Log lines, kept and counted.
 */
#ifndef LOG_H
#define LOG_H

#include <pthread.h>

#include "check.h"

struct log_lines {
    pthread_mutex_t lock;
    char text[262144];
};

/* A nomyo_log_fn whose data is a `struct log_lines`. Lines that do not fit are dropped. */
static inline void log_keep(void *data, int32_t level, const char *line, size_t len) {
    struct log_lines *lines = data;
    static const char levels[] = "?EWID";
    pthread_mutex_lock(&lines->lock);
    size_t used = strlen(lines->text);
    if (used + len + 4 < sizeof lines->text) {
        snprintf(lines->text + used, sizeof lines->text - used, "%c %.*s\n", levels[level], (int)len, line);
    }
    pthread_mutex_unlock(&lines->lock);
}

static inline int log_count(const struct log_lines *lines, const char *part) {
    int count = 0;
    for (const char *at = lines->text; (at = strstr(at, part)) != NULL; at++) {
        count++;
    }
    return count;
}

/* Lets `config` log everything to `lines`, which must outlive its clients. */
static inline void log_to(nomyo_config *config, struct log_lines *lines) {
    memset(lines->text, 0, sizeof lines->text);
    pthread_mutex_init(&lines->lock, NULL);
    CHECK_INT(nomyo_config_set_log(config, NOMYO_LOG_DEBUG, log_keep, lines, NULL), NOMYO_OK);
}

#endif
