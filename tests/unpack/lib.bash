# shellcheck shell=bash
. "$BATS_TEST_DIRNAME/../load/lib.bash"

# A tree as text: type, mode (without set-id bits), size, link target, content's digest, names of one
# file. Directories' sizes are the file system's business.
tree() {
    "$PY" - "$1" "${2:-}" <<'PYTHON'
import hashlib, os, stat, sys
root, times = sys.argv[1].encode(), sys.argv[2] == 'times'
names = {}
for where, dirs, files in os.walk(root):
    for n in [b'.'] + dirs + files:
        p = os.path.normpath(os.path.join(where, n))
        st = os.lstat(p)
        if n == b'.' and where != root:
            continue
        rel = os.path.relpath(p, root).decode('utf-8', 'backslashreplace')
        kind = stat.filemode(st.st_mode)[0]
        mode = stat.S_IMODE(st.st_mode) & ~0o6000
        line = [kind, '%04o' % mode if kind != 'l' else '-', rel]
        if kind == '-':
            line += [str(st.st_size), hashlib.sha256(open(p, 'rb').read()).hexdigest()[:16]]
            names.setdefault(st.st_ino, []).append(rel)
        if kind == 'l':
            line += ['->', os.readlink(p).decode('utf-8', 'backslashreplace')]
        if times and kind != 'l':
            line.append(str(int(st.st_mtime)))
        print(' '.join(line))
for group in sorted(sorted(v) for v in names.values() if len(v) > 1):
    print('one file:', *group)
PYTHON
}

# What umoci makes of it, as text.
umoci_tree() { # LAYOUT:TAG
    rm -rf bundle
    umoci unpack --rootless --image "$1" bundle >/dev/null 2>&1 || return 1
    tree bundle/rootfs "${2:-}" | sort
}
