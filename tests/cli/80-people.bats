# Users of the gate, who pulled what, what is recalled, and releases that the policy has a say in.
load lib

EXAMPLE=docker.io/library/one:1

STATE() { echo "$XDG_DATA_HOME/cocket/store/state.db"; }

# sql STATEMENT: as the gate would have written it.
sql() {
    $PY - "$(STATE)" "$1" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute('pragma foreign_keys=on')
db.executescript(sys.argv[2])
db.commit()
PYTHON
}

# An image with openssl before its fix, a database that knows of it, and the scan.
scanned() {
    secdb main.json v3.20 '{"openssl": {"3.3.1-r0": ["CVE-2024-5535"]}}'
    status 0 db build -q -o test.db --feed alpine-secdb=main.json
    alpine lay "$EXAMPLE" 3.20.1 openssl=3.3.0-r0
    status 0 import -q lay
    DIGEST=${output##*@}
    "$COCKET" scan -q --db test.db "store:one:1" >/dev/null || true
}

state() { "$COCKET" ls --format json | jq -r '.[0].state'; }

@test "usage errors" {
    status 2 user
    has "$stderr" 'add, ls, rm'
    status 2 user nonsense
    status 2 user add
    status 2 user add ann
    has "$stderr" '\-\-roles'
    status 2 user add ann bob --roles pull
    status 2 user add ann --roles root
    has "$stderr" '"root" is no role'
    status 2 user add Ann --roles pull --password-stdin <<<sesame
    has "$stderr" 'is no user name'
    status 2 user add ann --roles pull --robot
    has "$stderr" 'robot-'
    status 2 user add robot-x --roles pull --password-stdin <<<sesame
    status 2 user add ann --roles pull --expires soon
    has "$stderr" 'like 90d'
    status 2 user add ann --roles pull --repository 'a*b'
    status 2 user add ann --roles pull --password-stdin </dev/null
    has "$stderr" 'empty'
    status 2 user ls ann
    status 2 user rm
    status 2 user rm ann --roles pull
    has "$stderr" 'does not know'
    status 2 user ls --format xml
    status 2 log --user ann
    has "$stderr" '\-\-pulls'
    status 2 log --pulls -n 3
    status 2 log --pulls --verify
    status 2 log --pulls --limit 0
    status 2 log --pulls --since yesterday
    status 2 log --pulls --digest sha256:12
    status 2 recall
    status 2 recall a b
    status 2 recall CVE-1 --format table
    for verb in 'user rm' 'user passwd --password-stdin' 'user token' 'user disable' 'user enable'; do
        # shellcheck disable=SC2086
        status 3 $verb nobody <<<sesame
        has "$stderr" 'there is no user nobody'
    done
    for verb in user recall; do
        status 0 $verb --help
        has "$output" "cocket $verb"
    done
}

@test "users come, change and go; the log says so" {
    status 0 user ls
    is "$(wc -l <<<"$output")" 1
    status 0 user ls --format json
    is "$output" '[]'
    status 0 user add ann --roles pull,release --password-stdin <<<sesame
    is "$output" ''
    status 2 user add ann --roles pull --password-stdin <<<sesame
    has "$stderr" 'a user ann already'
    status 0 user add robot-ci --robot --roles pull,push --repository 'hosted/ci/*' --expires 90d
    status 0 user ls
    has "$output" '^ann +active +pull,release +never'
    has "$output" '^robot-ci +active +pull,push +20..-.*hosted/ci/\*'
    first=$(sql_one "select password from user where name='ann'")
    has "$first" '^\$argon2id\$v=19\$m=19456,t=2,p=1\$'
    status 0 user passwd ann --password-stdin <<<another
    [ "$first" != "$(sql_one "select password from user where name='ann'")" ]
    status 0 user disable ann
    is "$("$COCKET" user ls --format json | jq -r '.[0].state')" disabled
    status 0 user enable ann
    is "$("$COCKET" user ls --format json | jq -c '.[0]')" \
        '{"name":"ann","robot":false,"state":"active","roles":["pull","release"],"repository":null,"password":true,"expires":null}'
    is "$("$COCKET" user ls --format json | jq -c '.[1] | [.robot, .password, .repository]')" \
        '[true,false,"hosted/ci/*"]'
    status 0 user rm ann
    is "$("$COCKET" user ls --format json | jq length)" 1
    is "$("$COCKET" log --format json | jq -r '[.[] | .event + " " + .name] | join(", ")')" \
        'user ann, user robot-ci, user ann, user ann, user ann, user ann'
    has "$("$COCKET" log --format json | jq -r '.[2].text')" 'another password'
    hasnt "$("$COCKET" log --format json)" 'argon2|sesame'
    status 0 log --verify
    status 0 fsck
}

sql_one() {
    $PY -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' \
        "$(STATE)" "$1"
}

@test "a token is said once and kept as a hash" {
    status 0 user add robot-ci --robot --roles pull,push
    status 0 user token robot-ci --expires 30d --roles pull
    has "$output" '^[A-Za-z0-9_-]{43}$'
    secret=$output
    is "$(sql_one "select lower(hex(hash)) from token")" "$(printf %s "$secret" | sha256sum | cut -c1-64)"
    is "$(sql_one "select roles from token")" 1
    ! grep -rq -- "$secret" "$XDG_DATA_HOME"
    status 0 user token robot-ci
    [ "$output" != "$secret" ]
    is "$(sql_one "select count(*) from token")" 2
    status 2 user token robot-ci --roles admin
    has "$stderr" 'has only pull,push'
    status 0 user token robot-ci --revoke
    is "$(sql_one "select count(*) from token")" 0
    status 0 user token robot-ci
    status 0 user rm robot-ci
    is "$(sql_one "select count(*) from token")" 0
}

@test "a password is asked for twice, and not shown" {
    cat >ask.py <<'PYTHON'
import os, pty, sys
answers, said = sys.argv[1].split(','), b''
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
try:
    while True:
        piece = os.read(fd, 1000)
        if not piece:
            break
        said += piece
        if said.count(b'Password of') > len(sys.argv[1].split(',')) - len(answers) and answers:
            os.write(fd, answers.pop(0).encode() + b'\n')
except OSError:
    pass
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
    run $PY ask.py sesame,sesame "$COCKET" user add ann --roles pull
    is "$status" 0
    has "$output" 'Password of ann: '
    hasnt "$output" sesame
    run $PY ask.py sesame,other "$COCKET" user passwd ann
    is "$status" 2
    has "$output" 'two different passwords'
}

@test "who pulled what" {
    status 0 log --pulls
    is "$(wc -l <<<"$output")" 1
    status 0 log --pulls --format json
    is "$output" '[]'
    d=sha256:$(printf 'a%.0s' {1..64})
    now=$(date +%s)
    sql "insert into pull(time,who,client,agent,name,repository,digest,count,result) values
        ($((now - 90000)),'ann','192.0.2.1','docker','$EXAMPLE','docker.io/library/one','$d',3,0),
        ($((now - 60)),'bob','192.0.2.2','x' || char(27),'docker.io/library/two:1','docker.io/library/two','$d',1,1)"
    COLUMNS=160 status 0 log --pulls
    has "$output" '^20.*Z +bob +192.0.2.2 .* aaaaaaaaaaaa +1 +denied'
    is "$("$COCKET" log --pulls --format json | jq -r '[.[] | .user] | join(" ")')" 'bob ann'
    is "$("$COCKET" log --pulls --limit 1 --format json | jq -r '.[].user')" bob
    is "$("$COCKET" log --pulls --user ann --format json | jq -r '.[].count')" 3
    is "$("$COCKET" log --pulls --name one --format json | jq -r '.[].user')" ann
    is "$("$COCKET" log --pulls --name two:1 --format json | jq -r '.[].result')" denied
    is "$("$COCKET" log --pulls --name two:2 --format json)" '[]'
    is "$("$COCKET" log --pulls --since 1d --format json | jq -r '.[].user')" bob
    is "$("$COCKET" log --pulls --since 2020-01-01 --digest "$d" --format json | jq length)" 2
    is "$("$COCKET" log --pulls --digest "${d/aaa/bbb}" --format json)" '[]'
    is "$("$COCKET" log --format json)" '[]'
}

@test "recall: images that have it, and who runs them" {
    scanned
    status 0 recall CVE-2024-9999
    is "$output" 'CVE-2024-9999 is in no image of the store that was scanned'
    status 0 recall cve-2024-5535
    has "$output" '^CVE-2024-5535 is in 1 image of the store'
    has "$output" "^$DIGEST"
    has "$output" "^  $EXAMPLE"
    has "$output" ' in openssl, (cleared|quarantined|denied)'
    has "$output" 'never pulled through the gate'
    sql "insert into pull(time,who,client,agent,name,repository,digest,count,result) values
        (86400,'ann','192.0.2.1','docker','$EXAMPLE','docker.io/library/one','$DIGEST',3,0)"
    status 0 recall CVE-2024-5535
    has "$output" 'pulled by ann from 192.0.2.1, 3 times, last 1970-01-02T00:00:00Z'
    is "$("$COCKET" recall CVE-2024-5535 --format json | jq -c '.images[0] | [.digest, .package, .pulls[0].count]')" \
        "[\"$DIGEST\",\"openssl\",3]"
    # it is known as long as the image is there; that it was pulled, longer
    status 0 rm one:1
    status 0 gc
    is "$("$COCKET" recall CVE-2024-5535 --format json | jq -c '.images')" '[]'
    is "$("$COCKET" log --pulls --format json | jq length)" 1
}

policy() { # policy DECISION PERSONS|nobody
    local release="{ persons: $2, reason: true }"
    [ "$2" = nobody ] && release=nobody
    printf '%s\n' 'version: 1' 'default: allow' 'rules:' '  - name: two-eyes' '    require:' \
        '      known-exploited: none' '      severity: { fixable: negligible }' \
        "    otherwise: $1" "    release: $release" >policy.yaml
}

@test "release: the policy has a say" {
    scanned
    policy deny 1
    status 1 release one:1 --reason why --policy policy.yaml
    has "$stderr" 'the policy denies it'
    has "$stderr" 'two-eyes'
    [ "$(state)" != cleared ]
    policy quarantine nobody
    status 1 release one:1 --reason why --policy policy.yaml
    has "$stderr" 'lets nobody release it'
    status 3 release one:1 --reason why --policy nothing.yaml
    status 2 deny one:1 --reason why --policy policy.yaml
    policy quarantine 1
    status 0 release one:1 --reason why --policy policy.yaml
    is "$output" "$DIGEST cleared"
}

@test "release: several persons, each counted once" {
    scanned
    policy quarantine 2
    export COCKET_POLICY=$PWD/policy.yaml
    was=$(state)
    status 0 release one:1 --reason 'read it'
    is "$output" "$DIGEST approved by 1 of 2: 1 more must release it"
    status 0 release one:1 --reason 'read it again'
    is "$output" "$DIGEST approved by 1 of 2: 1 more must release it"
    is "$(state)" "$was"
    sql "insert into approval values('$DIGEST','somebody-else','me too',1)"
    status 0 release one:1 --reason 'both of us'
    is "$output" "$DIGEST cleared"
    is "$(state)" cleared
    has "$("$COCKET" log --format json | jq -r '[.[] | .event] | join(" ")')" 'approve decide$'
    status 0 deny one:1 --reason no
    is "$(sql_one 'select count(*) from approval')" 0
}
