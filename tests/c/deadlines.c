/*
 * Every function that blocks ends at the timeout of the handle that it is called with, in every situation that blocks it.
 *
 * How late is printed. Only a generous bound is asserted: the situations last for a minute, except for key generation
 * and slow passwords.
 */
#include "blocking.h"

enum { BOUND = 10000 /* ms */, ROWS = 128 };

static double late[ROWS];
static unsigned rows;

static void ends_in_time(const char *situation, const struct blocking *function, const nomyo_client *client,
                         const struct places *places, unsigned ms) {
    nomyo_call_options *options = nomyo_call_options_new();
    CHECK_INT(nomyo_call_options_set_timeout_ms(options, ms, NULL), NOMYO_OK);
    nomyo_client *handle = handle_with(client, options);
    nomyo_error *err = NULL;
    struct timespec begun = clock_now();
    int32_t status = function->call(handle, places, &err);
    double after = ms_between(begun, clock_now()) - ms;
    int good = CHECK_INT(status, NOMYO_ERR_TIMEOUT) & CHECK(after < BOUND);
    /* No prompt has left: the pair, the connection or the server's key was missing. */
    good &= CHECK_INT(nomyo_error_sent(err), NOMYO_SENT_NO) & CHECK_INT(nomyo_error_status(err), status);
    if (!good) {
        fprintf(stderr, "    %s, %s: %s, %.1f ms late: %s\n", function->name, situation, nomyo_status_name(status), after,
                nomyo_error_message(err));
    }
    printf("deadlines: %-24s %-24s %7.1f ms late\n", function->name, situation, after);
    if (rows < ROWS) {
        late[rows++] = after;
    }
    nomyo_error_free(err);
    nomyo_client_free(handle);
}

/* The lock of the known-servers file is taken when a server's key is first used. */
static void known_servers_are_locked(void) {
    struct scratch scratch = scratch_new();
    nomyo_config *config = endpoint_config();
    CHECK_INT(nomyo_config_set_known_servers(config, scratch_path(&scratch, "known"), NULL), NOMYO_OK);
    copy_key("keys/client_private.pem", scratch_path(&scratch, "pair.pem"));
    nomyo_client *client = patient_client(config, scratch_path(&scratch, "pair.pem"));
    const struct blocking create = {"create", call_create, 0};
    int fd = lock_folder(scratch.dir);
    ends_in_time("locked known servers", &create, client, NULL, UNTIL_IT_WAITS);
    CHECK(access(scratch_path(&scratch, "known"), F_OK) != 0);
    close(fd);
    CHECK_INT(call_create(client, NULL, NULL), NOMYO_OK);
    nomyo_client_free(client);
    scratch_remove(&scratch);
}

/* A caller that ran out of time costs the others nothing: the next call has all that it needs. */
static void the_next_call_works(void) {
    nomyo_client *client = patient_client(endpoint_config(), NULL);
    const struct blocking public_key = {"public_key", call_public_key, 0};
    ends_in_time("key generation", &public_key, client, NULL, BEFORE_A_PAIR);
    CHECK_INT(call_create(client, NULL, NULL), NOMYO_OK);
    nomyo_client_free(client);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    each_blocked(ends_in_time);
    known_servers_are_locked();
    the_next_call_works();
    qsort(late, rows, sizeof *late, compare);
    printf("deadlines: %u calls: median %.1f ms late, 90 %% %.1f, longest %.1f\n", rows, late[rows / 2],
           late[rows * 9 / 10], late[rows - 1]);
    return check_summary("deadlines");
}
