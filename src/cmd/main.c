#include "cmd/cmd.h"
#include "room/rooms.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int cmd_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return ck_cmd_usage("cocket", "version takes no arguments");
    puts("cocket " COCKET_VERSION);
    return CK_EXIT_OK;
}

static int cmd_help(int argc, char **argv);

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *page;
} verbs[] = {
    { "scan", ck_cmd_scan, "cocket-scan" },
    { "fetch", ck_cmd_fetch, "cocket-fetch" },
    { "load", ck_cmd_load, "cocket-load" },
    { "unpack", ck_cmd_unpack, "cocket-unpack" },
    { "ls", ck_cmd_ls, "cocket-ls" },
    { "release", ck_cmd_release, "cocket-release" },
    { "deny", ck_cmd_deny, "cocket-release" },
    { "recall", ck_cmd_recall, "cocket-recall" },
    { "watch", ck_cmd_watch, "cocket-watch" },
    { "user", ck_cmd_user, "cocket-user" },
    { "notify", ck_cmd_notify, "cocket-notify" },
    { "rm", ck_cmd_rm, "cocket-rm" },
    { "gc", ck_cmd_gc, "cocket-gc" },
    { "fsck", ck_cmd_fsck, "cocket-fsck" },
    { "log", ck_cmd_log, "cocket-log" },
    { "export", ck_cmd_export, "cocket-export" },
    { "import", ck_cmd_import, "cocket-export" },
    { "lock", ck_cmd_lock, "cocket-lock" },
    { "verify", ck_cmd_verify, "cocket-verify" },
    { "policy", ck_cmd_policy, "cocket-policy" },
    { "survey", ck_cmd_survey, "cocket-survey" },
    { "serve", ck_cmd_serve, "cocket-serve" },
    { "db", ck_cmd_db, "cocket-db" },
    { "lockdown", ck_cmd_lockdown, "cocket-lockdown" },
    { "image-verifier", ck_cmd_image_verifier, "cocket-image-verifier" },
    { "version", cmd_version, "cocket" },
    { "--version", cmd_version, "cocket" },
    { "help", cmd_help, "cocket" },
    { "--help", cmd_help, "cocket" },
    { "-h", cmd_help, "cocket" },
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static const struct verb *find(const char *name)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int cmd_help(int argc, char **argv)
{
    if (argc < 2)
        return ck_cmd_help("cocket");
    const struct verb *v = find(argv[1]);
    if (!v)
        return ck_cmd_usage("cocket", "there is no command \"%s\"", argv[1]);
    return ck_cmd_help(v->page);
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, ck_room_bodies);
    signal(SIGPIPE,
           SIG_IGN); /* writing to a room or reader that has gone is an error, not a death */
    if (argc < 2)
        return ck_cmd_usage("cocket", "a command is missing");
    if (strcmp(argv[1], "-name") == 0) /* containerd runs a link to this program so */
        return ck_cmd_image_verifier(argc, argv);
    const struct verb *v = find(argv[1]);
    if (!v)
        return ck_cmd_usage("cocket", "there is no command \"%s\"", argv[1]);
    return v->run(argc - 1, argv + 1);
}
