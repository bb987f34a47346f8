#!/usr/bin/python3
"""A proxy of the tests' own between a client and a real server: cuts, slows, delays, stalls.

  proxy.py --target HOST:PORT --port-file FILE [OPTION...]

  --listen ADDRESS   default 127.0.0.1; the port is free and is written to FILE
  --rate BYTES       a second, of all connections together, towards the client
  --cut BYTES        a connection ends by reset once it has carried so many bytes to the client
  --truncate BYTES   the same, but it ends as if that were all
  --stall BYTES      the same, but nothing comes any more and the connection stays
  --times N          only the first N connections that get so far (default: all)
  --delay SECONDS    before the first byte to the client
  --log FILE         a JSON line for each connection: when, bytes each way, how it ended
It carries bytes and knows no HTTP, so that TLS and HTTP/2 pass as well. Also used as a module: a Proxy
has `.port`, and `.last`, the moment (time.monotonic) at which the last byte left for the client.
Python's standard library only; on the loopback only.
"""
import argparse
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

PIECE = 16384


CREDIT = 0.02  # seconds: sleeping takes longer than asked for, which must not slow the line down


class Rate:
    """So many bytes a second, whoever asks: a debt that is waited off."""

    def __init__(self, rate):
        self.rate, self.lock, self.free = rate, threading.Lock(), 0.0

    def wait(self, n):
        if not self.rate:
            return
        with self.lock:
            now = time.monotonic()
            self.free = max(self.free, now - CREDIT) + n / self.rate
            until = self.free
        if until > now:
            time.sleep(until - now)


class Proxy:
    def __init__(self, target, listen='127.0.0.1', rate=0, cut=None, truncate=None, stall=None, times=None,
                 delay=0.0, log=None):
        self.target, self.delay, self.log_file = target, delay, log
        self.rate, self.lock = Rate(rate), threading.Lock()
        self.fault, self.at = next(((n, v) for n, v in (('cut', cut), ('truncate', truncate), ('stall', stall))
                                    if v is not None), (None, None))
        self.times = times if times is not None else 1 << 30
        self.last, self.carried = 0.0, 0
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # little is on its way: what was sent has nearly arrived
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * PIECE)
        self.socket.bind((listen, 0))
        self.socket.listen(128)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        begin, counts, how = time.time(), [0, 0], 'closed'
        try:
            server = socket.create_connection(self.target, timeout=30)
            server.settimeout(None)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            up = threading.Thread(target=self.up, args=(client, server, counts), daemon=True)
            up.start()
            how = self.down(server, client, counts)
            hang_up(server)
        except OSError as e:
            how = str(e)
        if how == 'cut':
            # a reset, not an end: and not before nobody reads from it any more, who would keep it open
            client.shutdown(socket.SHUT_RD)
            up.join(10)
        else:
            hang_up(client)
        client.close()
        self.note({'begin': begin, 'end': time.time(), 'up': counts[0], 'down': counts[1], 'how': how})

    def up(self, client, server, counts):
        try:
            while True:
                data = client.recv(PIECE)
                if not data:
                    break
                counts[0] += len(data)
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            hang_up(server)

    def down(self, server, client, counts):
        """How the connection ended."""
        first = True
        while True:
            data = server.recv(PIECE)
            if not data:
                return 'closed'
            if first and self.delay:
                time.sleep(self.delay)
            first = False
            over = self.fault and counts[1] + len(data) > self.at and self.takes_turn()
            if over:
                data = data[:self.at - counts[1]]
            self.rate.wait(len(data))
            client.sendall(data)
            counts[1] += len(data)
            with self.lock:
                self.last, self.carried = time.monotonic(), self.carried + len(data)
            if over:
                return self.end(client)

    def takes_turn(self):
        with self.lock:
            self.times -= 1
            return self.times >= 0

    def end(self, client):
        if self.fault == 'cut':
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        if self.fault == 'stall':
            time.sleep(3600)
        return self.fault

    def note(self, line):
        if self.log_file:
            with self.lock, open(self.log_file, 'a', encoding='ascii') as f:
                f.write(json.dumps(line) + '\n')

    def close(self):
        self.socket.close()


def hang_up(s):
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def main():
    ap = argparse.ArgumentParser(usage=__doc__)
    ap.add_argument('--target', required=True)
    ap.add_argument('--port-file', required=True)
    ap.add_argument('--listen', default='127.0.0.1')
    for name in ('rate', 'cut', 'truncate', 'stall', 'times'):
        ap.add_argument('--' + name, type=int)
    ap.add_argument('--delay', type=float, default=0.0)
    ap.add_argument('--log')
    a = ap.parse_args()
    host, _, port = a.target.rpartition(':')
    p = Proxy((host, int(port)), a.listen, a.rate or 0, a.cut, a.truncate, a.stall, a.times, a.delay, a.log)
    with open(a.port_file + '.tmp', 'w', encoding='ascii') as f:
        f.write(str(p.port))
    os.rename(a.port_file + '.tmp', a.port_file)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.pause()


if __name__ == '__main__':
    main()
