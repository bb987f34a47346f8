/* The verbs of the command line. Each takes its own arguments (argv[0] is the verb) and returns the
 * exit status (DESIGN, section 5). They alone print.
 */
#ifndef CK_CMD_CMD_H
#define CK_CMD_CMD_H

#include "base/err.h"

enum {
    CK_EXIT_OK = 0,
    CK_EXIT_DENIED = 1,
    CK_EXIT_USAGE = 2,
};

int ck_cmd_scan(int argc, char **argv);
int ck_cmd_db(int argc, char **argv);
int ck_cmd_fetch(int argc, char **argv);
int ck_cmd_load(int argc, char **argv);
int ck_cmd_unpack(int argc, char **argv);
int ck_cmd_ls(int argc, char **argv);
int ck_cmd_rm(int argc, char **argv);
int ck_cmd_gc(int argc, char **argv);
int ck_cmd_fsck(int argc, char **argv);
int ck_cmd_log(int argc, char **argv);
int ck_cmd_release(int argc, char **argv);
int ck_cmd_deny(int argc, char **argv);
int ck_cmd_watch(int argc, char **argv);
int ck_cmd_user(int argc, char **argv);
int ck_cmd_notify(int argc, char **argv);
int ck_cmd_recall(int argc, char **argv);
int ck_cmd_export(int argc, char **argv);
int ck_cmd_import(int argc, char **argv);
int ck_cmd_lock(int argc, char **argv);
int ck_cmd_verify(int argc, char **argv);
int ck_cmd_policy(int argc, char **argv);
int ck_cmd_survey(int argc, char **argv);
int ck_cmd_serve(int argc, char **argv);
int ck_cmd_lockdown(int argc, char **argv);
int ck_cmd_image_verifier(int argc, char **argv);

/* "cocket: ..." on standard error; frees `e`, returns its exit status. */
int ck_cmd_fail(ck_err *e);
/* A usage error of `page`, with where to look. */
int ck_cmd_usage(const char *page, const char *fmt, ...) CK_PRINTF(2, 3);
/* Takes the options of a verb: `take` gets each one's value of getopt_long, with its argument in
 * optarg. A value that is a letter is a short option too.
 * --help and mistakes are dealt with here. The exit status, or -1: go on with argv[optind]. */
struct option;
int ck_cmd_options(int argc, char **argv, const char *page, const struct option *options,
                   ck_err *(*take)(void *ctx, int opt), void *ctx);
/* Which of a table of `n` verbs of a verb argv[1] is: entries of `size` bytes that begin with their
 * name, a const char *. --help and mistakes are dealt with here. The exit status, or -1: go on. */
int ck_cmd_verb(int argc, char **argv, const char *page, const void *verbs, size_t n, size_t size,
                size_t *ret);
/* The value of --format: `plain`, or json. Class USAGE. */
CK_MUST ck_err *ck_cmd_format(const char *value, const char *plain, bool *ret_json);
/* Columns of standard output: COLUMNS, else the terminal's, else 80; at least 40. */
unsigned ck_cmd_columns(void);
/* All of it to standard output. Class OURS. */
CK_MUST ck_err *ck_cmd_print(ck_view text);
/* Seconds since the epoch: SOURCE_DATE_EPOCH, where it is set, makes what is built reproducible.
 * Class USAGE. */
CK_MUST ck_err *ck_cmd_now(int64_t *ret);
/* Prints the page's help. */
int ck_cmd_help(const char *page);

/* One line on standard error that is rewritten while work goes on longer than a second; only where
 * that is a terminal. */
struct ck_progress_line {
    bool enabled;
    const char *verb; /* "scanning" */
    int64_t started, shown; /* ms */
    bool dirty;
};
struct ck_progress_line ck_progress_line_new(const char *verb, bool quiet);
/* Shows `text`, if it is time to. */
void ck_progress_line_show(struct ck_progress_line *p, const char *text);
/* For struct ck_progress. */
void ck_progress_line_report(void *ctx, uint64_t done, uint64_t total);
void ck_progress_line_end(struct ck_progress_line *p);

#endif
