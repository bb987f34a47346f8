#!/usr/bin/python3
"""What the fixtures must give, computed without cocket.

  truth.py apk-check VERSIONS          proves the apk ordering below on published vectors
  truth.py secdb SECDB-DIR INSTALLED   lines "id package" of an apk database; "? id package" where either is right
  truth.py secdb-image SECDB-DIR       an apk database that names every origin of secdb at many versions
  truth.py ndb PACKAGES.DB             lines "name epoch version release" of an NDB rpm database
  truth.py alma ZIP NAME...            lines "id name" of every CVE of AlmaLinux 8 that these packages had
"""
import glob
import json
import re
import struct
import sys
import zipfile

# --- apk ----------------------------------------------------------------------------------------

SUFFIX = {'alpha': -4, 'beta': -3, 'pre': -2, 'rc': -1, 'cvs': 1, 'svn': 2, 'git': 3, 'hg': 4, 'p': 5}
VERSION = re.compile(r'(\d+(?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)'
                     r'(?:~([0-9a-f]+))?(?:-r(\d+))?$')


def apk_tokens(version):
    """[(kind, value)]; kinds in apk's order: 0 first number, 1 number, 2 letter, 3 suffix, 4 its number,
    5 commit, 6 revision, 7 end."""
    m = VERSION.match(version)
    if not m:
        return None
    numbers, letter, suffixes, commit, revision = m.groups()
    first, *rest = numbers.split('.')
    out = [(0, first)] + [(1, n) for n in rest]
    if letter:
        out.append((2, letter))
    for name, n in re.findall(r'_([a-z]+)(\d*)', suffixes or ''):
        out.append((3, SUFFIX[name]))
        if n:
            out.append((4, n))
    if commit:
        out.append((5, commit))
    if revision:
        out.append((6, revision))
    return out + [(7, None)]


def apk_value(kind, a, b):
    """(x, y) that compare as the two values of one kind do."""
    if kind == 1 and (a[0] == '0' or b[0] == '0'):
        return a, b  # a fraction: 1.02 is older than 1.1
    if kind in (0, 1, 4, 6):
        return int(a), int(b)
    return a, b


def apk_cmp(left, right):
    a, b = apk_tokens(left), apk_tokens(right)
    for (ka, va), (kb, vb) in zip(a, b):
        if ka != kb:
            break
        if ka != 7:
            x, y = apk_value(ka, va, vb)
            if x != y:
                return -1 if x < y else 1
    else:
        return 0
    # They part here: a pre-release suffix is older than nothing, else the one with more to say is newer.
    if ka == 3 and va < 0:
        return -1
    if kb == 3 and vb < 0:
        return 1
    return -1 if ka > kb else 1


def apk_check(path):
    wrong = n = 0
    with open(path, encoding='utf-8') as f:
        for line in f:
            parts = line.split('#')[0].split()
            if len(parts) != 3 or parts[1] not in '<=>':
                continue
            if not (apk_tokens(parts[0]) and apk_tokens(parts[2])):
                continue  # what is no version has no order here
            n += 1
            got = '<=>'[apk_cmp(parts[0], parts[2]) + 1]
            if got != parts[1]:
                wrong += 1
                print(f'{line.strip()}: got {got}')
    print(f'{n} compared, {wrong} wrong')
    sys.exit(wrong > 0 or n < 100)


def secfixes(folder):
    """(origin, fixed version, id) of all files of a secdb directory."""
    for path in sorted(glob.glob(folder + '/*.json')):
        with open(path, encoding='utf-8') as f:
            doc = json.load(f)
        for entry in doc['packages'] or []:
            for version, ids in (entry['pkg'].get('secfixes') or {}).items():
                # Slips of hand: "1.0.4.-r0", "0.8.21.r2", "57-1-r2".
                version = re.sub(r'[.]-?r(\d+)$', r'-r\1', version)
                version = re.sub(r'^(\d+)-(\d+-r\d+)$', r'\1.\2', version)
                for text in ids or []:
                    for ident in names(text):
                        yield entry['pkg']['name'], version, ident


def names(text):
    """The CVE ids of a string that may hold several names and remarks, else its first word."""
    # Once it is written CVE_2019-2426, once "CVE 2018-16859", often "CVE-????-?????  XSA-284".
    found = re.findall(r'CVE-\d{4}-\d{4,}', re.sub(r'CVE[_ ](\d)', r'CVE-\1', text))
    return found or [w for w in text.split() if '?' not in w][:1]


def installed(path):
    """(name, version, origin) of an apk database."""
    with open(path, encoding='utf-8') as f:
        for block in f.read().split('\n\n'):
            d = dict(line.split(':', 1) for line in block.split('\n') if line[1:2] == ':')
            if 'P' in d:
                yield d['P'], d['V'], d.get('o', d['P'])


def secdb(folder, path):
    by_origin = {}
    for origin, fixed, ident in secfixes(folder):
        by_origin.setdefault(origin, []).append((fixed, ident))
    found = set()
    for name, version, origin in installed(path):
        for fixed, ident in by_origin.get(origin, []):
            if fixed != '0' and not apk_tokens(fixed):
                found.add(f'? {ident} {name}')  # "0.8.21.r2" is no version: either answer is right
            elif fixed != '0' and apk_cmp(version, fixed) < 0:
                found.add(f'{ident} {name}')
    print('\n'.join(sorted(found)))


def secdb_image(folder):
    """Each origin at each version that fixed something, and below all of them."""
    versions = {}
    for origin, fixed, _ in secfixes(folder):
        if fixed != '0' and apk_tokens(fixed):
            versions.setdefault(origin, {'0-r0'}).add(fixed)
    for origin, all_ in sorted(versions.items()):
        for i, v in enumerate(sorted(all_)):
            print(f'C:Q1\nP:{origin}-at{i}\nV:{v}\nA:x86_64\no:{origin}\n')


# --- rpm ----------------------------------------------------------------------------------------

def rpm_tags(blob):
    il, dl = struct.unpack('>II', blob[:8])
    data = blob[8 + 16 * il:8 + 16 * il + dl]
    tags = {}
    for i in range(il):
        tag, kind, offset, _ = struct.unpack('>IIII', blob[8 + 16 * i:24 + 16 * i])
        if kind == 6:
            tags[tag] = data[offset:data.index(b'\0', offset)].decode()
        elif kind == 4:
            tags[tag] = struct.unpack('>I', data[offset:offset + 4])[0]
    return tags


def ndb(path):
    with open(path, 'rb') as f:
        data = f.read()
    pages = struct.unpack('<I', data[12:16])[0]
    for at in range(32, pages * 4096, 16):
        magic, number, offset, count = struct.unpack('<4I', data[at:at + 16])
        if magic == 0x746f6c53 and count:
            blob = data[offset * 16:(offset + count) * 16]
            size = struct.unpack('<4I', blob[:16])[3]
            t = rpm_tags(blob[16:16 + size])
            print(t[1000], t.get(1003, 0), t[1001], t[1002])


def alma(path, *names):
    """Every CVE that any erratum names for these packages outside modules: what a version older than all
    must be told."""
    found = set()
    with zipfile.ZipFile(path) as z:
        for member in z.namelist():
            record = json.loads(z.read(member))
            if record.get('withdrawn') or not record['id'].startswith('ALSA'):
                continue
            cves = [r for r in record.get('related', []) if r.startswith('CVE-')]
            cves += [r for r in record.get('upstream', []) if r.startswith('CVE-')]
            for a in record['affected']:
                if a['package']['ecosystem'] == 'AlmaLinux:8' and a['package']['name'] in names:
                    found |= {f'{c} {a["package"]["name"]}' for c in cves or [record['id']]}
    print('\n'.join(sorted(found)))


if __name__ == '__main__':
    {'apk-check': apk_check, 'secdb': secdb, 'secdb-image': secdb_image, 'ndb': ndb,
     'alma': alma}[sys.argv[1]](*sys.argv[2:])
