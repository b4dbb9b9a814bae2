#!/usr/bin/env python3
# saslauthd.py - speaks the saslauthd protocol to a socket
# SPDX-License-Identifier: BSD-2-Clause
"""Sends one request, or many at once, and prints one line for each reply:
"OK text", "NO text", "TEMPORARY" (count below two), "CLOSED" or "TIMEOUT"."""

import argparse
import collections
import os
import socket
import struct
import sys
import threading
import time


def field(data):
    return struct.pack(">H", len(data)) + data


def exactly(sock, length):
    data = b""
    while len(data) < length:
        part = sock.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def ask(path, fields, timeout):
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(timeout)
            sock.connect(path)
            sock.sendall(b"".join(field(value) for value in fields))
            (length,) = struct.unpack(">H", exactly(sock, 2))
            if length < 2:
                return "TEMPORARY"
            text = exactly(sock, length).decode("utf-8", "backslashreplace")
            return text[:2] + (" " + text[2:].strip() if text[2:].strip() else "")
    except socket.timeout:
        return "TIMEOUT"
    except EOFError:
        return "CLOSED"
    except OSError as error:
        return "ERROR %s" % error.strerror


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--service", default="smtp")
    parser.add_argument("--realm", default="")
    parser.add_argument("--client", help="adds the fifth field")
    parser.add_argument("--escapes", action="store_true",
                        help="\\x00 and the like in user and password")
    parser.add_argument("--pairs", help="file of user TAB password lines")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--again", type=float, default=0, metavar="SECONDS",
                        help="asks again while the answer is TEMPORARY")
    parser.add_argument("--count", action="store_true",
                        help="prints how often each reply came, not each reply")
    parser.add_argument("--took", action="store_true",
                        help="prints the slowest answer's milliseconds to stderr")
    return parser.parse_args()


def raw(text, escapes):
    data = os.fsencode(text)
    if escapes:
        data = data.decode("latin-1").encode("latin-1").decode("unicode_escape").encode("latin-1")
    return data


def main():
    args = arguments()
    if args.pairs:
        with open(args.pairs, "rb") as lines:
            pairs = [tuple(line.rstrip(b"\n").split(b"\t", 1)) for line in lines]
    else:
        pairs = [(raw(args.user, args.escapes), raw(args.password, args.escapes))]
    jobs = collections.deque(pairs * args.times)
    replies, slowest, again, lock = [], [0.0], [0], threading.Lock()

    def work():
        while True:
            try:
                user, password = jobs.popleft()
            except IndexError:
                return
            fields = [user, password, os.fsencode(args.service), os.fsencode(args.realm)]
            if args.client is not None:
                fields.append(os.fsencode(args.client))
            began = start = time.monotonic()
            reply = ask(args.socket, fields, args.timeout)
            took = time.monotonic() - start
            while reply == "TEMPORARY" and time.monotonic() - began < args.again:
                with lock:
                    again[0] += 1
                time.sleep(0.2)
                start = time.monotonic()
                reply = ask(args.socket, fields, args.timeout)
                took = max(took, time.monotonic() - start)
            with lock:
                replies.append(reply)
                slowest[0] = max(slowest[0], took)

    threads = [threading.Thread(target=work) for _ in range(args.parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if args.count:
        for reply, times in sorted(collections.Counter(r.split()[0] for r in replies).items()):
            print(reply, times)
        if args.again:
            print("again", again[0])
    else:
        print("\n".join(replies))
    if args.took:
        print(int(slowest[0] * 1000), file=sys.stderr)


if __name__ == "__main__":
    main()
