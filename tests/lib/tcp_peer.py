#!/usr/bin/env python3
# tcp_peer.py - a TCP peer with a fault, for tests of deadlines and failover
# SPDX-License-Identifier: BSD-2-Clause
"""usage: tcp_peer.py ADDRESS PORT mute | blackhole | slow MS TARGET-PORT
mute accepts and never says a word; blackhole lets the handshake starve (its
queue is full, so that the kernel drops every SYN); slow passes everything on
to 127.0.0.1:TARGET-PORT, each piece after MS milliseconds.
Prints "ready" when it is."""

import socket
import sys
import threading
import time


def pump(source, target, seconds):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            time.sleep(seconds)
            target.sendall(data)
    except OSError:
        pass
    for sock in (source, target):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    address, port, fault = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    if fault == "blackhole":
        listener.listen(0)
        fill = []
        for _ in range(8):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((address, port))
            fill.append(sock)
        time.sleep(0.2)
        print("ready", flush=True)
        while True:
            time.sleep(3600)
    listener.listen(256)
    print("ready", flush=True)
    held = []
    while True:
        sock, _ = listener.accept()
        if fault == "mute":
            held.append(sock)
            continue
        seconds, target = int(sys.argv[4]) / 1000, int(sys.argv[5])
        other = socket.create_connection(("127.0.0.1", target))
        for pair in ((sock, other), (other, sock)):
            threading.Thread(target=pump, args=(*pair, seconds), daemon=True).start()


if __name__ == "__main__":
    main()
