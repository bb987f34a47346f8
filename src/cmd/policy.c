/* policy show, validate, test; check and replay are files of their own. */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/policy_verbs.h"
#include "policy/cases.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char page[] = CK_POLICY_PAGE;

struct args {
    const char *policy;
    bool yaml;
};

enum opt { OPT_POLICY = 256, OPT_YAML };
static const struct option options[] = {
    { "policy", required_argument, NULL, OPT_POLICY },
    { "yaml", no_argument, NULL, OPT_YAML },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    if (opt == OPT_POLICY)
        a->policy = optarg;
    if (opt == OPT_YAML)
        a->yaml = true;
    return NULL;
}

/* --- show, validate --------------------------------------------------------------------------- */

static ck_err *show_yaml(const struct ck_policy *p)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_POLICY);
    if (strcmp(ck_policy_file(p), "built-in") == 0)
        return ck_cmd_print(ck_policy_builtin());
    CK_TRY(ck_file_read(ck_policy_file(p), &text));
    return ck_cmd_print(ck_buf_view(&text));
}

static ck_err *show(const struct args *a)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    struct ck_policy *p = NULL;
    int64_t now;
    CK_TRY(ck_cmd_now(&now));
    CK_TRY(ck_policy_load(a->policy, &p));
    ck_policy_describe(p, now, &text);
    ck_err *e = a->yaml ? show_yaml(p) : ck_cmd_print(ck_buf_view(&text));
    ck_policy_free(p);
    return e;
}

static int cmd_show(int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind != argc)
        return ck_cmd_usage(page, "policy show takes no arguments; say --policy FILE");
    ck_err *e = show(&a);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}

static const struct option no_options[] = {
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *validate(const char *path)
{
    ck_autofree char *safe = ck_escape(ck_view_str(path));
    struct ck_policy *p = NULL;
    CK_TRY(ck_policy_load(path, &p));
    printf("%s: valid, %s\n", safe, ck_policy_digest(p));
    ck_policy_free(p);
    return NULL;
}

static int cmd_validate(int argc, char **argv)
{
    int status = ck_cmd_options(argc, argv, page, no_options, take_option, NULL);
    if (status >= 0)
        return status;
    if (optind == argc)
        return ck_cmd_usage(page, "say which file: cocket policy validate FILE");
    for (status = CK_EXIT_OK; optind < argc; optind++) {
        ck_err *e = validate(argv[optind]);
        if (e)
            status = ck_cmd_fail(e);
    }
    return status;
}

/* --- test ------------------------------------------------------------------------------------- */

/* Beside the file of cases, unless its path is absolute. */
static const char *policy_beside(const char *file, ck_view policy, struct ck_arena *a)
{
    const char *slash = strrchr(file, '/');
    if (!policy.n)
        return NULL;
    if (policy.p[0] == '/' || !slash)
        return ck_arena_format(a, "%.*s", CK_VF(policy));
    return ck_arena_format(a, "%.*s/%.*s", (int)(slash - file), file, CK_VF(policy));
}

static void print_case(size_t number, const struct ck_policy_case *c, bool ok, ck_view differs)
{
    ck_autofree char *name = ck_escape(c->name);
    ck_view rest = differs;
    printf("%s %zu - %s\n", ok ? "ok" : "not ok", number, name);
    while (rest.n) {
        ck_view line = ck_view_split(rest, '\n', &rest);
        printf("#   %.*s\n", (int)line.n, (const char *)line.p);
    }
}

static bool run_cases(const struct ck_policy_cases *cases, const struct ck_policy *p)
{
    bool all = true;
    printf("1..%zu\n", cases->n);
    for (size_t i = 0; i < cases->n; i++) {
        ck_autobuf struct ck_buf differs = ck_buf_new(CK_LIMIT_NONE);
        bool ok = ck_policy_case_holds(&cases->v[i], p, &differs);
        print_case(i + 1, &cases->v[i], ok, ck_buf_view(&differs));
        all &= ok;
    }
    return all;
}

static ck_err *test(const struct args *a, const char *file, bool *ret_all)
{
    ck_autoarena struct ck_arena arena = { 0 };
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_POLICY);
    struct ck_policy_cases cases;
    struct ck_policy *p = NULL;
    int64_t now;
    CK_TRY(ck_cmd_now(&now));
    CK_TRY(ck_file_read(file, &text));
    CK_TRY(ck_policy_cases_parse(ck_buf_view(&text), file, now, &arena, &cases));
    CK_TRY(ck_policy_load(a->policy ? a->policy : policy_beside(file, cases.policy, &arena), &p));
    *ret_all = run_cases(&cases, p);
    ck_policy_free(p);
    return NULL;
}

static int cmd_test(int argc, char **argv)
{
    static const struct option with_policy[] = {
        { "policy", required_argument, NULL, OPT_POLICY },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct args a = { 0 };
    bool all = false;
    int status = ck_cmd_options(argc, argv, page, with_policy, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return ck_cmd_usage(page, argc == optind ? "say which file: cocket policy test FILE"
                                                 : "one file at a time");
    ck_err *e = test(&a, argv[optind], &all);
    if (e)
        return ck_cmd_fail(e);
    return all ? CK_EXIT_OK : CK_EXIT_DENIED;
}

/* --- the verbs -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    { "check", ck_cmd_policy_check }, { "test", cmd_test },
    { "show", cmd_show },             { "validate", cmd_validate },
    { "replay", ck_cmd_policy_replay },
};

int ck_cmd_policy(int argc, char **argv)
{
    size_t i;
    int status = ck_cmd_verb(argc, argv, page, verbs, sizeof verbs / sizeof *verbs, sizeof *verbs,
                             &i);
    return status >= 0 ? status : verbs[i].run(argc - 1, argv + 1);
}
