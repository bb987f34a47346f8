#!/usr/bin/python3
"""Puts something that looks like a signature beside an image in a registry without TLS.

  sign.py HOST:PORT NAME DIGEST --tag        cosign's old way: the tag sha256-HEX.sig
  sign.py HOST:PORT NAME DIGEST --referrer   OCI 1.1: a manifest with a subject; where the registry knows no
                                             referrers, also the index under the fallback tag sha256-HEX
Prints the digest of the manifest. Through the plain API; python's standard library only.
"""
import hashlib
import json
import sys
import urllib.request

OCI = 'application/vnd.oci.image.'


def ask(method, url, data=None, media=None):
    r = urllib.request.Request(url, data=data, method=method, headers={'Content-Type': media} if media else {})
    return urllib.request.urlopen(r, timeout=20)


def put_blob(base, data):
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    with ask('POST', base + '/blobs/uploads/', b'') as r:
        where = r.headers['Location']
    if where.startswith('/'):
        where = base.split('/v2/')[0] + where
    where += ('&' if '?' in where else '?') + 'digest=' + digest
    ask('PUT', where, data, 'application/octet-stream').close()
    return {'digest': digest, 'size': len(data)}


def put_manifest(base, doc, tag=None):
    data = json.dumps(doc).encode()
    digest = 'sha256:' + hashlib.sha256(data).hexdigest()
    ask('PUT', f'{base}/manifests/{tag or digest}', data, doc['mediaType']).close()
    return {'mediaType': doc['mediaType'], 'digest': digest, 'size': len(data)}


def main():
    host, name, subject, how = sys.argv[1:]
    base = f'http://{host}/v2/{name}'
    accept = {'Accept': f'{OCI}manifest.v1+json,{OCI}index.v1+json,'
              'application/vnd.docker.distribution.manifest.v2+json'}
    with urllib.request.urlopen(urllib.request.Request(f'{base}/manifests/{subject}', headers=accept)) as r:
        of = {'mediaType': r.headers['Content-Type'], 'digest': subject, 'size': len(r.read())}
    payload = json.dumps({'critical': {'identity': {'docker-reference': f'{host}/{name}'},
                                       'image': {'docker-manifest-digest': subject},
                                       'type': 'cosign container image signature'}, 'optional': None}).encode()
    layer = {'mediaType': 'application/vnd.dev.cosign.simplesigning.v1+json', **put_blob(base, payload),
             'annotations': {'dev.cosignproject.cosign/signature': 'bm8gc2lnbmF0dXJl'}}
    config = {'architecture': '', 'created': '0001-01-01T00:00:00Z', 'history': [{'created': '0001-01-01T00:00:00Z'}],
              'os': '', 'rootfs': {'type': 'layers', 'diff_ids': [layer['digest']]}, 'config': {}}
    doc = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
           'config': {'mediaType': OCI + 'config.v1+json', **put_blob(base, json.dumps(config).encode())},
           'layers': [layer]}
    fallback = subject.replace(':', '-')
    if how == '--tag':
        print(put_manifest(base, doc, fallback + '.sig')['digest'])
        return
    doc.update(subject=of, artifactType='application/vnd.dev.cosign.artifact.sig.v1+json')
    d = put_manifest(base, doc)
    put_manifest(base, {'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json',
                        'manifests': [{**d, 'artifactType': doc['artifactType']}]}, fallback)
    print(d['digest'])


if __name__ == '__main__':
    main()
