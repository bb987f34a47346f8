#!/usr/bin/python3
"""A dockerd that lies: `liar.py SOCKET LOG`. It takes every image and then says what the name tells.
LOG is there once it listens, and gets a line a request.
"""
import http.server
import json
import socketserver
import sys

ZERO = 'sha256:' + '0' * 64
loaded = [None]


class Liar(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def address_string(self):
        return 'unix'

    def log_message(self, *_):
        pass

    def body(self):
        """What was sent, in chunks or not; a name that stands in it is remembered."""
        data = b''
        if self.headers.get('Transfer-Encoding', '').lower() == 'chunked':
            while True:
                n = int(self.rfile.readline().split(b';')[0], 16)
                data += self.rfile.read(n)
                self.rfile.readline()
                if not n:
                    return data
        return self.rfile.read(int(self.headers.get('Content-Length', 0)))

    def answer(self, status, text):
        text = text.encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def note(self):
        with open(sys.argv[2], 'a', encoding='utf-8') as f:
            f.write(f'{self.command} {self.path}\n')

    def do_GET(self):
        self.note()
        name = self.path.split('/images/')[-1].rsplit('/json', 1)[0]
        if name != loaded[0] or 'lost' in name:
            return self.answer(404, json.dumps({'message': 'No such image: ' + name}))
        image = json.dumps({'Id': ZERO, 'RootFS': {'Type': 'layers', 'Layers': [ZERO]}})
        if 'ambiguous' in name:
            image = image[:-1] + ', "ID": "x"}'
        return self.answer(200, image)

    def do_POST(self):
        self.note()
        data = self.body()
        at = data.index(b'"RepoTags":["') + 13
        loaded[0] = data[at:data.index(b'"', at)].decode()
        said = {'stream': 'Loaded image: x\n'}
        if 'error' in loaded[0]:
            said = {'errorDetail': {'message': 'no'}, 'error': 'no space left \x1b[31m'}
        self.answer(200, json.dumps(said) + '\r\n')

    def do_DELETE(self):
        self.note()
        self.answer(200, '[]')


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


server = Server(sys.argv[1], Liar)
open(sys.argv[2], 'w', encoding='utf-8').close()
server.serve_forever()
