#!/usr/bin/env python3
# authd_peers.py - clients of authd's socket that behave in every odd way
# SPDX-License-Identifier: BSD-2-Clause
"""usage: authd_peers.py SOCKET SCENARIO [ARGUMENT...]
Prints what came back as one line: "OK text", "NO text", "TEMPORARY",
"CLOSED" (without a reply), or "TIMEOUT"."""

import os
import resource
import socket
import struct
import sys
import threading
import time


def field(data):
    return struct.pack(">H", len(data)) + data


def frame(user=b"ada@example.org", password=b"right", client=None):
    fields = [user, password, b"smtp", b""]
    if client is not None:
        fields.append(client)
    return [field(value) for value in fields]


def dial(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(15)
    sock.connect(path)
    return sock


def hear(sock):
    data = b""
    try:
        while True:
            part = sock.recv(4096)
            if not part:
                break
            data += part
    except socket.timeout:
        return "TIMEOUT"
    except ConnectionResetError:
        pass
    if len(data) < 2:
        return "CLOSED"
    (length,) = struct.unpack(">H", data[:2])
    if length < 2:
        return "TEMPORARY"
    text = data[2:].decode()
    if len(text) != length:
        return "CUT"
    return (text[:2] + " " + text[2:].strip()).strip()


def ask(path, pieces, pause=0.03):
    """Sends the pieces one by one and reads the reply."""
    with dial(path) as sock:
        for piece in pieces:
            try:
                sock.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(pause)
        return hear(sock)


def one_send(path):
    return ask(path, [b"".join(frame())])


def four_writes(path):
    return ask(path, frame())


def five(path):
    return ask(path, [b"".join(frame(client=b"192.0.2.7;4711"))])


def late_fifth(path):
    """The fifth field has begun, so that the daemon has to wait for it."""
    whole = b"".join(frame(password=b"wrong", client=b"192.0.2.8;25"))
    return ask(path, [whole[:-11], whole[-11:-5], whole[-5:]], 0.2)


def byte_by_byte(path):
    whole = b"".join(frame(client=b"192.0.2.7;4711"))
    # The realm's count ends the four fields: what is behind comes in one send.
    head = len(b"".join(frame())) - 1
    return ask(path, [bytes([b]) for b in whole[:head]] + [whole[head:]], 0.005)


def timed(function):
    start = time.monotonic()
    verdict = function()
    return "%s after %d s" % (verdict, round(time.monotonic() - start))


def silent(path):
    return timed(lambda: ask(path, []))


def partial(path):
    return timed(lambda: ask(path, frame()[:2]))


def started_fifth(path):
    return timed(lambda: ask(path, [b"".join(frame()) + b"\0"]))


def oversized(path, name, size):
    count = int(size)
    if name == "user":
        return ask(path, [b"".join(frame(b"u" * count, b"canonical"))])
    if name == "password":
        return ask(path, [b"".join(frame(password=b"right" + b"p" * (count - 5)))])
    return ask(path, [b"".join(frame(client=b"1" * count))])


def nul(path):
    return ask(path, [b"".join(frame(password=b"right\0x"))])


def garbage(path):
    return ask(path, [b"GET / HTTP/1.0\r\n\r\n" * 4096])


def trailing(path):
    return ask(path, [b"".join(frame(client=b"192.0.2.7;1")) + b"x"])


def login(path, user, password, client=None):
    return ask(path, [b"".join(frame(os.fsencode(user), os.fsencode(password),
                                     os.fsencode(client) if client else None))], 0)


def idle(path, count):
    """Many silent connections; some logins must go through fast meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    held = [dial(path) for _ in range(int(count))]
    start = time.monotonic()
    verdicts = {login(path, "ada@example.org", "right") for _ in range(50)}
    took = time.monotonic() - start
    alive = 0
    for sock in held:
        sock.setblocking(False)
        try:
            sock.recv(1)  # a good-bye, or the end
        except BlockingIOError:
            alive += 1
        except ConnectionResetError:
            pass
        sock.close()
    return "%s %s %s" % (" ".join(sorted(verdicts)),
                         "fast" if took < 2 else "slow: %.1f s" % took,
                         "all open" if alive == int(count) else "%d open" % alive)


def flood(path, attackers, seconds):
    """Attackers in a loop beside one good user: its slowest login counts."""
    stop_at = time.monotonic() + float(seconds)

    def attack():
        while time.monotonic() < stop_at:
            try:
                login(path, "eve@example.org", "wrong")
            except OSError:
                pass

    threads = [threading.Thread(target=attack) for _ in range(int(attackers))]
    for thread in threads:
        thread.start()
    times = []
    verdicts = set()
    while time.monotonic() < stop_at:
        start = time.monotonic()
        verdicts.add(login(path, "ada@example.org", "right"))
        times.append(time.monotonic() - start)
    for thread in threads:
        thread.join()
    worst = sorted(times)[int(len(times) * 0.99)]
    return "%s %s" % (" ".join(sorted(verdicts)),
                      "fast" if worst < 1 else "slow: %.2f s" % worst)


def crowd(path, count, password):
    """Logins all at once; how many got which answer."""
    answers = []

    def one():
        answers.append(login(path, "ada@example.org", password).split()[0])

    threads = [threading.Thread(target=one) for _ in range(int(count))]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - start
    return " ".join("%s=%d" % (word, answers.count(word))
                    for word in sorted(set(answers))) + " in %.0f s" % took


def main():
    path, scenario = sys.argv[1:3]
    print(globals()[scenario](path, *sys.argv[3:]))


if __name__ == "__main__":
    main()
