#include "base/mem.h"
#include "base/unit.h"
#include "detect/env_secret.h"

/* "NAME=VALUE" */
static const char *judge(const char *line)
{
    ck_view value, name = ck_view_split(ck_view_str(line), '=', &value);
    return ck_env_secret(name, value);
}

#define A36 "abcdefghijklmnopqrstuvwxyz0123456789"

static void tokens_are_known_by_their_form(void **state)
{
    (void)state;
    static const struct {
        const char *line, *what;
    } cases[] = {
        { "X=AKIAQWERTYUIOPASDF23", "AWS" },
        { "CONF=key=AKIAQWERTYUIOPASDF23;region=eu", "AWS" },
        { "X=ghp_" A36, "GitHub" },
        { "X=\"ghs_" A36 "\"", "GitHub" },
        { "X=github_pat_11ABCDEFG0abcdefghijkl_" A36 "0123456789", "GitHub" },
        { "X=glpat-abcdefghij0123456789", "GitLab" },
        { "X=xoxb-123456789012-abcdefghijkl", "Slack" },
        { "X=AIzaabcdefghijklmnopqrstuvwxyz012345678", "Google" },
        { "X=sk_live_abcdefghijklmnopqrstuvwx", "Stripe" },
        { "X=npm_" A36, "npm" },
        { "X=-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private key" },
        { "X=-----BEGIN PGP PRIVATE KEY BLOCK-----", "private key" },
        { "X=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop", "JWT" },
        { "X=Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop", "JWT" },
        { "DATABASE_URL=postgres://app:s3cr3t@db:5432/app", "URL with a password" },
        { "PIP_INDEX_URL=https://user:p@ss@repo.example/simple", "URL with a password" },
        { "X=http://plain/ https://a:b2@c/", "URL with a password" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *what = judge(cases[i].line);
        if (!what || !strstr(what, cases[i].what))
            print_error("%s: %s\n", cases[i].line, what ? what : "nothing");
        assert_non_null(what);
        assert_non_null(strstr(what, cases[i].what));
    }
}

static void names_tell_where_the_value_is_one(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "MYSQL_ROOT_PASSWORD=hunter2", "PGPASSWORD=x", "RABBITMQ_DEFAULT_PASS=guest",
        "DJANGO_SECRET_KEY=k3y", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
        "api_key=0123", "NPM_TOKEN=00000000-0000", "client.secret=a", "SECRET_KEY_BASE=9f",
        "SECRET=/a+b=", "ADMIN_PASSWORD=postgres", "SSH_PASSPHRASE=open sesame",
    };
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
        if (!judge(secret[i]))
            print_error("%s: nothing\n", secret[i]);
        assert_non_null(judge(secret[i]));
        assert_null(strstr(judge(secret[i]), "hunter2"));
    }
}

static void what_stands_for_another_is_no_secret(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "DB_PASSWORD=", "DB_PASSWORD= ", "DB_PASSWORD=${DB_PASSWORD}", "DB_PASSWORD=$PW",
        "DB_PASSWORD=changeme", "DB_PASSWORD=<password>", "DB_PASSWORD=********",
        "DB_PASSWORD=xxxxxxxx", "API_KEY=your-api-key", "API_KEY={{ key }}",
        "TLS_PRIVATE_KEY=/etc/ssl/key.pem", "DB_PASSWORD=/run/secrets/db",
        "MYSQL_ALLOW_EMPTY_PASSWORD=yes", "MYSQL_RANDOM_ROOT_PASSWORD=true",
        "OAUTH_TOKEN=https://login.example/token", "PROXY=http://user:$PASS@proxy:3128",
        "X=http://user@host/", "X=http://user:@host/", "X=https://host/a:b@c", "X=a:b@c",
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "X=AKIAQWERTYUIOPASDF234",
        "X=NAKIAQWERTYUIOPASDF23", "X=my_ghp_" A36, "X=-----BEGIN PUBLIC KEY-----",
        "X=eyJhbGciOiJIUzI1NiJ9", "X=eyJhbGciOi.eyJzdWIiOi", "",
        "COMPASS=north", "TOKENIZER=fast", "SECRETARY=x", "BYPASS=x",
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (judge(plain[i]))
            print_error("%s: %s\n", plain[i], judge(plain[i]));
        assert_null(judge(plain[i]));
    }
}

/* As published images have them. */
static void usual_environments_hold_none(void **state)
{
    (void)state;
    static const char *const usual[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
        "LC_ALL=en_US.UTF-8", "HOME=/root", "PWD=/", "OLDPWD=/tmp", "TERM=xterm",
        "DEBIAN_FRONTEND=noninteractive", "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
        "GPG_KEYS=0A9AF2115F4687BD29803A206B73A36E6026DFCA 12D16A", "PYTHON_VERSION=3.12.4",
        "PYTHON_SHA256=f6d419a6d8743ab26700801b4908d26d97e8b986e14f95de31b32de2b0e79554",
        "PYTHON_GET_PIP_URL=https://github.com/pypa/get-pip/raw/66d8a0f637083e2c3dd/public/get-pip",
        "PYTHON_GET_PIP_SHA256=dfe9fd5c28dc98b5ac17979a953ea550cec37ae1b47a5116007395bfacff2ab9",
        "NODE_VERSION=20.15.0", "YARN_VERSION=1.22.19", "NPM_CONFIG_LOGLEVEL=info",
        "JAVA_HOME=/opt/java/openjdk", "JAVA_VERSION=jdk-17.0.11+9", "GOLANG_VERSION=1.22.4",
        "GOTOOLCHAIN=local", "GOPATH=/go", "RUST_VERSION=1.79.0", "CARGO_HOME=/usr/local/cargo",
        "PHPIZE_DEPS=autoconf \t\tdpkg-dev \t\tfile", "PHP_ASC_URL=https://www.php.net/x.asc",
        "PHP_CFLAGS=-fstack-protector-strong -fpic -fpie -O2 -D_LARGEFILE_SOURCE",
        "HTTPD_PATCHES=", "REDIS_DOWNLOAD_SHA=5c76d990a1b1c5f949bcd1eed90d0c8a4f70369bdbdcb40",
        "RABBITMQ_PGP_KEY_ID=0x0A9AF2115F4687BD29803A206B73A36E6026DFCA",
        "OPENSSL_PGP_KEY_IDS=0x8657ABB260F056B1E5190839D9C4D26D0E604491",
        "MINIO_ACCESS_KEY_FILE=access_key", "MINIO_SECRET_KEY_FILE=secret_key",
        "MINIO_ROOT_PASSWORD_FILE=secret_key", "PGDATA=/var/lib/postgresql/data",
        "DOCKER_TLS_CERTDIR=/certs", "ASPNETCORE_URLS=http://+:80", "NJS_VERSION=0.8.4",
        "JENKINS_UC=https://updates.jenkins.io", "TOMCAT_NATIVE_LIBDIR=/usr/local/tomcat/lib",
        "TOMCAT_SHA512=f93f2f5a8f7a5a5e6e5c0f0d", "BUNDLE_SILENCE_ROOT_WARNING=1",
        "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "NV_LIBCUBLAS_VERSION=12.5.2.13-1",
        "NVIDIA_REQUIRE_CUDA=cuda>=12.5 brand=tesla,driver>=470", "POSTGRES_HOST_AUTH_METHOD=trust",
        "KUBERNETES_SERVICE_HOST=10.0.0.1", "KEYCLOAK_VERSION=24.0", "TOKENIZERS_PARALLELISM=false",
        "RUBY_DOWNLOAD_SHA256=2de0d7c3a3b8c1c2", "GEM_HOME=/usr/local/bundle",
        "S6_KEEP_ENV=1", "no_proxy=localhost,127.0.0.1", "HTTP_PROXY=http://proxy.example:3128",
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (judge(usual[i]))
            print_error("%s: %s\n", usual[i], judge(usual[i]));
        assert_null(judge(usual[i]));
    }
}

static void attack_value_that_would_take_long(void **state)
{
    (void)state;
    enum { LENGTH = 128 * 1024 };
    static const char *const pieces[] = { "://a:", "eyJ.", "-----BEGIN ", "ghp_", "x-eyJ", "SG.",
                                          "hvs. hvs." };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        while (b.n < LENGTH)
            ck_put_bytes(&b, ck_view_str(pieces[i]));
        ck_env_secret(CK_V("X"), ck_buf_view(&b)); /* the time limit of the tests is the check */
        ck_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_known_by_their_form),
        cmocka_unit_test(names_tell_where_the_value_is_one),
        cmocka_unit_test(what_stands_for_another_is_no_secret),
        cmocka_unit_test(usual_environments_hold_none),
        cmocka_unit_test(attack_value_that_would_take_long),
    };
    return cmocka_run_group_tests_name("env_secret", tests, NULL, NULL);
}
