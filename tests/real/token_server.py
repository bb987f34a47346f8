#!/usr/bin/python3
"""A token server as docker-registry's `auth: token` demands: RS256, signed by openssl.

  token_server.py --key KEY.pem --issuer NAME --users FILE --port-file FILE [--log FILE]

FILE of users: lines of "name:password". GET /token with Basic credentials, or POST with
grant_type=password or refresh_token (the refresh token of a user is "refresh-" and the password). Whoever has
no account gets a token for nothing. The log holds a line "METHOD user scope status" for each request.
"""
import argparse
import base64
import hashlib
import http.server
import json
import os
import subprocess
import sys
import time
import urllib.parse


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def fingerprint(key):
    """The id that docker's libtrust gives a key: the first 240 bits of the SHA-256 of its public half."""
    der = subprocess.check_output(['openssl', 'pkey', '-in', key, '-pubout', '-outform', 'DER'])
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ':'.join(text[i:i + 4] for i in range(0, len(text), 4))


def sign(key, claims):
    head = {'typ': 'JWT', 'alg': 'RS256', 'kid': fingerprint(key)}
    body = b64(json.dumps(head).encode()) + '.' + b64(json.dumps(claims).encode())
    signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key], input=body.encode(), check=True,
                               stdout=subprocess.PIPE).stdout
    return body + '.' + b64(signature)


class Handler(http.server.BaseHTTPRequestHandler):
    args = users = None

    def do_GET(self):
        self.give(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
        self.give(dict(urllib.parse.parse_qsl(body)))

    def user(self, asked):
        """A user's name, '' for nobody in particular, None for wrong credentials."""
        given = self.headers.get('Authorization', '')
        name = password = ''
        if given.startswith('Basic '):
            name, _, password = base64.b64decode(given[6:]).decode().partition(':')
        elif asked.get('grant_type') == 'password':
            name, password = asked.get('username', ''), asked.get('password', '')
        elif asked.get('grant_type') == 'refresh_token':
            found = [n for n, p in self.users.items() if asked.get('refresh_token') == 'refresh-' + p]
            return found[0] if found else None
        if not name:
            return ''
        return name if self.users.get(name) == password else None

    def give(self, asked):
        user, scope, now = self.user(asked), asked.get('scope', ''), int(time.time())
        status, answer = 401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'wrong user or password'}]}
        if user is not None:
            access = []
            if user and scope.startswith('repository:'):
                _, name, actions = scope.split(':', 2)
                access = [{'type': 'repository', 'name': name, 'actions': actions.split(',')}]
            token = sign(self.args.key, {'iss': self.args.issuer, 'sub': user, 'aud': asked.get('service', ''),
                                         'exp': now + 300, 'nbf': now - 10, 'iat': now, 'jti': str(time.time_ns()),
                                         'access': access})
            status, answer = 200, {'token': token, 'access_token': token, 'expires_in': 300}
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        if self.args.log:
            with open(self.args.log, 'a', encoding='utf-8') as f:
                f.write(f'{self.command} {user} {scope} {status}\n')

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    for name in ('key', 'issuer', 'users', 'port-file'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--log')
    Handler.args = ap.parse_args()
    with open(Handler.args.users, encoding='utf-8') as f:
        Handler.users = dict(line.strip().split(':', 1) for line in f if ':' in line)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    with open(Handler.args.port_file + '.tmp', 'w', encoding='ascii') as f:
        f.write(str(server.server_port))
    os.rename(Handler.args.port_file + '.tmp', Handler.args.port_file)
    server.serve_forever()


if __name__ == '__main__':
    sys.exit(main())
