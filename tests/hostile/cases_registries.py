"""Registries that lie, leak, stall and redirect: each case sets up a World (registry.py).

@refused(REASON, ...) and @served(...) declare a case; the function spoils the world. Keywords:
  status, scan     exit statuses of `cocket fetch` and of `cocket scan` (default: the same)
  args             further arguments of both
  auth             None, basic, token or identity
  seconds          budget of each of the two
  only             'fetch' or 'scan' where the other has nothing to do with it
The function may set w.judge: called after all runs, it gives why the case failed, or None.
"""
import json
import socket
import time

from cases_layers import GOOD
from forge import OCI, Image, Layer, descriptor, dump, gz, sha256
from registry import (CONFIG, INDEX, MANIFEST, TOKEN, Answer, endless, error, with_index)

CASES = {}
PRIVATE = ['--allow-private']
HELM = 'application/vnd.cncf.helm.config.v1+json'
SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'


def case(status, reason=None, row=(), image=lambda: Image(GOOD), **kw):
    def take(make):
        name = kw.get('name') or make.__name__.replace('_', '-')
        assert name not in CASES and name.startswith(('should-fail-', 'should-pass-')), name
        CASES[name] = {'make': make, 'status': str(status), 'reason': reason, 'image': image,
                       'scan': str(kw.get('scan', status)), 'args': kw.get('args', []),
                       'auth': kw.get('auth'), 'seconds': kw.get('seconds', 45), 'tls': kw.get('tls', False),
                       'only': kw.get('only'), 'again': kw.get('again'), 'says': kw.get('says'),
                       'row': [row] if isinstance(row, int) else list(row)}
        return make
    return take


def refused(reason, status='3,4', **kw):
    return case(status, reason, **kw)


def served(**kw):
    return case(0, **kw)


def unasked(w, server='evil'):
    """The server was never spoken to."""
    def judge():
        n = w.count('.', server)
        return f'{n} requests to {server}' if n else None
    w.judge = judge


def asked(w, server, pattern='.'):
    def judge():
        return None if w.count(pattern, server) else f'{server} was never asked for {pattern}'
    w.judge = judge


def no_layer_asked(w):
    def judge():
        n = w.count('GET /v2/demo/blobs/' + w.layer)
        return f'the layer was asked for {n} times' if n else None
    w.judge = judge


def at_most(w, n, pattern='.'):
    def judge():
        m = w.count(pattern)
        return f'{m} requests like {pattern}, more than {n}' if m > n else None
    w.judge = judge


def changed(change):
    """An image whose manifest was changed."""
    def make():
        im = Image(GOOD)
        im.manifest = change(im.make_manifest())
        return im
    return make


def layer_is(**members):
    def change(doc):
        doc['layers'][0].update(members)
        return doc
    return changed(change)


def replace(kind, answer):
    """A hook that answers `answer()` whatever was asked."""
    def spoil(w):
        w.hook(kind, lambda r, a: answer())
    return spoil


# --- ambiguity (rows 10 to 12) --------------------------------------------------------------------

@refused('both|layers|ambig', status=4, row=10,
         image=changed(lambda d: {**d, 'manifests': [descriptor(b'{}', MANIFEST)]}))
def should_fail_registry_manifest_is_both(w):
    """CVE-2021-41190 from the wire."""


@refused('both|layers|ambig', status=4, row=10)
def should_fail_registry_index_is_both(w):
    doc = json.loads(w.blobs[w.top])
    w.add_top({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        {**descriptor(w.blobs[w.top], MANIFEST), 'platform': {'os': 'linux', 'architecture': 'amd64'}}],
        'layers': doc['layers'], 'config': doc['config']})


@refused('media ?type|content-type|is no application', status=4, row=11)
def should_fail_content_type_says_index(w):
    w.hook('manifest', lambda r, a: a.set('Content-Type', INDEX))


@refused('media ?type|content-type|is no application', status=4, row=11, image=lambda: with_index(Image(GOOD)))
def should_fail_content_type_says_manifest(w):
    w.hook('manifest', lambda r, a: a.set('Content-Type', MANIFEST) if w.top in a.get('Docker-Content-Digest')
           else a)


@refused('media ?type|content-type|artifact', row=11)
def should_fail_content_type_html(w):
    w.hook('manifest', lambda r, a: a.set('Content-Type', 'text/html; charset=utf-8'))


@refused('media ?type|content-type|HTTP_FIELD|headers', status=4, row=11)
def should_fail_content_type_of_megabytes(w):
    w.hook('manifest', lambda r, a: a.set('Content-Type', 'application/' + 'x' * (90 << 10)))


@refused('duplicate|twice', status=4, row=12,
         image=changed(lambda d: dump(d)[:-1] + b',"layers":[]}'))
def should_fail_registry_duplicate_key(w):
    pass


@refused('duplicate|twice|case', status=4, row=12,
         image=changed(lambda d: dump(d)[:-1] + b',"Layers":[]}'))
def should_fail_registry_duplicate_key_by_case(w):
    pass


@refused('schema', status='3,4', row=11)
def should_fail_schema_1_signed(w):
    doc = {'schemaVersion': 1, 'name': 'demo', 'tag': '1', 'architecture': 'amd64',
           'fsLayers': [{'blobSum': w.layer}], 'history': [{'v1Compatibility': '{"id":"' + '0' * 64 + '"}'}],
           'signatures': []}
    w.add_top(doc, SCHEMA_1)


# --- foreign layers (row 13) ----------------------------------------------------------------------

def foreign(w, **kw):
    evil = w.evil(**kw)
    doc = json.loads(w.blobs[w.top])
    doc['layers'][0]['urls'] = [f'{evil.url}/v2/demo/blobs/{w.layer}', 'file:///etc/passwd']
    doc['layers'][0]['mediaType'] = OCI + 'layer.nondistributable.v1.tar+gzip'
    w.add_top(doc)
    unasked(w)


@refused('blob|layer|404|unknown|not', status='3,4', row=13, args=PRIVATE, auth='basic')
def should_fail_foreign_layer_only_elsewhere(w):
    """CVE-2020-15157: the registry has no such layer, and the manifest knows a place that does."""
    foreign(w)
    w.hook('layer', lambda r, a: error(404, 'BLOB_UNKNOWN') if r.server.name == 'registry' else a)


@served(row=13, args=PRIVATE, auth='basic')
def should_pass_foreign_layer_urls_never_asked(w):
    foreign(w)


# --- digests (row 14) -----------------------------------------------------------------------------

def no_odd_paths(w):
    def judge():
        odd = [r.target for r in w.requests if '..' in r.target or '%2e' in r.target.lower()]
        return f'asked for {odd[0]}' if odd else None
    w.judge = judge


@refused('digest', status=4, row=14, image=layer_is(digest='sha256:../../../../../etc/passwd'))
def should_fail_registry_digest_dotdot(w):
    no_odd_paths(w)


@refused('digest', status=4, row=14, image=layer_is(digest=sha256(gz(GOOD)).upper()))
def should_fail_registry_digest_upper_case(w):
    pass


@refused('digest', status=4, row=14, image=layer_is(digest='sha256:abcd'))
def should_fail_registry_digest_short(w):
    pass


@refused('digest|algorithm', status=4, row=14, image=layer_is(digest='md5:d41d8cd98f00b204e9800998ecf8427e'))
def should_fail_registry_digest_md5(w):
    pass


@refused('digest', status=4, row=14)
def should_fail_digest_header_dotdot(w):
    """What names the blob in the store is never taken from a header."""
    w.hook('manifest', lambda r, a: a.set('Docker-Content-Digest', 'sha256:../../../../evil'))


@refused('digest', status=4, row=14)
def should_fail_pinned_digest_gives_another(w):
    """Asked for by digest: another manifest, which is a good one."""
    other = Image(Layer(GOOD + b'\0' * 512))
    data = other.add(other.make_manifest())
    w.blobs.update({p[6:].replace('/', ':'): d for p, d in other.blobs.items()})
    w.ref = f'{w.registry.host}/demo@{w.top}'
    w.hook('manifest', lambda r, a: Answer(200, data, [('Content-Type', MANIFEST),
                                                       ('Docker-Content-Digest', sha256(data))]))


# --- credentials (rows 17 to 19) ------------------------------------------------------------------

def token_giver(request):
    body = dump({'token': TOKEN, 'access_token': TOKEN, 'expires_in': 300})
    return Answer(200, body, [('Content-Type', 'application/json')])


def realm_at(w, form, answer=token_giver, **kw):
    evil = w.evil(answer=answer, **kw)
    w.realm = form.replace('HOST', evil.host).replace('PORT', str(evil.port)).replace(
        'REGISTRY', w.registry.host)


@refused('realm|credential|another|site|token', row=17, args=PRIVATE, auth='token')
def should_fail_realm_other_host(w):
    """CVE-2026-33540."""
    realm_at(w, 'http://HOST/token')


@refused('realm|credential|another|site|token', row=17, args=PRIVATE, auth='token')
def should_fail_realm_user_info(w):
    realm_at(w, 'http://REGISTRY@HOST/token')


@refused('realm|credential|another|site|token', row=17, args=PRIVATE, auth='token')
def should_fail_realm_backslash(w):
    """Some readers of URLs end the host at a backslash, others do not."""
    realm_at(w, 'http://HOST\\\\@REGISTRY/token')


@refused('realm|credential|another|site|token', row=17, args=PRIVATE, auth='token')
def should_fail_realm_fragment(w):
    realm_at(w, 'http://HOST#@REGISTRY/token')


@refused('realm|credential|another|site|token', row=17, args=PRIVATE, auth='token')
def should_fail_realm_localhost_by_name(w):
    realm_at(w, 'http://localhost:PORT/token', address='127.0.0.1')


@refused('realm|scheme|url|http', row=17, auth='token')
def should_fail_realm_is_file(w):
    w.realm = 'file:///etc/passwd'


@refused('realm|scheme|url|http', row=17, auth='token')
def should_fail_realm_is_gopher(w):
    realm_at(w, 'gopher://HOST/_GET%20/')
    unasked(w)


@refused('realm|url|challenge|auth', row=17, auth='token')
def should_fail_realm_empty(w):
    w.hook('challenge', lambda r, a: a.set('WWW-Authenticate', 'Bearer realm="",service="registry"'))


@refused('realm|challenge|auth', row=17, auth='token')
def should_fail_challenge_without_realm(w):
    w.hook('challenge', lambda r, a: a.set('WWW-Authenticate', 'Bearer service="registry"'))


@refused('challenge|auth|HTTP_FIELD', row=17, auth='token')
def should_fail_challenge_of_kilobytes(w):
    w.hook('challenge', lambda r, a: a.set('WWW-Authenticate', 'Bearer ' + 'a="b",' * 10000))


@refused('challenge|auth|quot|realm', row=17, auth='token')
def should_fail_challenge_quote_open(w):
    w.hook('challenge', lambda r, a: a.set('WWW-Authenticate', 'Bearer realm="http://127.0.0.1/\\'))


@refused('challenge|auth', row=17, auth='token')
def should_fail_challenge_unknown_scheme(w):
    w.hook('challenge', lambda r, a: a.set('WWW-Authenticate', 'Negotiate, NTLM'))


@refused('token|auth|redirect', row=(17, 18), args=PRIVATE, auth='token')
def should_fail_token_server_redirects(w):
    evil = w.evil(answer=token_giver)
    w.hook('token', lambda r, a: Answer(307, b'', [('Location', evil.url + '/token')]))
    w.hook('any', lambda r, a: a)
    w.reject_token()


@refused('auth|denied|401|refused|credential', status='3', row=17, auth='token')
def should_fail_token_never_enough(w):
    """Each token is answered with a new challenge: no loop."""
    w.reject_token()
    at_most(w, 60)


@refused('auth|401|credential|password', status='3', row=17, auth='basic')
def should_fail_basic_never_enough(w):
    w.hook('any', lambda r, a: w.challenge() if a.status == 200 else a)
    at_most(w, 60)


@refused('token', row=(17, 20), auth='token')
def should_fail_token_with_line_break(w):
    """A token is a header's value: a line break would be a header of the registry's choice."""
    w.hook('token', lambda r, a: Answer(200, dump({'token': 'a\r\nX-Evil: 1', 'expires_in': 300}),
                                        [('Content-Type', 'application/json')]))

    def judge():
        return 'a header was smuggled' if any('x-evil' in r.headers for r in w.requests) else None
    w.judge = judge


@refused('token|json', row=17, auth='token')
def should_fail_token_is_html(w):
    w.hook('token', lambda r, a: Answer(200, b'<html>log in</html>', [('Content-Type', 'text/html')]))


@refused('token|json', row=17, auth='token')
def should_fail_token_empty(w):
    w.hook('token', lambda r, a: Answer(200, b'{"token":""}', [('Content-Type', 'application/json')]))


@served(row=17, args=PRIVATE, auth='token')
def should_pass_realm_same_host_other_port(w):
    tokens = w.server('tokens', '127.0.0.1', w.answer)
    w.trusted.add('tokens')
    w.realm = tokens.url + '/token'
    asked(w, 'tokens')


@refused('realm|http|plain|tls|secure', row=17, args=PRIVATE, auth='token', tls=True)
def should_fail_realm_plain_http(w):
    """The registry speaks TLS, its token server does not: the password would travel in the open."""
    realm_at(w, 'http://HOST/token', address='127.0.0.1')


@refused('certificate|tls|ssl', row=17, args=PRIVATE, auth='token', tls=True)
def should_fail_realm_unknown_certificate(w):
    """CVE-2019-10214: TLS to the token server is checked as well."""
    realm_at(w, 'https://HOST/token', address='127.0.0.1', tls=w.context('stranger'))
    unasked(w)


@refused('certificate|tls|ssl', status='3', row=17, auth='basic', tls=True)
def should_fail_unknown_certificate(w):
    w.registry.tls = w.context('stranger')
    w.judge = lambda: 'spoken to all the same' if w.requests else None


@refused('realm|credential|another|site|token', row=19, args=PRIVATE, auth='identity')
def should_fail_identity_token_to_other_realm(w):
    """CVE-2026-48978: a refresh token is worth more than a password."""
    realm_at(w, 'http://HOST/token')


@refused('auth|401|403|redirect|denied|credential', row=(17, 18), args=PRIVATE, auth='basic')
def should_fail_challenge_behind_redirect(w):
    """Where a redirect led, a challenge is no reason to hand over what was meant for the registry."""
    evil = w.evil(answer=lambda r: error(401, 'UNAUTHORIZED', headers=[
        ('WWW-Authenticate', 'Basic realm="registry"')]))
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', evil.url + '/x')]))


@refused('auth|401|403|redirect|denied|realm', row=(17, 18), args=PRIVATE, auth='token')
def should_fail_bearer_challenge_behind_redirect(w):
    evil = w.evil(answer=lambda r: error(401, 'UNAUTHORIZED', headers=[
        ('WWW-Authenticate', f'Bearer realm="{evil.url}/token",service="registry"')]))
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', evil.url + '/x')]))


# --- redirects (rows 18, 19, 58) ------------------------------------------------------------------

def redirect(w, form, kind='layer', status=307, **kw):
    """The layer's bytes lie elsewhere: honestly so, unless the place is not to be asked."""
    evil = w.evil(**kw)
    where = form.replace('HOST', evil.host).replace('PORT', str(evil.port)).replace('REGISTRY', w.registry.host)
    w.hook(kind, lambda r, a: Answer(status, b'', [('Location', where.replace('PATH', r.path))])
           if r.server.name == 'registry' else a)


@served(row=18, args=PRIVATE, auth='token')
def should_pass_redirect_to_other_host(w):
    """As registries do with object stores; Authorization stays behind."""
    redirect(w, 'http://HOSTPATH')
    asked(w, 'evil')


@served(row=18, args=PRIVATE, auth='basic')
def should_pass_redirect_to_other_port(w):
    """CVE-2022-27774: another port is another host."""
    redirect(w, 'http://HOSTPATH', address='127.0.0.1')
    asked(w, 'evil')


@served(row=18, auth='basic')
def should_pass_redirect_within_registry(w):
    w.hook('layer', lambda r, a: a if r.query else Answer(307, b'', [('Location', r.path + '?there=1')]))


@case('0,3,4', row=(18, 48), args=PRIVATE, auth='token')
def should_pass_redirect_of_manifest(w):
    """Followed or not; without credentials in any case."""
    redirect(w, 'http://HOSTPATH', kind='manifest')


@refused('redirect', row=58, seconds=60)
def should_fail_redirect_loop(w):
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', r.path)]))
    at_most(w, 120)


@refused('redirect', row=58, args=PRIVATE, seconds=60)
def should_fail_redirect_loop_of_two(w):
    evil = w.evil(answer=lambda r: Answer(307, b'', [('Location', w.registry.url + r.path)]))
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', evil.url + r.path)]))
    at_most(w, 120)


@refused('redirect', row=58, seconds=60)
def should_fail_redirect_chain_endless(w):
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', r.path + '?%d' % len(w.requests))]))
    at_most(w, 120)


@refused('redirect|scheme|protocol|url|http', row=18)
def should_fail_redirect_to_file(w):
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', 'file:///etc/passwd')]))


@refused('redirect|scheme|protocol|url|http', row=18, args=PRIVATE)
def should_fail_redirect_to_gopher(w):
    redirect(w, 'gopher://HOST/_PATH')
    unasked(w)


@refused('redirect|location|307', row=58)
def should_fail_redirect_without_location(w):
    w.hook('layer', lambda r, a: Answer(307, b''))


@refused('redirect|url|location|header', row=58)
def should_fail_redirect_location_huge(w):
    w.hook('layer', lambda r, a: Answer(307, b'', [('Location', '/' + 'x' * (3 << 20))]))


@refused('redirect|plain|http|protocol', row=18, args=PRIVATE, auth='basic', tls=True)
def should_fail_redirect_to_plain_http(w):
    redirect(w, 'http://HOSTPATH', address='127.0.0.1')
    unasked(w)


def private(name, form, **kw):
    """A redirect and a realm to an address that nobody outside should be able to make us ask."""
    @refused('private|address|not allowed|refused', row=19, name=f'should-fail-redirect-to-{name}')
    def by_redirect(w):
        redirect(w, f'http://{form}PATH', **kw)
        unasked(w)

    @refused('private|address|not allowed|refused|realm|site|url', row=19, auth='token',
             name=f'should-fail-realm-at-{name}')
    def by_realm(w):
        realm_at(w, f'http://{form}/token', **kw)
        unasked(w)


private('loopback', 'HOST')
private('loopback-other-port', 'HOST', address='127.0.0.1')
private('loopback-ipv6', 'HOST', address='::1')
private('loopback-mapped', '[::ffff:127.0.0.2]:PORT')
private('loopback-decimal', '2130706434:PORT')
private('loopback-hexadecimal', '0x7f000002:PORT')
private('loopback-short', '127.2:PORT')
private('loopback-octal', '0177.0.0.02:PORT')
private('localhost', 'localhost:PORT', address='127.0.0.1')
private('unspecified', '0.0.0.0:PORT', address='0.0.0.0')
private('metadata-service', '169.254.169.254')
private('metadata-service-mapped', '[::ffff:a9fe:a9fe]')
private('private-network', '10.255.255.1:PORT')


# --- answers without end (row 20) -----------------------------------------------------------------

def json_type(media=MANIFEST):
    return [('Content-Type', media)]


@refused('DOCUMENT|long|large|size|bytes', row=20)
def should_fail_manifest_endless(w):
    w.hook('manifest', lambda r, a: Answer(200, endless(), json_type(), length=None))


@refused('DOCUMENT|long|large|size|bytes', row=20)
def should_fail_manifest_endless_chunked(w):
    w.hook('manifest', lambda r, a: Answer(200, endless(), json_type(), length=None, chunked=True))


@refused('DOCUMENT|long|large|size|bytes', row=20)
def should_fail_manifest_claims_terabyte(w):
    w.hook('manifest', lambda r, a: Answer(200, endless(), json_type(), length=1 << 40))


@refused('DOCUMENT|long|large|size|bytes', row=20)
def should_fail_manifest_one_byte_past_limit(w):
    w.hook('manifest', lambda r, a: Answer(200, a.body + b' ' * ((4 << 20) + 1 - len(a.body)), json_type()))


@refused('size|long|bytes', row=20)
def should_fail_config_endless(w):
    w.hook('config', lambda r, a: Answer(200, endless(), a.headers, length=None))


@refused('size|long|bytes', row=20)
def should_fail_layer_endless(w):
    w.hook('layer', lambda r, a: Answer(200, endless(), a.headers, length=None))


@refused('token|long|large|limit', row=20, auth='token')
def should_fail_token_endless(w):
    w.hook('token', lambda r, a: Answer(200, endless(b'{"token":"' + b'a' * 65526), json_type('application/json'),
                                        length=None))


@refused('404|not found|unknown|denied|403', row=20)
def should_fail_error_body_endless(w):
    w.hook('manifest', lambda r, a: Answer(404, endless(), json_type('application/json'), length=None))


@refused('403|denied|auth', row=20)
def should_fail_error_text_of_megabytes(w):
    w.hook('manifest', lambda r, a: error(403, 'DENIED', 'no ' * (1 << 20)))
    w.most_said = 8192


@refused('header|large|long|limit', row=20)
def should_fail_headers_endless(w):
    def answer(r, a):
        def lines():
            yield b'HTTP/1.1 200 OK\r\n'
            for i in range(1 << 24):
                yield b'X-Filler-%d: %s\r\n' % (i, b'x' * 8000)
        return Answer(raw=Stream(lines()))
    w.hook('manifest', answer)


class Stream(bytes):
    """Raw bytes that come piece by piece."""

    def __new__(cls, pieces):
        self = super().__new__(cls)
        self.pieces = pieces
        return self


@refused('header|large|long|limit|100|interim|informational|time', row=20)
def should_fail_interim_answers_endless(w):
    def answer(r, a):
        return Answer(raw=Stream(b'HTTP/1.1 103 Early\r\nLink: <x>\r\n\r\n' * 500 for _ in range(1 << 20)))
    w.hook('manifest', answer)


@refused('encoding|media|json|digest|DOCUMENT', row=20)
def should_fail_manifest_gzip_bomb(w):
    """Four gigabytes of blanks in four megabytes, by Content-Encoding."""
    import zlib
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b''.join([z.compress(b' ' * (1 << 20)) for _ in range(256)]) + z.flush()
    w.hook('manifest', lambda r, a: Answer(200, bomb, json_type() + [('Content-Encoding', 'gzip')]))


# --- signatures and referrers without number (row 21, 44) -----------------------------------------

def referrer_index(n, subject):
    return dump({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
        {'mediaType': MANIFEST, 'digest': sha256(b'%d' % i), 'size': 500,
         'artifactType': 'application/vnd.example.signature', 'annotations': {'of': subject}}
        for i in range(n)]})


@case('0,3,4', row=21, only='fetch')
def should_pass_referrers_ten_thousand(w):
    """CVE-2024-29902: at most a fixed number of them is ever asked for."""
    body = referrer_index(10000, w.top)
    w.hook('referrers', lambda r, a: Answer(200, body, json_type(INDEX)))
    at_most(w, 400)


@case('0,3,4', row=21, only='fetch')
def should_pass_referrers_endless(w):
    w.hook('referrers', lambda r, a: Answer(200, endless(), json_type(INDEX), length=None))
    at_most(w, 400)


@case('0,3,4', row=(21, 44), only='fetch')
def should_pass_referrers_pages_endless(w):
    body = referrer_index(1, w.top)
    w.hook('referrers', lambda r, a: Answer(200, body, json_type(INDEX) + [
        ('Link', f'<{r.path}?last={len(w.requests)}>; rel="next"')]))
    at_most(w, 400)


@case('0,3,4', row=(18, 21), only='fetch', args=PRIVATE, auth='token')
def should_pass_referrers_next_page_elsewhere(w):
    evil = w.evil()
    w.hook('referrers', lambda r, a: Answer(200, referrer_index(1, w.top), json_type(INDEX) + [
        ('Link', f'<{evil.url}/v2/demo/referrers/x>; rel="next"')]))
    unasked(w)


@case('0,3,4', row=44, only='fetch')
def should_pass_referrers_cycle(w):
    """The image is its own referrer, and so is everything else."""
    d = {'mediaType': MANIFEST, 'digest': w.top, 'size': len(w.blobs[w.top]), 'artifactType': 'a/b'}
    w.hook('referrers', lambda r, a: Answer(200, dump({'schemaVersion': 2, 'mediaType': INDEX,
                                                       'manifests': [d]}), json_type(INDEX)))
    at_most(w, 400)


@case('0,3,4', row=21, only='fetch')
def should_pass_referrer_of_another_subject(w):
    """What is listed as a signature of this image is one of another."""
    other = dump({'schemaVersion': 2, 'mediaType': MANIFEST, 'artifactType': 'a/b',
                  'config': descriptor(b'{}', 'application/vnd.oci.empty.v1+json'), 'layers': [],
                  'subject': descriptor(b'another', MANIFEST)})
    w.blobs.update({sha256(other): other, sha256(b'{}'): b'{}'})
    w.kinds.update({sha256(other): 'manifest', sha256(b'{}'): 'config'})
    w.hook('referrers', lambda r, a: Answer(200, dump({
        'schemaVersion': 2, 'mediaType': INDEX,
        'manifests': [{**descriptor(other, MANIFEST), 'artifactType': 'a/b'}]}), json_type(INDEX)))
    at_most(w, 400)


def nested(depth):
    def make():
        im = Image(GOOD)
        d = descriptor(im.add(im.make_manifest()), MANIFEST, platform={'os': 'linux', 'architecture': 'amd64'})
        for _ in range(depth):
            d = descriptor(im.add({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [d]}), INDEX)
        im.index = {'schemaVersion': 2, 'manifests': [d]}
        return im
    return make


@refused('INDEX_NESTING|nest', status=4, row=44, image=nested(1000))
def should_fail_registry_index_thousand_deep(w):
    at_most(w, 60)


@refused('digest|nest|size', status=4, row=44)
def should_fail_index_names_itself(w):
    """For whatever digest is asked, the registry gives an index that names one more."""
    def answer(r, a):
        n = len(w.requests)
        doc = dump({'schemaVersion': 2, 'mediaType': INDEX, 'manifests': [
            {'mediaType': INDEX, 'digest': sha256(b'%d' % n), 'size': 240,
             'platform': {'os': 'linux', 'architecture': 'amd64'}}]})
        return Answer(200, doc, json_type(INDEX))
    w.hook('manifest', answer)
    at_most(w, 60)


# --- sizes (rows 42, 43) --------------------------------------------------------------------------

@refused('size|max', row=42, args=['--max-size', '1M'],
         image=lambda: Image(Layer(GOOD, blob=gz(GOOD) + b'x' * (2 << 20))))
def should_fail_image_past_max_size(w):
    """The budget is checked before any layer is asked for."""
    no_layer_asked(w)


@refused('size|max|LAYER_BLOB', row=42, image=layer_is(size=1 << 50))
def should_fail_layer_claims_petabyte(w):
    no_layer_asked(w)


def many_layers(doc):
    doc['layers'] = [{**doc['layers'][0], 'digest': sha256(b'%d' % i), 'size': (1 << 63) - 1} for i in range(4)]
    return doc


@refused('size|max|LAYER_BLOB|number|diff_?id', row=(42, 43), image=changed(many_layers))
def should_fail_layer_sizes_wrap(w):
    """Four sizes whose sum is small in 64 bits."""
    no_layer_asked(w)


@refused('size|number|negative', status=4, row=43, image=layer_is(size=-1))
def should_fail_registry_size_negative(w):
    no_layer_asked(w)


@refused('size|number|integer|LAYER_BLOB', status='3,4', row=43, image=layer_is(size=2**53 + 2))
def should_fail_registry_size_past_2_53(w):
    no_layer_asked(w)


@refused('LAYERS|layers', row=42, image=changed(lambda d: {**d, 'layers': d['layers'] * 5000}))
def should_fail_registry_layer_count(w):
    no_layer_asked(w)


@refused('blob|404|layer|unknown', status='3,4', row=42)
def should_fail_registry_layer_missing(w):
    w.hook('layer', lambda r, a: error(404, 'BLOB_UNKNOWN', 'blob unknown to registry'))


@refused('media ?type|config|artifact|image', row=10,
         image=changed(lambda d: {**d, 'config': {**d['config'], 'mediaType': HELM}}))
def should_fail_registry_artifact_is_no_image(w):
    pass


# --- ranges (row 57) ------------------------------------------------------------------------------

def big():
    """A layer that is worth resuming."""
    import random
    noise = random.Random(57).randbytes(3 << 20)
    from cases_layers import debian
    from forge import file
    return Image(debian(file('noise', noise)))


def cut_then(w, answer):
    """The first try ends in the middle; what follows, with a Range or without, is `answer`'s."""
    tries = []

    def hook(r, a):
        if r.method != 'GET':
            return a
        tries.append(r)
        whole = w.blobs[w.layer]
        if len(tries) == 1:
            return Answer(200, whole, a.headers, cut=len(whole) // 2)
        return answer(r, a, whole)
    w.hook('layer', hook)


def ranged(w, first, last, total, body):
    return Answer(206, body, [('Content-Range', f'bytes {first}-{last}/{total}'),
                              ('Content-Type', 'application/octet-stream')])


@served(row=57, image=big)
def should_pass_resume_by_range(w):
    cut_then(w, lambda r, a, whole: a)

    def judge():
        return None if any(r.range() for r in w.requests) else 'nothing was asked for by range'
    w.judge = judge


@served(row=57, image=big)
def should_pass_resume_ranges_not_known(w):
    cut_then(w, lambda r, a, whole: Answer(200, whole, a.headers))


@case('0,3,4', row=57, image=big)
def should_pass_resume_416(w):
    cut_then(w, lambda r, a, whole: Answer(416, b'', [('Content-Range', f'bytes */{len(whole)}')])
             if r.range() else a)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_from_the_start(w):
    """206, but the bytes begin at the start: appended they would be another blob."""
    cut_then(w, lambda r, a, whole: ranged(w, 0, len(whole) - 1, len(whole), whole) if r.range() else a)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_overlaps(w):
    def answer(r, a, whole):
        if not r.range():
            return a
        at = max(0, r.range()[0] - 1000)
        return ranged(w, at, len(whole) - 1, len(whole), whole[at:])
    cut_then(w, answer)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_skips(w):
    def answer(r, a, whole):
        if not r.range():
            return a
        at = r.range()[0] + 1000
        return ranged(w, at, len(whole) - 1, len(whole), whole[at:])
    cut_then(w, answer)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_lies_about_its_place(w):
    """The header says what was asked; the bytes are the blob's first."""
    def answer(r, a, whole):
        if not r.range():
            return a
        at = r.range()[0]
        return ranged(w, at, len(whole) - 1, len(whole), whole[:len(whole) - at])
    cut_then(w, answer)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_total_huge(w):
    cut_then(w, lambda r, a, whole: Answer(206, endless(), [
        ('Content-Range', f'bytes {r.range()[0]}-9223372036854775806/9223372036854775807')], length=None)
        if r.range() else a)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_header_missing(w):
    cut_then(w, lambda r, a, whole: Answer(206, whole[:1000], []) if r.range() else a)


@case('3,4,0', 'range|digest|size|bytes', row=57, image=big)
def should_fail_range_multipart(w):
    body = b'--x\r\nContent-Range: bytes 0-1/2\r\n\r\nab\r\n--x--\r\n'
    cut_then(w, lambda r, a, whole: Answer(206, body, [('Content-Type', 'multipart/byteranges; boundary=x')])
             if r.range() else a)


@case('3,4,0', 'range|partial|digest|size|bytes', row=57)
def should_fail_partial_content_unasked(w):
    w.hook('layer', lambda r, a: Answer(206, a.body[10:], [
        ('Content-Range', f'bytes 10-{len(a.body) - 1}/{len(a.body)}')]))


# --- HTTP itself (row 58) -------------------------------------------------------------------------

def raw(kind, text):
    def spoil(w):
        w.hook(kind, lambda r, a: Answer(raw=text(a) if callable(text) else text))
    return spoil


def http(name, kind, text, reason='.', **kw):
    _ = refused(reason, row=58, name='should-fail-' + name, **kw)(raw(kind, text))


def head(*lines):
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


http('content-length-too-large', 'layer', lambda a: head(
    'HTTP/1.1 200 OK', f'Content-Length: {len(a.body) + 10}') + a.body, seconds=90)
http('content-length-too-small', 'layer', lambda a: head(
    'HTTP/1.1 200 OK', f'Content-Length: {len(a.body) - 10}') + a.body)
http('content-length-negative', 'layer', lambda a: head(
    'HTTP/1.1 200 OK', 'Content-Length: -1') + a.body[:-1])
http('chunked-without-end', 'layer', lambda a: head(
    'HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + b'10\r\n' + a.body[:16] + b'\r\n')
http('chunk-size-overflows', 'layer', lambda a: head(
    'HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + b'1' + b'0' * 16 + b'\r\n' + a.body)
http('chunk-size-is-text', 'layer', lambda a: head(
    'HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + b'zz\r\n' + a.body)
http('answer-is-garbage', 'manifest', b'\x00\xff\x00\xff' * 4096)
http('answer-is-http-0-9', 'manifest', b'<html>hello</html>')
http('answer-is-smtp', 'manifest', b'220 mail.example ESMTP\r\n' * 100)
http('answer-hangs-up', 'manifest', b'')
http('status-is-text', 'manifest', head('HTTP/1.1 abc OK', 'Content-Length: 2') + b'{}')
http('status-999', 'manifest', head('HTTP/1.1 999 OK', 'Content-Length: 2') + b'{}')
http('status-204', 'manifest', head('HTTP/1.1 204 No Content'))
http('header-with-nul', 'manifest', lambda a: b'HTTP/1.1 200 OK\r\nContent-Type: a\0b\r\n'
     b'Content-Length: %d\r\n\r\n' % len(a.body) + a.body)


@case('3,4,0', row=58)
def should_fail_content_length_twice(w):
    """Whichever is believed: what is kept are the blob's bytes, or nothing."""
    w.hook('layer', lambda r, a: Answer(raw=head(
        'HTTP/1.1 200 OK', 'Content-Length: 5', f'Content-Length: {len(a.body)}') + a.body))


@case('3,4,0', row=58)
def should_fail_chunked_and_content_length(w):
    """Which of the two is believed must not matter: the bytes are the blob's, or the case ends."""
    def text(r, a):
        return Answer(raw=head('HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked')
                      + b'%x\r\n%s\r\n0\r\n\r\n' % (len(a.body), a.body))
    w.hook('layer', text)


@case('3,4,0', row=58)
def should_fail_blob_content_encoding(w):
    """The digest is that of the bytes that the manifest meant, whatever the header says of them."""
    w.hook('layer', lambda r, a: a.set('Content-Encoding', 'gzip'))


@refused('503|unavailable|error', status='3', row=58, seconds=90)
def should_fail_server_error_for_ever(w):
    w.hook('manifest', lambda r, a: error(503, 'UNAVAILABLE', 'come back later'))
    at_most(w, 30)


@refused('429|too ?many|later|rate|retry', row=58, seconds=90)
def should_fail_retry_after_years(w):
    """What a registry asks for in patience is capped."""
    w.hook('manifest', lambda r, a: error(429, 'TOOMANYREQUESTS', 'slow down', [('Retry-After', '99999999999')]))


@served(row=58)
def should_pass_retry_after_a_second(w):
    times = []

    def hook(r, a):
        times.append(time.monotonic())
        return error(429, 'TOOMANYREQUESTS', headers=[('Retry-After', '1')]) if len(times) % 3 == 1 else a
    w.hook('manifest', hook)
    w.judge = lambda: None if times[1] - times[0] > 0.9 else 'Retry-After was not honoured'


@served(row=58)
def should_pass_server_errors_at_first(w):
    seen = {}

    def hook(r, a):
        seen[r.path] = seen.get(r.path, 0) + 1
        return error(502, 'X') if seen[r.path] % 3 == 1 else a
    w.hook('any', hook)


@served(row=58)
def should_pass_connection_reset_at_first(w):
    seen = {}

    def hook(r, a):
        seen[r.path] = seen.get(r.path, 0) + 1
        return None if seen[r.path] % 3 == 1 else a
    w.hook('any', hook)


# --- what a registry says reaches a person --------------------------------------------------------

@refused('sanctioned vessel', status='3', row=58)
def should_fail_denied_with_its_reason(w):
    w.hook('manifest', lambda r, a: error(403, 'DENIED', 'sanctioned vessel'))


@refused('denied', status='3', row=58)
def should_fail_error_with_terminal_escapes(w):
    """Judged by the run: no raw control character may be printed."""
    w.hook('manifest', lambda r, a: error(403, 'DENIED', '\x1b]0;owned\x07\x1b[2Jdenied \x9b31m \u202e'))


@served(row=58)
def should_pass_warning_with_terminal_escapes(w):
    w.hook('manifest', lambda r, a: a.set('Warning', '299 - "careful \x1b[31m \x07"'))


@refused('platform|is for', status='3', row=42, args=['--platform', 'linux/s390x'],
         image=lambda: with_index(Image(GOOD)))
def should_fail_registry_no_such_platform(w):
    no_layer_asked(w)


@refused('manifest|unknown|404|not', status='3', row=42)
def should_fail_registry_no_such_tag(w):
    w.ref = f'{w.registry.host}/demo:nowhere'


@refused('connect|refused|reach', status='3', row=58)
def should_fail_registry_is_not_there(w):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    w.conf = f'[[registry]]\nlocation = "127.0.0.1:{port}"\ninsecure = true\n'
    w.ref = f'127.0.0.1:{port}/demo:1'


@refused('tls|ssl|certificate|insecure|https', status='3', row=17)
def should_fail_plain_http_not_configured(w):
    """A registry without TLS is not spoken to, unless registries.conf says so."""
    w.plain = False

    def judge():
        return 'asked in plain HTTP' if w.count('^(GET|HEAD) /v2') else None
    w.judge = judge


@refused('blocked', status='2,3', row=59)
def should_fail_blocked_by_registries_conf(w):
    w.conf = f'[[registry]]\nprefix = "{w.registry.host}/demo"\nlocation = "{w.registry.host}/demo"\n' \
             'blocked = true\n'
    w.judge = lambda: 'asked all the same' if w.requests else None


# --- names and tags (rows 59, 60) -----------------------------------------------------------------

def named(name, like, row=59):
    """A name of docker.io that looks like an official one; registries.conf leads it here."""
    @served(row=row, name='should-pass-near-name-' + name.replace('/', '-'),
            says='official image ' + like)
    def near(w):
        w.conf = f'[[registry]]\nprefix = "docker.io"\nlocation = "{w.registry.host}"\ninsecure = true\n'
        w.ref = name + ':1'
        w.anywhere = True


for _name, _like in (('alpinne', 'alpine'), ('ngnix', 'nginx'), ('reddis', 'redis'), ('postgers', 'postgres'),
                     ('debiam', 'debian'), ('alp1ne', 'alpine'), ('libary/nginx', 'nginx'),
                     ('nginx/nginx', 'nginx'), ('rnysql', 'mysql')):
    named(_name, _like)


@served(row=60, says='moved|now|another|changed', again=lambda w: push_again(w), only='fetch')
def should_pass_tag_pushed_again(w):
    """The same tag means another image the second time: said aloud."""


def push_again(w):
    im = Image(Layer(GOOD + b'\0' * 512))
    w.image = im
    w.documents()


__all__ = ['CASES', 'CONFIG']
