# Surveys: what is drawn, what the shares are, and that they go on.
load lib

@test "mistakes are usage errors" {
    status 2 survey
    has "$stderr" 'a registry is missing'
    status 2 survey r.example r2.example
    status 2 survey r.example/x
    status 2 survey --sample none r.example
    status 2 survey --sample 0 r.example
    status 2 survey --seed x r.example
    status 2 survey --format xml r.example
    status 2 survey --resume --new r.example
    status 0 survey --help
    has "$output" 'share of one of the tags|a share is one of the tags'
}

@test "no database: no survey" {
    status 5 survey 127.0.0.1:1
    has "$stderr" 'no advisory database'
}

@test "a registry that is not there, and an empty list" {
    alpine image latest 3.18.0 demo=1.0-r0
    secdb main.json v3.18 '{"demo": {"2.0-r0": ["CVE-2099-0002"]}}'
    status 0 db build -o my.db --feed alpine-secdb=main.json
    status 3 survey --db my.db 127.0.0.1:1
    status 2 survey --db my.db --resume 127.0.0.1:1
    has "$stderr" 'waiting to go on'
    : >empty
    status 2 survey --db my.db --list empty 127.0.0.1:1
    has "$stderr" 'list is empty'
}

@test "60 images: the shares are those of counting, over kills too, and the result fits its schema" {
    command -v docker-registry >/dev/null || skip "docker-registry not present"
    SURVEY_JSON=$PWD/result.json run "$ROOT/bench/survey" --program "$COCKET" --images 60 --kill
    echo "$output"
    [ "$status" = 0 ]
    hasnt "$output" 'NOT OK'
    SCHEMA=$ROOT/doc/survey.schema.json valid result.json
}
