#!/usr/bin/env python3
# policy.py - a client of Postfix's policy protocol, and loads of them
# SPDX-License-Identifier: BSD-2-Clause
"""usage: policy.py SOCKET ask NAME=VALUE...      prints the action
          policy.py SOCKET idle COUNT              connections held, then asked
          policy.py SOCKET crowd MAX               one more than MAX, whom it closes,
                                                   and then one in the place of another
          policy.py SOCKET slow                    a byte at a time
          policy.py SOCKET load CONNECTIONS SECONDS [NAME=VALUE...]
                                                   "answers N wrong N lost N retried N max_ms N"
          policy.py SOCKET raw FILE                sends it, prints what comes
          policy.py SOCKET hold COMMAND...         holds the socket for it, starts it again

SOCKET is a path, or HOST:PORT. A request is complete but for what is given.
"""
import os
import signal
import socket
import sys
import threading
import time

DEFAULTS = {
    "request": "smtpd_access_policy", "protocol_state": "RCPT",
    "protocol_name": "ESMTP", "client_address": "192.0.2.1",
    "client_name": "client.example", "client_port": "40000",
    "reverse_client_name": "client.example", "helo_name": "client.example",
    "server_address": "198.51.100.1", "server_port": "25",
    "sender": "somebody@example.net", "recipient": "ada@example.org",
    "recipient_count": "0", "queue_id": "", "instance": "1.2.3", "size": "0",
    "etrn_domain": "", "stress": "", "sasl_method": "", "sasl_username": "",
    "sasl_sender": "", "ccert_subject": "", "ccert_issuer": "",
    "ccert_fingerprint": "", "ccert_pubkey_fingerprint": "",
    "encryption_protocol": "", "encryption_cipher": "",
    "encryption_keysize": "0", "policy_context": "",
}


def request(words):
    values = dict(DEFAULTS)
    for word in words:
        name, _, value = word.partition("=")
        values[name] = value
    return "".join(f"{n}={v}\n" for n, v in values.items()).encode() + b"\n"


def dial(where):
    if where.startswith("/"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(where)
    else:
        host, _, port = where.rpartition(":")
        s = socket.create_connection((host, int(port)), 20)
    return s


def answer(s):
    data = b""
    while not data.endswith(b"\n\n"):
        got = s.recv(4096)
        if not got:
            return None
        data += got
    return data.decode("utf-8", "replace")


def action(text):
    if text is None:
        return "closed"
    return text.strip().removeprefix("action=") if text.count("\n") == 2 else f"odd: {text!r}"


def ask(where, words):
    s = dial(where)
    s.sendall(request(words))
    print(action(answer(s)))


def idle(where, count):
    held = [dial(where) for _ in range(count)]
    for s in held:
        s.sendall(request([]))
        if action(answer(s)) != "DUNNO":
            print("refused")
            return
    time.sleep(0.5)
    last = held[-1]
    last.sendall(request([]))
    print(f"held {len(held)}, {action(answer(last))}")


def tells(s):
    """What a request on s is answered, or "closed"."""
    try:
        s.sendall(request([]))
        return action(answer(s))
    except OSError:
        return "closed"


def crowd(where, most):
    held = []
    closed = None
    # Those of an earlier client may not all have been given up yet.
    while len(held) <= most:
        s = dial(where)
        said = tells(s)
        if said == "closed":
            closed = s
            break
        held.append(s)
    print(f"{'closed' if closed else 'held'} number {len(held) + 1}")
    print(f"the first {tells(held[0])}, the last {tells(held[-1])}")
    held.pop().close()
    end = time.monotonic() + 5
    said = "closed"
    while said == "closed" and time.monotonic() < end:
        said = tells(dial(where))
    print(f"another {said}")


def slow(where):
    s = dial(where)
    for byte in request([]):
        s.sendall(bytes([byte]))
    print(action(answer(s)))


class Load:
    def __init__(self, where, connections, seconds, words):
        self.where, self.seconds, self.text = where, seconds, request(words)
        self.lock = threading.Lock()
        self.answers = self.wrong = self.lost = self.retried = 0
        self.max = 0.0
        threads = [threading.Thread(target=self.one) for _ in range(connections)]
        self.end = time.monotonic() + seconds
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        print(f"answers {self.answers} wrong {self.wrong} lost {self.lost}"
              f" retried {self.retried} max_ms {int(self.max * 1000)}")

    def once(self, s):
        s.sendall(self.text)
        return answer(s)

    def one(self):
        s = None
        while time.monotonic() < self.end:
            began = time.monotonic()
            got = None
            # As Postfix: two tries, a second apart.
            for turn in range(2):
                try:
                    if s is None:
                        s = dial(self.where)
                    got = self.once(s)
                except OSError:
                    got = None
                if got is not None:
                    break
                if s is not None:
                    s.close()
                s = None
                with self.lock:
                    self.retried += 1
                time.sleep(1)
            with self.lock:
                self.max = max(self.max, time.monotonic() - began)
                self.answers += 1
                if got is None:
                    self.lost += 1
                elif action(got) != "DUNNO":
                    self.wrong += 1


def raw(where, name):
    s = dial(where)
    with open(name, "rb") as file:
        data = file.read()
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        got = b""
        while True:
            part = s.recv(65536)
            if not part:
                break
            got += part
    except OSError:
        got = got if "got" in locals() else b""
    print(got.decode("utf-8", "replace").replace("\n", "|"))


def hold(where, command):
    """As a socket unit does: the socket outlives the service."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(where)
    os.chmod(where, 0o666)
    listener.listen(512)
    if listener.fileno() != 3:
        os.dup2(listener.fileno(), 3)
    os.set_inheritable(3, True)
    child = None

    def stop(*_):
        if child:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
        os.unlink(where)
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    while True:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.environ["LISTEN_FDS"] = "1"
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.execv(command[0], command)
        with open(where + ".pid", "w", encoding="ascii") as file:
            file.write(str(child))
        os.waitpid(child, 0)


def main():
    where, what, *rest = sys.argv[1:]
    if what == "ask":
        ask(where, rest)
    elif what == "idle":
        idle(where, int(rest[0]))
    elif what == "crowd":
        crowd(where, int(rest[0]))
    elif what == "slow":
        slow(where)
    elif what == "load":
        Load(where, int(rest[0]), float(rest[1]), rest[2:])
    elif what == "raw":
        raw(where, rest[0])
    elif what == "hold":
        hold(where, rest)
    else:
        sys.exit(__doc__)


main()
