/*
 * The interpreter of programs for 64-bit ARM, as starts_arm64.sh registers it: qemu-user, with the C library's directory. Programs
 * of tests are started with environments of their own, so that no variable can name the directory.
 *
 * The kernel starts it with the program's path, its argv[0] and its arguments (flag P of binfmt_misc). QEMU and ROOT are defined
 * by the compiler's command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char **command = argc < 3 ? NULL : calloc((size_t)argc + 4, sizeof *command);
    if (command == NULL) {
        return 127;
    }
    int n = 0;
    command[n++] = QEMU;
    command[n++] = "-L";
    command[n++] = ROOT;
    command[n++] = "-0";
    command[n++] = argv[2];
    command[n++] = argv[1];
    for (int i = 3; i < argc; i++) {
        command[n++] = argv[i];
    }
    execv(QEMU, command);
    perror(QEMU);
    return 127;
}
