/* Ends a measuring program when a function fails. */
#ifndef MUST_H
#define MUST_H

#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>

/* Calls a function with these arguments and an error. Ends the program with the error's message if it fails. */
#define MUST(function, ...)                                                                                            \
    do {                                                                                                               \
        nomyo_error *err = NULL;                                                                                       \
        int32_t status = function(__VA_ARGS__, &err);                                                                  \
        if (status != NOMYO_OK) {                                                                                      \
            fprintf(stderr, "%s: %s: %s\n", #function, nomyo_status_name(status), nomyo_error_message(err));           \
            exit(EXIT_FAILURE);                                                                                        \
        }                                                                                                              \
    } while (0)

#endif
