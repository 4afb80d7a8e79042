/* The client's key pair and the server's key: generate, show, convert, pin.
 *
 *     keys generate DIR                      a new pair in DIR, which a client uses if NOMYO_KEY_DIR is DIR
 *     keys show PRIVATE-FILE                 its public key
 *     keys convert PRIVATE-FILE DIR          a copy in DIR, with a password of its own; any form of file is read
 *     keys pin [--url URL] [--ca FILE]       the fingerprint of the server's key, for NOMYO_SERVER_KEY_PIN
 *
 * Passwords are read from the terminal, or from standard input, one line each: the file's, then the directory's. They are kept
 * in memory that cannot be dumped or inherited. An empty line means no password. An end of input fails. */
#define _POSIX_C_SOURCE 200809L
#include <nomyo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MAX = 1024 }; /* including the newline */

static const char usage[] = "usage: keys generate DIR\n"
                            "       keys show PRIVATE-FILE\n"
                            "       keys convert PRIVATE-FILE DIR\n"
                            "       keys pin [--url URL] [--ca FILE]\n";

static struct termios before;

/* Ctrl-C at the password prompt must not leave the echo switched off. */
static void show_again(int signal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    raise(signal); /* SA_RESETHAND has restored the default, which ends the program */
}

/* Reads a line into `password`, without echo on a terminal. Fails without a newline: a truncated or empty password would be
 * noticed too late. */
static int ask(const char *what, const char *whose, uint8_t *password, size_t *len) {
    struct termios unseen;
    struct sigaction interrupted = {.sa_handler = show_again, .sa_flags = SA_RESETHAND}, was;
    int terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    ssize_t got;
    *len = 0;
    if (terminal) {
        sigaction(SIGINT, &interrupted, &was);
        unseen = before;
        unseen.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
        fprintf(stderr, "%s of %s (empty: none): ", what, whose);
    }
    /* Reads single bytes: stdio would keep a copy, and would swallow the answer to the next question. */
    while ((got = read(STDIN_FILENO, password + *len, 1)) == 1 && password[*len] != '\n')
        if (++*len == PASSWORD_MAX) break;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        sigaction(SIGINT, &was, NULL);
        fprintf(stderr, "\n");
    }
    const char *wrong = got < 0                ? "cannot be read"
                        : *len == PASSWORD_MAX ? "is too long"
                        : got == 0 && !*len    ? "is missing; for none, give an empty line"
                                               : NULL;
    if (wrong) fprintf(stderr, "%s of %s %s\n", what, whose, wrong);
    return !wrong;
}

/* Asks twice on a terminal: a typing error would make the key unreadable. */
static int ask_new(const char *dir, uint8_t *password, size_t *len) {
    uint8_t *again = password + PASSWORD_MAX;
    size_t again_len;
    while (ask("new password", dir, password, len)) {
        if (!isatty(STDIN_FILENO)) return 1;
        if (!ask("the same password", dir, again, &again_len)) return 0;
        if (again_len == *len && memcmp(password, again, *len) == 0) return 1;
        fprintf(stderr, "They are not the same.\n");
    }
    return 0;
}

static int load(const nomyo_client *client, const char *file, uint8_t *password, nomyo_error **err) {
    size_t len;
    return ask("password", file, password, &len) &&
           nomyo_client_load_keys(client, file, NULL, password, len, err) == NOMYO_OK;
}

static int print_public_key(const nomyo_client *client, nomyo_error **err) {
    nomyo_text *pem = NULL;
    int fine = nomyo_client_public_key(client, &pem, err) == NOMYO_OK;
    if (fine) printf("%s", nomyo_text_data(pem, NULL));
    nomyo_text_free(pem);
    return fine;
}

static int print_pin(const nomyo_client *client, nomyo_error **err) {
    nomyo_text *pem = NULL, *sha256 = NULL;
    int fine = nomyo_client_server_key(client, &pem, &sha256, err) == NOMYO_OK;
    if (fine) {
        printf("%s\n", nomyo_text_data(sha256, NULL));
        fprintf(stderr, "Compare it with what the operator publishes: whoever sits between you could have sent it.\n");
    }
    nomyo_text_free(sha256);
    nomyo_text_free(pem);
    return fine;
}

int main(int argc, char **argv) {
    const char *command = argc > 1 ? argv[1] : "", *file = argc > 2 ? argv[2] : NULL;
    const char *dir = argc > 2 ? argv[argc - 1] : NULL, *url = NULL, *ca = NULL;
    int generate = strcmp(command, "generate") == 0 && argc == 3, show = strcmp(command, "show") == 0 && argc == 3;
    int convert = strcmp(command, "convert") == 0 && argc == 4, pin = strcmp(command, "pin") == 0 && argc % 2 == 0;
    nomyo_config *config = nomyo_config_new();
    nomyo_client *client = NULL;
    nomyo_error *err = NULL;
    uint8_t *password = nomyo_secret_alloc(2 * PASSWORD_MAX, &err);
    size_t len;
    int done = 0;

    for (int i = 2; pin && i < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else pin = 0;
    }
    if (!generate && !show && !convert && !pin) {
        fputs(usage, stderr);
    } else if (password && (!pin || nomyo_config_load_env(config, &err) == NOMYO_OK) &&
               (!url || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
               (!ca || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
               nomyo_client_new(config, &client, &err) == NOMYO_OK) {
        done = generate  ? ask_new(dir, password, &len) &&
                               nomyo_client_generate_keys(client, dir, password, len, &err) == NOMYO_OK
               : show    ? load(client, file, password, &err)
               : convert ? load(client, file, password, &err) && ask_new(dir, password, &len) &&
                               nomyo_client_save_keys(client, dir, password, len, &err) == NOMYO_OK
                         : print_pin(client, &err);
        done = done && (pin || print_public_key(client, &err));
    }
    if (err) fprintf(stderr, "%s: %s\n", nomyo_status_name(nomyo_error_status(err)), nomyo_error_message(err));
    nomyo_error_free(err);     /* every _free accepts NULL */
    nomyo_client_free(client); /* wipes the keys */
    nomyo_config_free(config);
    nomyo_secret_free(password); /* wipes */
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
