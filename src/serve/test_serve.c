/* The registry's routes that read, health, metrics and explanations. */
#include "serve/unit_serve.h"

static struct hub *hub;

static void versions_and_health(void **state)
{
    (void)state;
    assert_get(hub->port, "GET /v2/ HTTP/1.1", 200,
               "Docker-Distribution-API-Version: registry/2.0");
    assert_get(hub->port, "GET /healthz HTTP/1.1", 200, "ok\n");
    assert_get(hub->port, "GET /readyz HTTP/1.1", 503, "no database\n");
    assert_get(hub->port, "GET /nothing HTTP/1.1", 404, "NAME_UNKNOWN");
    assert_get(hub->port, "POST /healthz HTTP/1.1", 405, "Allow: GET, HEAD");
    assert_get(hub->port, "OPTIONS /healthz HTTP/1.1", 405, "UNSUPPORTED");
}

static void a_manifest_comes_as_it_is(void **state)
{
    (void)state;
    ck_autofree char *a = ask_http(hub->port, "GET /v2/library/debian/manifests/12?ns=docker.io "
                                   "HTTP/1.1\nUser-Agent: me/1");
    assert_int_equal(status_of_answer(a), 200);
    assert_has(a, "Content-Type: application/vnd.oci.image.manifest.v1+json");
    assert_has(a, "Docker-Content-Digest: sha256:");
    assert_has(a, hub->manifest_text);
    assert_has(a, "OCI-Namespace: docker.io");
    assert_has(a, "Content-Length: 2000");
    assert_int_equal(strlen(body_of(a)), 2000);
    assert_true(hub_said(hub, "ns=docker.io host=gate.example repo=library/debian ref=12 "
                              "client=127.0.0.1 agent=me/1"));
}

int main(int argc, char **argv)
{
    ck_room_main(argc, argv, serve_bodies);
    const struct ck_serve_config c = hub_config();
    hub = hub_open(&c);
    if (argc > 1) { /* for measuring: serves until its input ends */
        printf("%u %s\n", hub->port, hub->blob_text);
        fflush(stdout);
        char b;
        while (read(0, &b, 1) > 0)
            ;
        hub_close(hub);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_and_health),
        cmocka_unit_test(a_manifest_comes_as_it_is),
    };
    int rc = cmocka_run_group_tests_name("serve", tests, NULL, NULL);
    hub_close(hub);
    return rc;
}
