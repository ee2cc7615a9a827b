#include "shipway_case.h"

#include "arena.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static shipway_str read_all(int from)
{
    char *data = NULL;
    size_t length = 0, capacity = 0;
    for (;;) {
        if (length == capacity) {
            size_t wanted = capacity > 0 ? capacity * 2 : 4096;
            data = shipway_arena_resize(data, length, wanted);
            capacity = wanted;
        }
        ssize_t count = read(from, data + length, capacity - length);
        if (count <= 0 && !(count < 0 && errno == EINTR))
            return (shipway_str){data, length};
        length += count > 0 ? (size_t)count : 0;
    }
}

/* Starts a program whose standard output goes into a pipe. */
static int start(const char *const *argv, const int ends[2], pid_t *child)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int problem = posix_spawnp(child, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

/* What the program printed. False when it could not be started. */
static bool output_of(const char *const *argv, shipway_str *output)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    pid_t child;
    int problem = start(argv, ends, &child);
    close(ends[1]);
    if (problem == 0) {
        *output = read_all(ends[0]);
        waitpid(child, NULL, 0);
    }
    close(ends[0]);
    return problem == 0;
}

static void show_mismatches(const char *path, shipway_str report)
{
    shipway_str mismatch;
    for (size_t i = 0;; i++) {
        const char *place = shipway_cstr(shipway_format("mismatches[%zu]", i));
        if (!shipway_json_find_string(report, place, &mismatch))
            return;
        fprintf(stderr, "%s: %.*s\n", path, SHIPWAY_ARG(mismatch));
    }
}

bool shipway_case_run(const char *component, const char *path, shipway_str *report)
{
    const char *program = getenv("SHIPWAY_PROGRAM");
    const char *const argv[] = {program && *program ? program : "shipway", "plugin", "test",
        "--json", component, path, NULL};
    shipway_str output;
    *report = shipway_str_of("null");
    if (!output_of(argv, &output)) {
        fprintf(stderr, "%s: cannot start %s; set SHIPWAY_PROGRAM\n", path, argv[0]);
        return false;
    }
    if (!shipway_json_find(output, "cases[0]", report)) {
        fprintf(stderr, "%s: %s printed no report\n", path, argv[0]);
        return false;
    }
    bool passed = false;
    shipway_json_find_boolean(*report, "passed", &passed);
    if (!passed)
        show_mismatches(path, *report);
    return passed;
}
