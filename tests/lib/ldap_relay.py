#!/usr/bin/env python3
# ldap_relay.py - stands between a client and slapd, and hinders on demand
# SPDX-License-Identifier: BSD-2-Clause
"""usage: ldap_relay.py SOCKET TARGET ORDER

Passes everything on from the socket SOCKET to the socket TARGET. Each connection
does what file ORDER says when it begins:

pass          nothing else
late SECONDS  what the server answers to a request waits for so long
cut BYTES     closes when the server has sent so many bytes
hold BYTES    stops there, makes ORDER.held, and goes on when that is removed

Prints "ready" when it listens."""

import os
import select
import socket
import sys
import threading
import time


def read_order(path):
    with open(path, encoding="ascii") as file:
        words = file.read().split()
    return words[0], float(words[1]) if len(words) > 1 else 0


def hold(path):
    with open(path, "w", encoding="ascii"):
        pass
    while os.path.exists(path):
        time.sleep(0.02)


def relay(client, server, order):
    what, number = read_order(order)
    sent, waited = 0, False
    while True:
        ready, _, _ = select.select([client, server], [], [])
        if client in ready:
            data = client.recv(65536)
            if not data:
                return
            server.sendall(data)
            waited = False
        if server not in ready:
            continue
        data = server.recv(16384)
        if not data:
            return
        if what == "late" and not waited:
            time.sleep(number)
            waited = True
        client.sendall(data)
        sent += len(data)
        if what == "cut" and sent >= number:
            return
        if what == "hold" and sent >= number:
            hold(order + ".held")
            what = "pass"


def serve(client, target, order):
    with client, socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(target)
            relay(client, server, order)
        except OSError:
            pass


def main():
    path, target, order = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    print("ready", flush=True)
    while True:
        client, _peer = listener.accept()
        threading.Thread(target=serve, args=(client, target, order), daemon=True).start()


main()
