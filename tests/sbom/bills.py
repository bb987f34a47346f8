#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a bill of materials means, held against the report that was made with it.

  bills.py same FOLDER...   report.json, bill.cdx.json and bill.spdx.json of each say the same
  bills.py spdx FOLDER...   bill.spdx.json holds the rules of SPDX 2.3, by SPDX's own library (on
                            PYTHONPATH; exit status 77 where it is not there)

Prints what is wrong, one line each; exit status 1 where anything is.
"""
import datetime
import json
import os
import re
import sys
import urllib.parse

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
PURL = re.compile(r'pkg:(?P<type>[a-z][a-z0-9.-]*)/(?:(?P<namespace>[^@?#]+)/)?(?P<name>[^/@?#]+)'
                  r'(?:@(?P<version>[^/@?#]+))?(?:\?(?P<qualifiers>[^?#]+))?')
# purl-spec, "Character encoding": the rest is percent-encoded; the colon never is.
PART = re.compile(r'(?:[A-Za-z0-9\-._~:]|%[0-9A-F]{2})+')
PLAIN = re.compile(r'%(?:2[DE]|3[0-9A]|[46][1-9A-F]|[57][0-9A]|5F|7E)')  # encoded without need


class Wrong(Exception):
    pass


def holds(condition, *what):
    if not condition:
        raise Wrong(' '.join(w if isinstance(w, str) else json.dumps(w)[:300] for w in what))


def same(got, want, what):
    if isinstance(got, list) and isinstance(want, list) and len(got) == len(want):
        for i, (g, w) in enumerate(zip(got, want)):
            holds(g == w, f'{what} {i}:', g, 'not', w)
    holds(got == want, f'{what}:', got, 'not', want)


# --- package URLs -------------------------------------------------------------------------------

def part(text, what):
    holds(PART.fullmatch(text) and not PLAIN.search(text), f'{what} is not encoded by the rules:', text)
    return urllib.parse.unquote(text, errors='strict')


def purl_parts(text):
    """The components of a purl in its canonical form; whatever else is wrong."""
    m = PURL.fullmatch(text)
    holds(m, 'no purl:', text)
    out = {'type': m['type'], 'name': part(m['name'], 'name'), 'namespace': None, 'version': None,
           'qualifiers': {}}
    if m['namespace']:
        segments = [part(s, 'namespace') for s in m['namespace'].split('/')]
        holds(all(s and '/' not in s for s in segments), 'a segment of a namespace:', text)
        out['namespace'] = '/'.join(segments)
    if m['version']:
        out['version'] = part(m['version'], 'version')
    pairs = [q.partition('=') for q in (m['qualifiers'] or '').split('&') if m['qualifiers']]
    keys = [k for k, _, _ in pairs]
    holds(keys == sorted(set(keys)), 'qualifiers are not in order, or twice:', text)
    for key, _, value in pairs:
        holds(re.fullmatch(r'[a-z][a-z0-9._-]*', key), 'key of a qualifier:', key)
        out['qualifiers'][key] = part(value, key)
    return out


def lower(text):
    return re.sub('[A-Z]', lambda m: m[0].lower(), text)


def check_purl(package, distro):
    """The rules of the types deb, apk and rpm, and that the purl means this package."""
    p = purl_parts(package['purl'])
    rpm = package['type'] == 'rpm'
    version, q = package['version'], p['qualifiers']
    epoch = None
    if rpm and ':' in version:
        epoch, version = version.split(':', 1)
    same(p['type'], package['type'], 'type')
    same(p['name'], package['name'] if rpm else lower(package['name']), 'name')
    same(p['version'], version or None, 'version')
    same(q.get('epoch'), epoch or None, 'epoch')
    same(q.get('upstream'), upstream_of(package), 'upstream')
    vendor, release = distro['id'], distro['versionId']
    same(p['namespace'], None if not vendor or '/' in vendor else lower(vendor), 'namespace')
    if vendor and release:
        same(q['distro'], f'{lower(vendor)}-{release}', 'distro')
    elif vendor: # a code name may follow
        holds(q['distro'].startswith(lower(vendor)), 'distro:', q['distro'])


def upstream_of(package):
    """The source package as syft and grype write it; None where it is the package itself."""
    source, version = package['source'], package['version']
    if (source['name'], source['version']) == (package['name'], version):
        return None
    if package['type'] == 'rpm':
        return f"{source['name']}-{source['version'].split(':', 1)[-1]}.src.rpm"
    return source['name'] + (f"@{source['version']}" if source['version'] != version else '')


def check_image_purl(text, report):
    p = purl_parts(text)
    same((p['type'], p['namespace'], p['version']), ('oci', None, report['image']['digest']), 'image')
    same(p['qualifiers']['repository_url'].rsplit('/', 1)[-1], p['name'], 'name of the image')


# --- CycloneDX ----------------------------------------------------------------------------------

def every(node, key):
    """Every value of this key, however deep."""
    if isinstance(node, dict):
        for k, v in node.items():
            if k == key:
                yield v
            yield from every(v, key)
    elif isinstance(node, list):
        for v in node:
            yield from every(v, key)


def properties(node, name):
    return [p['value'] for p in node['properties'] if p['name'] == name]


def check_refs(bill):
    refs = list(every(bill, 'bom-ref'))
    holds(len(refs) == len(set(refs)), 'a bom-ref stands twice')
    pointers = [a['ref'] for v in bill['vulnerabilities'] for a in v['affects']]
    pointers += [a for c in bill['compositions'] for a in c['assemblies']]
    holds(set(pointers) <= set(refs), 'points nowhere:', sorted(set(pointers) - set(refs))[:3])


METHODS = {'CVSS:4.0': 'CVSSv4', 'CVSS:3.1': 'CVSSv31', 'CVSS:3.0': 'CVSSv3'}


def check_vulnerability(v, f, by_ref):
    same(v['id'], f['id'], 'id')
    same([r['id'] for r in v['references']], f['aliases'], 'aliases')
    same(v['detail'], f['why'], 'why')
    same(properties(v, 'cocket:severity'), [f['severity']], 'severity')
    same(properties(v, 'cocket:fix'), [f['fix']['state']], 'fix')
    same(bool(properties(v, 'cocket:known-exploited')), f['kev'], 'exploited')
    same(v['source'].get('url'), f['advisory']['url'], 'url')
    holds('url' not in v['source'] or URI.fullmatch(v['source']['url']), 'no URI:', v['source'])
    (rating,) = v['ratings']
    if f['cvss']:
        vector = f['cvss']['vector']
        same((rating['vector'], rating['score'], rating['method']),
             (vector, f['cvss']['score'], METHODS.get(vector[:8], 'CVSSv2')), 'rating')
    check_affects(v, f['package'], by_ref)


def check_affects(v, package, by_ref):
    (affected,) = v['affects']
    component = by_ref[affected['ref']]
    same({k: component[k] for k in ('name', 'version', 'purl')}, package, 'affected package')
    for version in affected.get('versions', []):
        same(version['version'], package['version'], 'affected version')


def check_cyclonedx(report, bill):
    check_refs(bill)
    image = bill['metadata']['component']
    same(image['name'], report['image']['reference'], 'name')
    same(image.get('version'), report['image']['digest'], 'digest')
    if 'purl' in image:
        check_image_purl(image['purl'], report)
    same([(c['name'], c['version'], c['purl'], properties(c, 'cocket:package:location'))
          for c in bill['components']],
         [(p['name'], p['version'], p['purl'], p['locations']) for p in report['packages']],
         'component')
    gaps = [f"{g['what']}: {g['why']}" for g in report['assessment']['gaps']]
    same(properties(bill['metadata'], 'cocket:gap'), gaps, 'gap')
    same(bill['compositions'][0]['aggregate'], 'incomplete' if gaps else 'unknown', 'aggregate')
    by_ref = {c['bom-ref']: c for c in bill['components']}
    n = len(report['findings'])
    same(len(bill['vulnerabilities']), n + len(report['suppressed']), 'vulnerabilities')
    for v, f in zip(bill['vulnerabilities'], report['findings']):
        check_vulnerability(v, f, by_ref)
    for v, s in zip(bill['vulnerabilities'][n:], report['suppressed']):
        same((v['id'], v['analysis']['detail'], properties(v, 'cocket:rule')),
             (s['id'], s['why'], [s['rule']]), 'suppressed')
        check_affects(v, s['package'], by_ref)


# --- SPDX ---------------------------------------------------------------------------------------

# Clauses 6 to 11 of the specification as far as a bill of ours goes: no other key may stand there.
KEYS = {
    'document': {'spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo',
                 'comment', 'packages', 'relationships'},
    'creationInfo': {'created', 'creators'},
    'package': {'name', 'SPDXID', 'versionInfo', 'downloadLocation', 'filesAnalyzed', 'sourceInfo',
                'primaryPackagePurpose', 'checksums', 'externalRefs'},
    'checksum': {'algorithm', 'checksumValue'},
    'reference': {'referenceCategory', 'referenceType', 'referenceLocator', 'comment'},
    'relationship': {'spdxElementId', 'relationshipType', 'relatedSpdxElement'},
}
REQUIRED = {'document': KEYS['document'] - {'comment'}, 'creationInfo': KEYS['creationInfo'],
            'package': {'name', 'SPDXID', 'downloadLocation'}, 'checksum': KEYS['checksum'],
            'reference': KEYS['reference'] - {'comment'}, 'relationship': KEYS['relationship']}


def check_keys(kind, nodes):
    for node in nodes:
        holds(set(node) <= KEYS[kind], f'{kind}: unknown:', sorted(set(node) - KEYS[kind]))
        holds(REQUIRED[kind] <= set(node), f'{kind}: missing:', sorted(REQUIRED[kind] - set(node)))


def check_form(bill):
    references = [r for p in bill['packages'] for r in p.get('externalRefs', [])]
    check_keys('document', [bill])
    check_keys('creationInfo', [bill['creationInfo']])
    check_keys('package', bill['packages'])
    check_keys('checksum', [c for p in bill['packages'] for c in p.get('checksums', [])])
    check_keys('reference', references)
    check_keys('relationship', bill['relationships'])
    datetime.datetime.strptime(bill['creationInfo']['created'], '%Y-%m-%dT%H:%M:%SZ')
    for r in references:
        holds(not re.search(r'\s', r['referenceLocator']) and r['referenceLocator'], 'locator:', r)
        holds(r['referenceCategory'] != 'SECURITY' or URI.fullmatch(r['referenceLocator']),
              'no URI:', r)


def check_relations(bill):
    ids = [p['SPDXID'] for p in bill['packages']]
    for i in ids:
        holds(re.fullmatch(r'SPDXRef-[A-Za-z0-9.-]+', i), 'no identifier:', i)
    holds(len(ids) == len(set(ids)) and bill['SPDXID'] not in ids, 'an identifier stands twice')
    same([(r['spdxElementId'], r['relationshipType'], r['relatedSpdxElement'])
          for r in bill['relationships']],
         [(bill['SPDXID'], 'DESCRIBES', ids[0])] + [(ids[0], 'CONTAINS', i) for i in ids[1:]],
         'relationship')


def check_spdx(report, bill):
    check_form(bill)
    check_relations(bill)
    image, *packages = bill['packages']
    same((bill['name'], image['name']), (report['image']['reference'],) * 2, 'name')
    same(image.get('versionInfo'), report['image']['digest'], 'digest')
    for c in image.get('checksums', []):
        same(f"{c['algorithm'].lower()}:{c['checksumValue']}", report['image']['digest'], 'checksum')
    for r in image.get('externalRefs', []):
        check_image_purl(r['referenceLocator'], report)
    same([(p['name'], p.get('versionInfo', ''), p['externalRefs'][0]['referenceLocator'])
          for p in packages],
         [(p['name'], p['version'], p['purl']) for p in report['packages']], 'package')
    found = sorted((p['externalRefs'][0]['referenceLocator'], r['comment'])
                   for p in packages for r in p['externalRefs'][1:])
    exploited = {True: ', known to be exploited', False: ''}
    same(found, sorted((f['package']['purl'], f"{f['id']}, {f['severity']}{exploited[f['kev']]}: {f['why']}")
                       for f in report['findings']), 'finding')
    for gap in report['assessment']['gaps']:
        holds(f"{gap['what']}: {gap['why']}" in bill['comment'], 'gap:', gap)


# ------------------------------------------------------------------------------------------------

def check(report, cyclonedx, spdx):
    """Raises Wrong where the three do not say the same."""
    for p in report['packages']:
        check_purl(p, report['distro'])
    check_cyclonedx(report, cyclonedx)
    check_spdx(report, spdx)


def load(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as f:
        return json.load(f)


def same_folders(folders):
    bad = 0
    for folder in folders:
        try:
            check(*(load(folder, n) for n in ('report.json', 'bill.cdx.json', 'bill.spdx.json')))
        except (Wrong, LookupError, ValueError) as e:
            print(f'{folder}: {type(e).__name__}: {e}')
            bad = 1
    return bad


def spdx_folders(folders):
    try:
        from spdx_tools.spdx.parser.json.json_parser import parse_from_file
        from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
    except ImportError as e:
        print(e)
        return 77
    bad = 0
    for folder in folders:
        try:
            found = [m.validation_message for m in validate_full_spdx_document(
                parse_from_file(os.path.join(folder, 'bill.spdx.json')))]
        except Exception as e:  # pylint: disable=broad-except  # whatever it cannot read
            found = [f'{type(e).__name__}: {e}']
        for message in found[:5]:
            print(f'{folder}: {message}')
            bad = 1
    return bad


if __name__ == '__main__':
    sys.exit({'same': same_folders, 'spdx': spdx_folders}[sys.argv[1]](sys.argv[2:]))
