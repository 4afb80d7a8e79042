/* The client's key pair and the server's key: generate, show, convert, pin.
 *
 *     keys generate DIR                      a new pair in DIR, which a client uses when NOMYO_KEY_DIR is DIR
 *     keys show PRIVATE-FILE                 its public key
 *     keys convert PRIVATE-FILE DIR          a copy in DIR, with a password of its own; any form of file is read
 *     keys pin [--url URL] [--ca FILE]       the fingerprint of the server's key, for NOMYO_SERVER_KEY_PIN
 *
 * Passwords are asked for on the terminal, or read from standard input, a line each: the file's, then the directory's. They
 * are kept in memory that cannot be dumped or inherited. An empty one is none. */
#include <nomyo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MAX = 1024 };

static const char usage[] = "usage: keys generate DIR\n"
                            "       keys show PRIVATE-FILE\n"
                            "       keys convert PRIVATE-FILE DIR\n"
                            "       keys pin [--url URL] [--ca FILE]\n";

/* Reads a line into `password`, unseen on a terminal, and returns its length. */
static size_t ask(const char *what, const char *whose, uint8_t *password) {
    struct termios before, unseen;
    int terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    size_t len = 0;
    if (terminal) {
        unseen = before;
        unseen.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
        fprintf(stderr, "%s of %s (empty: none): ", what, whose);
    }
    /* A byte at a time: stdio would keep a copy, and take what belongs to the next question. */
    while (len < PASSWORD_MAX && read(STDIN_FILENO, password + len, 1) == 1 && password[len] != '\n') len++;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fprintf(stderr, "\n");
    }
    return len;
}

/* The same, asked for twice on a terminal: with a slip of the finger the key would be lost. */
static size_t ask_new(const char *dir, uint8_t *password) {
    uint8_t *again = password + PASSWORD_MAX;
    size_t len = ask("new password", dir, password);
    while (isatty(STDIN_FILENO) && (ask("the same password", dir, again) != len || memcmp(password, again, len) != 0)) {
        fprintf(stderr, "They are not the same.\n");
        len = ask("new password", dir, password);
    }
    return len;
}

static int load(const nomyo_client *client, const char *file, uint8_t *password, nomyo_error **err) {
    size_t len = ask("password", file, password);
    return nomyo_client_load_keys(client, file, NULL, password, len, err) == NOMYO_OK;
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
    int done = 0;

    for (int i = 2; pin && i < argc; i += 2) {
        if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
        else if (strcmp(argv[i], "--ca") == 0) ca = argv[i + 1];
        else pin = 0;
    }
    if (!generate && !show && !convert && !pin) {
        fputs(usage, stderr);
    } else if (config && password && (!pin || nomyo_config_load_env(config, &err) == NOMYO_OK) &&
               (!url || nomyo_config_set_base_url(config, url, &err) == NOMYO_OK) &&
               (!ca || nomyo_config_set_ca_file(config, ca, &err) == NOMYO_OK) &&
               nomyo_client_new(config, &client, &err) == NOMYO_OK) {
        done = generate  ? nomyo_client_generate_keys(client, dir, password, ask_new(dir, password), &err) == NOMYO_OK
               : show    ? load(client, file, password, &err)
               : convert ? load(client, file, password, &err) &&
                               nomyo_client_save_keys(client, dir, password, ask_new(dir, password), &err) == NOMYO_OK
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
