# The store: what is in it, who decides, what is carried in and out.
load lib

EXAMPLE=docker.io/library/one:1

# layout DIR TAG FILE=TEXT...: an OCI layout of one layer.
layout() {
    local out=$1 tag=$2 f
    shift 2
    rm -rf tree
    mkdir tree
    for f in "$@"; do
        mkdir -p "tree/$(dirname "${f%%=*}")"
        printf '%s\n' "${f#*=}" >"tree/${f%%=*}"
    done
    $PY "$IMAGES" tree "$out" "$tag" tree
}

imported() { # a store with one image
    layout lay "$EXAMPLE" etc/a=one
    status 0 import -q lay
    DIGEST=${output##*@}
}

state() { "$COCKET" ls --format json | jq -r ".[] | select(.names | index(\"$1\")) | .state + \": \" + .reason"; }
hex_path() { echo "$1/blobs/sha256/${2#sha256:}"; }

# edit LAYOUT PYTHON: changes index.json, as `index`.
edit() {
    $PY - "$@" <<'PYTHON'
import json, sys
path = sys.argv[1] + '/index.json'
index = json.load(open(path))
exec(sys.argv[2])
json.dump(index, open(path, 'w'))
PYTHON
}

# A layout with a referrer of its image: LAYOUT SUBJECT-IN-MANIFEST(0|1) [REF-NAME]
add_referrer() {
    $PY - "$@" <<'PYTHON'
import hashlib, json, sys
layout, with_subject, name = sys.argv[1], sys.argv[2] == '1', (sys.argv[3:] or [None])[0]
index = json.load(open(layout + '/index.json'))
subject = {k: index['manifests'][0][k] for k in ('mediaType', 'digest', 'size')}
def put(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f'{layout}/blobs/sha256/{digest}', 'wb').write(data)
    return {'digest': 'sha256:' + digest, 'size': len(data)}
manifest = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
            'artifactType': 'application/spdx+json',
            'config': {'mediaType': 'application/vnd.oci.empty.v1+json', **put(b'{}')},
            'layers': [{'mediaType': 'application/spdx+json', **put(b'{"spdxVersion":"SPDX-2.3"}')}]}
if with_subject:
    manifest['subject'] = subject
d = {'mediaType': manifest['mediaType'], **put(json.dumps(manifest).encode())}
if name:
    d['annotations'] = {'org.opencontainers.image.ref.name': name.replace('SUBJECT', subject['digest'].replace(':', '-'))}
index['manifests'].append(d)
json.dump(index, open(layout + '/index.json', 'w'))
print(d['digest'])
PYTHON
}

@test "an empty store" {
    status 0 ls
    is "$(wc -l <<<"$output")" 1
    status 0 ls --format json
    is "$output" '[]'
    status 0 log --format json
    is "$output" '[]'
    status 0 log --verify
    has "$output" '^0 records'
    status 0 fsck
    status 0 gc
    is "$(stat -c %a "$XDG_DATA_HOME/cocket/store")" 700
}

@test "usage errors" {
    status 2 ls something
    status 2 ls --format xml
    has "$stderr" xml
    status 2 ls -x
    status 2 rm
    status 2 gc something
    status 2 fsck something
    status 2 log -n 0
    status 2 log -n many
    status 2 log --lines
    status 2 release one:1
    has "$stderr" 'reason'
    status 2 deny one:1 --reason ' '
    status 2 release --reason x
    status 2 release --reason x a b
    status 2 export -o out
    status 2 export one:1
    has "$stderr" '\-o'
    status 2 import
    status 2 import a b
    status 2 scan -a rootfs:/
    for verb in ls rm gc fsck log release deny export import; do
        status 0 $verb --help
        has "$output" "cocket $verb"
    done
}

@test "what is not there" {
    for verb in 'rm one:1' 'release --reason x one:1' 'deny --reason x 0123456789' 'export one:1 -o out'; do
        # shellcheck disable=SC2086
        status 3 $verb
        has "$stderr" 'the store has no image'
    done
    [ ! -e out ]
    status 3 import nothing.tar
    status 3 import "$PWD" # no layout
    has "$stderr" 'oci-layout'
}

@test "import, ls, rm, gc" {
    imported
    is "$output" "$EXAMPLE@$DIGEST"
    status 0 ls
    has "$output" "^one:1 +${DIGEST:7:12} +linux/amd64 .* quarantined +imported, not examined"
    status 0 ls --digests
    has "$output" "$DIGEST"
    status 0 ls -q
    is "$output" "$EXAMPLE"
    is "$("$COCKET" ls --format json | jq -c '.[0] | [.names, .complete, .state, .index, .who]')" \
        "[[\"$EXAMPLE\"],true,\"quarantined\",false,null]"
    status 0 fsck
    status 0 gc
    has "$output" '^deleted 0 images and 0 blobs'
    status 0 rm one:1
    status 0 ls -q
    is "$output" ''
    status 0 ls # nameless until gc
    has "$output" "^- +${DIGEST:7:12}"
    status 3 rm "$DIGEST"
    has "$stderr" 'has no name'
    status 0 gc --dry-run
    has "$output" '^would delete 1 image and 3 blobs'
    status 0 gc
    has "$output" '^deleted 1 image and 3 blobs'
    is "$(find "$XDG_DATA_HOME/cocket/store/blobs" -type f | wc -l)" 0
    status 0 fsck
}

@test "one name of two is taken away, and all by the digest" {
    imported
    edit lay "index['manifests'][0]['annotations'] = {'org.opencontainers.image.ref.name': 'ghcr.io/x/y:2'}"
    status 0 import -q lay
    status 0 rm docker://one:1
    is "$("$COCKET" ls -q)" ghcr.io/x/y:2
    status 0 import -q lay
    status 0 rm "${DIGEST:7:8}"
    is "$("$COCKET" ls -q)" ''
}

@test "names: a tag only, none, short, of containerd" {
    layout 'My Lay.out' v1 a=1
    status 0 import -q 'My Lay.out'
    has "$output" '^localhost/my-lay:v1@sha256:'
    edit 'My Lay.out' "del index['manifests'][0]['annotations']"
    status 0 import -q 'My Lay.out'
    has "$output" '^localhost/my-lay@sha256:[0-9a-f]{64}$'
    edit 'My Lay.out' "index['manifests'][0]['annotations'] = {'org.opencontainers.image.ref.name': 'alpine:3'}"
    status 0 import -q 'My Lay.out'
    has "$output" '^docker.io/library/alpine:3@'
    edit 'My Lay.out' "index['manifests'][0]['annotations']['io.containerd.image.name'] = 'quay.io/a/b:1'"
    status 0 import -q 'My Lay.out'
    has "$output" '^quay.io/a/b:1@'
    is "$("$COCKET" ls -q | wc -l)" 4
}

@test "a name that moves is said and logged" {
    imported
    layout other "$EXAMPLE" etc/a=two
    status 0 import other
    has "$stderr" "$EXAMPLE has moved: it was $DIGEST"
    is "$("$COCKET" log --format json | jq -r '.[] | select(.event == "moved") | .name + " " + .text')" \
        "$EXAMPLE it was $DIGEST"
}

@test "an index shows its images; a person decides about all of them" {
    mkdir -p a b
    echo 1 >a/f
    echo 2 >b/f
    $PY "$IMAGES" multi lay example.org/m:1 linux/amd64=a linux/arm64=b
    status 0 import -q lay
    status 0 ls
    is "$(grep -c '^example.org/m:1 .*quarantined' <<<"$output")" 2
    has "$output" 'linux/arm64'
    status 0 deny example.org/m:1 --reason 'it is bad'
    is "$(grep -c ' denied$' <<<"$output")" 3
    status 0 ls
    has "$output" 'm:1 .* index .* denied +it is bad'
    status 0 ls -a --format json
    is "$(jq '[.[] | select(.state == "denied")] | length' <<<"$output")" 3
}

@test "release and deny: a scan does not undo a person" {
    imported
    status 0 release one:1 --reason 'read by hand'
    is "$output" "$DIGEST cleared"
    is "$(state "$EXAMPLE")" 'cleared: read by hand'
    is "$("$COCKET" ls --format json | jq -r '.[0].by')" person
    "$COCKET" scan -q store:one:1 >/dev/null # has gaps: would be quarantine
    is "$(state "$EXAMPLE")" 'cleared: read by hand'
    status 0 deny "${DIGEST:0:14}" --reason $'ticket \e[31m7'
    is "$(state "$EXAMPLE")" $'denied: ticket \e[31m7'
    status 0 ls
    hasnt "$output" $'\e'
    has "$output" 'ticket \\x1b'
    "$COCKET" scan -q store:one:1 >/dev/null
    has "$(state "$EXAMPLE")" '^denied'
    # not even when it is removed and comes back
    status 0 rm one:1
    status 0 gc
    status 0 import -q lay
    has "$(state "$EXAMPLE")" '^denied'
    is "$("$COCKET" log --format json | jq -r '[.[] | .event] | join(" ")')" \
        'import decide decide decide decide remove collect import'
    status 0 log
    hasnt "$output" $'\e'
}

@test "log: last records, the chain, and a chain that was tampered with" {
    imported
    for i in 1 2 3; do status 0 release one:1 --reason "reason $i"; done
    status 0 log -n 2
    is "$(grep -c 'reason' <<<"$output")" 2
    has "$output" 'reason 3'
    status 0 log -n 100 --format json
    is "$(jq length <<<"$output")" 4
    is "$(jq -r '.[3].number' <<<"$output")" 4
    head=$(jq -r '.[3].hash' <<<"$output")
    status 0 log --verify
    has "$output" "^4 records.*$head"
    status 0 log --verify --format json
    is "$(jq -r .head <<<"$output")" "$head"
    $PY - "$XDG_DATA_HOME/cocket/store/state.db" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
try:
    db.execute("update log set text = 'x' where number = 2")
    sys.exit('the log could be changed')
except sqlite3.IntegrityError:
    pass
db.execute('drop trigger log_is_not_changed')
db.execute("update log set text = replace(text, 'reason 2', 'reason 9') where number = 3")
db.commit()
PYTHON
    status 4 log --verify
    has "$stderr" 'record 3'
    status 4 fsck
    has "$output" 'problem: log record 3'
}

@test "fsck finds damage, and what is damaged comes again" {
    imported
    store=$XDG_DATA_HOME/cocket/store
    layer=$(jq -r '.layers[0].digest' "$(hex_path "$store" "$DIGEST")")
    file=$(hex_path "$store" "$layer")
    chmod 600 "$file"
    printf X | dd of="$file" bs=1 seek=20 conv=notrunc status=none
    status 0 fsck --quick
    status 4 fsck -q
    is "$output" "problem: blob $layer: its bytes have another digest"
    truncate -s 10 "$file"
    status 4 fsck --quick
    status 0 import -q lay
    status 0 fsck
    rm -f "$file"
    status 4 fsck --quick
    status 0 import -q lay
    status 0 fsck
    mkdir -p "$store/partial" "$store/blobs/sha256"
    echo junk >"$store/partial/junk"
    echo junk >"$store/blobs/sha256/$(printf '0%.0s' $(seq 64))"
    status 0 fsck
    has "$output" '0 problems; 2 leftovers'
    status 0 gc
    has "$output" '1 blob,'
}

@test "export and import: directory, archive, compressed archive" {
    imported
    add_referrer lay 1 >/dev/null
    add_referrer lay 0 SUBJECT.sbom >/dev/null
    status 0 import -q lay
    "$COCKET" scan -q store:one:1 --format json >report.json
    status 0 export one:1 -o out -q
    has "$stderr" 'one:1 is quarantined'
    status 0 export one:1 -o out.tar
    has "$stderr" '1 image, 2 referrers, 1 report'
    gzip -k out.tar
    is "$(skopeo inspect --format '{{.Digest}}' "oci:out:$EXAMPLE")" "$DIGEST"
    is "$(skopeo inspect --format '{{.Digest}}' "oci-archive:out.tar:$EXAMPLE")" "$DIGEST"
    local n=0
    for from in out out.tar out.tar.gz; do
        n=$((n + 1))
        new_home "$BATS_TEST_TMPDIR/home-$from"
        status 0 import "$from"
        is "$output" "$EXAMPLE@$DIGEST"
        has "$stderr" '1 image in quarantine, 3 referrers'
        is "$(state "$EXAMPLE")" 'quarantined: imported, not examined'
        is "$("$COCKET" ls -a --format json | jq -r "[.[] | select(.subject == \"$DIGEST\") | .artifactType] | sort | join(\" \")")" \
            'application/spdx+json application/spdx+json application/vnd.cocket.report.v1+json'
        report=$("$COCKET" ls -a --format json |
            jq -r '.[] | select(.artifactType == "application/vnd.cocket.report.v1+json") | .digest')
        layer=$(jq -r '.layers[0].digest' "$(hex_path "$XDG_DATA_HOME/cocket/store" "$report")")
        cmp report.json "$(hex_path "$XDG_DATA_HOME/cocket/store" "$layer")" ||
            jq -e .verdict "$(hex_path "$XDG_DATA_HOME/cocket/store" "$layer")"
        status 0 fsck
        status 0 gc
        has "$output" '^deleted 0 images and 0 blobs'
        # and once more from here
        status 0 export one:1 -o again$n -q
        status 0 scan -q "oci:again$n:$EXAMPLE"
    done
}

@test "export: what is there already is left alone, and nothing half-written stays" {
    imported
    mkdir full empty
    touch full/x
    status 2 export one:1 -o full
    status 2 export one:1 -o lay/oci-layout
    touch there.tar
    status 2 export one:1 -o there.tar
    status 0 export one:1 -q -o empty
    status 0 export one:1 -q -o new/ || true
    mkfifo pipe.tar
    tar t <pipe.tar >listed 3>&- &
    status 0 export one:1 -q -o pipe.tar
    wait $!
    has "$(cat listed)" '^index.json'
    # damage in the store is noticed on the way out
    file=$(find "$XDG_DATA_HOME/cocket/store/blobs/sha256" -type f | head -1)
    chmod 600 "$file"
    printf X | dd of="$file" bs=1 conv=notrunc status=none
    status 5 export one:1 -o damaged
    has "$stderr" 'fsck'
    status 5 export one:1 -o damaged.tar
    is "$(ls -d damaged* 2>/dev/null)" ''
}

@test "several images in one layout share their blobs" {
    mkdir -p base top1 top2
    echo base >base/f
    echo 1 >top1/g
    echo 2 >top2/g
    $PY "$IMAGES" tree lay example.org/a:1 base top1
    $PY "$IMAGES" tree lay example.org/a:2 base top2
    status 0 import -q lay
    is "$(wc -l <<<"$output")" 2
    status 0 export example.org/a:1 example.org/a:2 -q -o out
    is "$(find out/blobs -type f | wc -l)" 7
    status 0 scan -q oci:out:example.org/a:2
}

@test "attack: layouts that lie bring in nothing" {
    layout good "$EXAMPLE" etc/a=one
    manifest=$(jq -r '.manifests[0].digest' good/index.json)
    layer=$(jq -r '.layers[0].digest' "$(hex_path good "$manifest")")
    cp -r good bytes # the layer's bytes
    printf X | dd of="$(hex_path bytes "$layer")" bs=1 seek=20 conv=notrunc status=none
    cp -r good longer # the layer's size
    echo more >>"$(hex_path longer "$layer")"
    cp -r good manifest
    printf ' ' | dd of="$(hex_path manifest "$manifest")" bs=1 seek=1 conv=notrunc status=none
    cp -r good link # a link that leads out
    mv "$(hex_path link "$layer")" elsewhere
    ln -s "$PWD/elsewhere" "$(hex_path link "$layer")"
    cp -r good name
    edit name "index['manifests'][0]['annotations'] = {'org.opencontainers.image.ref.name': '../../x/Y:z'}"
    cp -r good both
    edit both "index['layers'] = []"
    for bad in bytes longer manifest link name both; do
        status 4 import "$bad"
        is "$("$COCKET" ls -q)" ''
        has "$stderr" "$bad: "
    done
    cp -r good missing
    rm "$(hex_path missing "$layer")"
    status 3 import missing --store fresh
    has "$stderr" "$layer is missing"
    (cd good && tar cf ../twice.tar oci-layout index.json blobs && tar rf ../twice.tar index.json)
    status 4 import twice.tar
    has "$stderr" 'twice'
    is "$("$COCKET" ls -q)" ''
    status 0 gc
    status 0 fsck
    is "$(find "$XDG_DATA_HOME/cocket/store/blobs" "$XDG_DATA_HOME/cocket/store/partial" -type f | wc -l)" 0
}

@test "attack: a referrer that says two things" {
    layout lay "$EXAMPLE" etc/a=one
    add_referrer lay 1 "sha256-$(printf '1%.0s' $(seq 64)).sig" >/dev/null
    status 4 import lay
    has "$stderr" 'another image'
}

@test "an imported report is believed in nothing, and a cleared image stays cleared" {
    imported
    status 0 release one:1 --reason fine
    status 0 export one:1 -q -o out
    status 0 import -q out
    is "$(state "$EXAMPLE")" 'cleared: fine'
}

@test "wide and narrow terminals" {
    layout lay registry.example.org/a/rather/long/name/of/an/image:1.2.3-and-a-long-tag etc/a=one
    status 0 import -q lay
    for columns in 40 60 80 132 200; do
        COLUMNS=$columns status 0 ls
        is "$(awk -v c=$columns 'length($0) > c' <<<"$output")" ''
        has "$output" 'quarantined'
        COLUMNS=$columns status 0 log
        is "$(awk -v c=$columns 'length($0) > c' <<<"$output")" ''
    done
    COLUMNS=200 status 0 ls
    is "$(wc -l <<<"$output")" 2
}

@test "a store of one's own: --store and COCKET_STORE" {
    layout lay "$EXAMPLE" etc/a=one
    status 0 import -q lay --store here
    COCKET_STORE=$PWD/here status 0 ls -q
    is "$output" "$EXAMPLE"
    status 0 ls -q
    is "$output" ''
    status 5 ls --store lay/index.json
}

@test "many at once" {
    local i pids=()
    for i in 1 2 3 4 5 6; do layout "lay$i" "example.org/n:$i" "etc/a=$i" same=1; done
    for i in 1 2 3 4 5 6; do
        "$COCKET" import -q "lay$i" >>said 2>&1 3>&- &
        pids+=($!)
        "$COCKET" gc >>gcs 2>&1 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    is "$("$COCKET" ls -q | wc -l)" 6
    status 0 fsck
    status 0 log --verify
}
