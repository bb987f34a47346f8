/* Who asks, and what people decide. */
#include "gateway/api.h"

#include "base/text.h"
#include "gateway/credentials.h"
#include "image/name.h"
#include "verdict/release.h"

static const char *const roles[] = { "pull", "push", "release", "admin" };

static ck_err *me(struct ck_api *r)
{
    ck_out_open(&r->out, NULL, '{');
    ck_out_text(&r->out, "user", r->c->user);
    ck_out_open(&r->out, "roles", '[');
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (r->c->roles & 1u << i)
            ck_out_word(&r->out, NULL, roles[i]);
    ck_out_close(&r->out, ']');
    ck_out_bool(&r->out, "anonymous", ck_api_is_anonymous(r));
    ck_out_text_or_null(&r->out, "repository", r->bound);
    ck_out_close(&r->out, '}');
    return NULL;
}

static ck_err *get_me(struct ck_api *r)
{
    if (ck_api_is_anonymous(r) && !r->c->roles)
        return ck_api_error(401, "log in first");
    return me(r);
}

/* The session is the one that the room has made with the password. */
static ck_err *login(struct ck_api *r)
{
    char *token = ck_arena_alloc(r->a, CK_SECRET_TEXT, 1);
    CK_TRY(ck_login_begin(r->c, token));
    r->cookie = ck_view_str(token);
    return me(r);
}

static ck_err *logout(struct ck_api *r)
{
    const struct ck_api_value *token = ck_api_get(r, "token");
    if (token->has)
        ck_login_end(r->g, token->text);
    r->status = 204;
    return NULL;
}

/* --- release and deny ------------------------------------------------------------------------- */

static ck_err *take_reason(struct ck_api *r, ck_view *ret)
{
    *ret = ck_api_get(r, "reason")->text;
    return ck_view_trim(*ret).n ? NULL : ck_err_new(CK_ERR_USAGE, "reason: say why");
}

static void put_decided(struct ck_api *r, const struct ck_released *d)
{
    ck_out_open(&r->out, NULL, '{');
    ck_out_word(&r->out, "state", ck_state_name(d->state));
    ck_out_u64(&r->out, "persons", d->persons);
    ck_out_u64(&r->out, "released_by", d->released_by);
    ck_out_close(&r->out, '}');
}

/* Rules go by names: the one that was typed where the image has it (or an index that leads to it),
 * else its first. *ret_index: that index. */
static ck_err *take_name(struct ck_api *r, const struct ck_store_row *row, ck_view *ret_name,
                         struct ck_store_entry *ret_index, bool *ret_has_index)
{
    ck_view typed = ck_api_get(r, "name")->text;
    struct ck_store_name n;
    bool found = false;
    *ret_name = typed.n ? typed : row->name;
    *ret_has_index = false;
    if (!ret_name->n)
        return NULL;
    CK_TRY(ck_store_name_of(r->store, *ret_name, &n, &found));
    if (found)
        CK_TRY(ck_store_get(r->store, &n.digest, r->a, ret_index, &found));
    if (!found && !typed.n)
        return NULL;
    bool leads = found && ck_digest_eq(&n.digest, &r->digest);
    for (size_t i = 0; found && i < ret_index->image.n_parts && !leads; i++)
        *ret_has_index = leads = ck_digest_eq(&ret_index->image.parts[i].digest, &r->digest);
    return leads || !typed.n ? NULL : ck_api_error(400, "name: it does not lead to this image");
}

static struct ck_deciding deciding(const struct ck_api *r, const struct ck_digest *d,
                                   ck_view reason)
{
    return (struct ck_deciding){ ck_arena_format(r->a, "%.*s", CK_VF(r->c->user)), *d, reason };
}

static ck_err *release_one(struct ck_api *r, const struct ck_digest *d, ck_view name,
                           ck_view reason, struct ck_released *ret)
{
    const struct ck_deciding x = deciding(r, d, reason);
    struct ck_verdict v;
    CK_TRY(ck_api_verdict(r, name, d, &v));
    if (!ck_may_release(&v))
        return ck_api_error(409, "%s: %s", ck_release_refusal(&v),
                            ck_verdict_line(&v, 600, r->a));
    return ck_release(r->store, &x, &v, ret);
}

/* An index that its name alone holds back waits for its images. */
static ck_err *release(struct ck_api *r)
{
    struct ck_store_row row;
    struct ck_store_entry index;
    struct ck_released done, of_index;
    struct ck_verdict v;
    ck_view reason, name;
    bool has_index = false;
    CK_TRY(take_reason(r, &reason));
    CK_TRY(ck_api_image(r, &row));
    CK_TRY(take_name(r, &row, &name, &index, &has_index));
    CK_TRY(release_one(r, &r->digest, name, reason, &done));
    if (has_index && done.state == CK_CLEARED) {
        CK_TRY(ck_api_verdict(r, name, &index.image.digest, &v));
        if (v.decision != CK_ALLOW && ck_may_release(&v))
            CK_TRY(release_one(r, &index.image.digest, name, reason, &of_index));
    }
    ck_gateway_forget(r->g);
    put_decided(r, &done);
    return NULL;
}

static ck_err *deny(struct ck_api *r)
{
    struct ck_store_row row;
    struct ck_released done = { 0 };
    ck_view reason;
    CK_TRY(take_reason(r, &reason));
    CK_TRY(ck_api_image(r, &row));
    const struct ck_deciding x = deciding(r, &r->digest, reason);
    CK_TRY(ck_deny(r->store, &x, &done));
    ck_gateway_forget(r->g);
    put_decided(r, &done);
    return NULL;
}

#define REASON { "reason", CK_API_TEXT, 1, 1000, NULL, true }

const struct ck_api_route ck_api_people_routes[] = {
    { "GET", "me", 0, CK_API_AT_ONCE, get_me, { { 0 } } },
    { "POST", "login", 0, CK_API_AT_ONCE, login, { { 0 } } },
    { "POST", "logout", 0, CK_API_AT_ONCE, logout,
      { { "token", CK_API_TEXT, 1, 128, NULL, false } } },
    { "POST", "images/{digest}/release", CK_ROLE_RELEASE, CK_API_SLOW, release,
      { REASON, { "name", CK_API_TEXT, 1, 512, NULL, false } } },
    { "POST", "images/{digest}/deny", CK_ROLE_RELEASE, CK_API_SLOW, deny, { REASON } },
    { .method = NULL },
};
