"""How a case is declared and laid out: @case on a function whose name is the case's name.

The function gives an Image (written as an OCI layout), a list of archive members (written as
image.tar), bytes (image.tar as they are) or None; `after` then may spoil what lies there.
"""
import os

from forge import Image, directory, file, tar

CASES = {}


def case(status, reason=None, ref=None, after=None, **expect):
    """Declares a case; further keywords are lines of `expect`, lists give several."""
    def take(make):
        name = make.__name__.replace('_', '-')
        assert name not in CASES and name.startswith(('should-fail-', 'should-pass-')), name
        assert name.startswith('should-pass-') == (str(status).split(',')[0] == '0'), name
        CASES[name] = {'make': make, 'status': status, 'reason': reason, 'ref': ref,
                       'after': after, 'expect': expect}
        return make
    return take


def fails(reason, status=4, **kw):
    return case(status, reason, **kw)


def passes(*packages, **kw):
    if 'gap' not in kw:
        kw.setdefault('complete', 'true')
    return case(0, package=list(packages), **kw)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)


def write_case(folder, c):
    made, ref = c['make'](), c['ref']
    if isinstance(made, Image):
        for path, data in made.files().items():
            write(os.path.join(folder, 'oci', path), data)
        ref = ref or 'oci:oci'
    elif isinstance(made, list):
        made = archive(made)
    if isinstance(made, bytes):
        ref = ref or 'docker-archive:image.tar'
        write(os.path.join(folder, ref.split(':')[1]), made)
    c['reference'], c['kind'] = ref, ref.split(':')[0]
    if c['after']:
        c['after'](folder)
    lines = [f'ref {ref}', f'status {c["status"]}']
    if c['reason']:
        lines.append(f'reason {c["reason"]}')
    for key, value in c['expect'].items():
        for v in value if isinstance(value, list) else [value]:
            lines.append(f'{key.replace("_", "-")} {v}')
    write(os.path.join(folder, 'expect'), ('\n'.join(lines) + '\n').encode())


def archive(members):
    """A tar of (name, bytes) pairs; a member that is bytes already stands as it is."""
    out, seen = [], set()
    for m in members:
        if isinstance(m, bytes):
            out.append(m)
            continue
        name, data = m
        top = name.split('/')[0] if '/' in name else None
        if top and top not in seen and not name.startswith(('.', '/')):
            out.append(directory(top))
            seen.add(top)
        out.append(file(name, data))
    return tar(*out)


def layout_archive(image, **kw):
    """The OCI layout of an image as an archive's members."""
    return sorted(image.files().items(), **kw)
