#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who has traffic in docs/picture/scene: actors.py web|statsd|slow-reader|metrics-push"""
import http.server
import socket
import sys
import time

SIZES = {'/small': 100, '/page': 60_000, '/large': 24_000_000, '/endless': 1 << 40}


class Web(http.server.BaseHTTPRequestHandler):
    """So many bytes as the path says."""

    def do_GET(self):
        left = SIZES.get(self.path, 0)
        self.send_response(200)
        self.send_header('Content-Length', str(left))
        self.end_headers()
        block = bytes(1 << 16)
        while left > 0:
            self.wfile.write(block[:left])
            left -= len(block)

    def log_message(self, *_):
        pass


def web():
    http.server.ThreadingHTTPServer(('10.90.0.2', 8080), Web).serve_forever()


def statsd():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    sock.bind(('10.90.0.2', 8125))
    while True:
        sock.recv(2000)
        time.sleep(0.02)


def slow_reader():
    sock = socket.create_connection(('10.90.0.2', 8080))
    sock.sendall(b'GET /endless HTTP/1.0\r\n\r\n')
    while sock.recv(1 << 16):
        time.sleep(0.1)


def metrics_push():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(('10.90.0.2', 8125))
    while True:
        sock.send(b'requests:1|c' * 30)
        time.sleep(0.01)


with open('/proc/self/comm', 'w', encoding='ascii') as comm:
    comm.write(sys.argv[1])
globals()[sys.argv[1].replace('-', '_')]()
