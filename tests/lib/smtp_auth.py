#!/usr/bin/env python3
# smtp_auth.py - AUTH attempts at a submission port, byte for byte
# SPDX-License-Identifier: BSD-2-Clause
"""Prints one line for each attempt: the reply's code and text, as it came.
Goes through STARTTLS first, unless --no-tls. With --send it sends a message
after a 235 and prints the reply to its final dot too."""

import argparse
import base64
import collections
import hashlib
import hmac
import os
import socket
import ssl
import sys
import threading
import time


class Session:
    def __init__(self, args):
        self.sock = socket.create_connection(("127.0.0.1", args.port), args.timeout)
        self.file = self.sock.makefile("rb")
        self.shown = args.transcript
        self.features = []
        self.challenge = b""
        self.reply()
        self.ehlo()
        if not args.no_tls:
            self.command(b"STARTTLS")
            context = ssl.create_default_context(cafile=args.ca)
            if args.ca is None:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname="127.0.0.1")
            self.file = self.sock.makefile("rb")
            self.ehlo()

    def show(self, mark, line):
        if self.shown:
            print("      %s %s" % (mark, line.decode("utf-8", "replace")), file=sys.stderr)

    def reply(self):
        lines = []
        while True:
            line = self.file.readline(65536)
            if not line:
                raise EOFError
            lines.append(line.rstrip(b"\r\n"))
            self.show("S:", lines[-1])
            if line[3:4] != b"-":
                return lines

    def command(self, line, shown=None):
        self.show("C:", shown or line)
        self.sock.sendall(line + b"\r\n")
        return self.reply()

    def ehlo(self):
        self.features = [line[4:].decode("latin-1") for line in self.command(b"EHLO client.example")]

    def scram(self, mech, user, password):
        """RFC 5802, without channel binding; the server's proof is checked."""
        digest = mech[6:].replace("-", "").lower()

        def mac(key, text):
            return hmac.new(key, text, digest).digest()

        bare = b"n=" + user.replace(b"=", b"=3D").replace(b",", b"=2C") + \
            b",r=" + base64.b64encode(os.urandom(18))
        last = self.command(b"AUTH " + mech.encode() + b" " + base64.b64encode(b"n,," + bare))[-1]
        if not last.startswith(b"334"):
            return last
        challenge = base64.b64decode(last[4:])
        values = dict(part.split(b"=", 1) for part in challenge.split(b","))
        if not values[b"r"].startswith(bare.split(b",r=")[1]):
            return b"the nonce is another's"
        self.challenge = b"i=" + values[b"i"] + b" s=" + values[b"s"]
        salted = hashlib.pbkdf2_hmac(digest, password, base64.b64decode(values[b"s"]),
                                     int(values[b"i"]))
        key = mac(salted, b"Client Key")
        without = b"c=biws,r=" + values[b"r"]
        text = b",".join((bare, challenge, without))
        signature = mac(hashlib.new(digest, key).digest(), text)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        last = self.command(base64.b64encode(without + b",p=" + base64.b64encode(proof)))[-1]
        if last.startswith(b"334"):
            wanted = b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), text))
            if base64.b64decode(last[4:]) != wanted:
                return b"the server did not know the keys"
            last = self.command(b"")[-1]
        return last

    def auth(self, mech, user, password, authzid):
        if mech.startswith("SCRAM-"):
            return self.scram(mech, user, password)
        if mech == "PLAIN":
            data = base64.b64encode(authzid + b"\0" + user + b"\0" + password)
            return self.command(b"AUTH PLAIN " + data, b"AUTH PLAIN ...")[-1]
        if mech == "PLAIN-2":
            last = self.command(b"AUTH PLAIN")[-1]
            if not last.startswith(b"334"):
                return last
            data = base64.b64encode(authzid + b"\0" + user + b"\0" + password)
            return self.command(data, b"...")[-1]
        if mech == "LOGIN":
            last = self.command(b"AUTH LOGIN")[-1]
            if not last.startswith(b"334"):
                return last
            last = self.command(base64.b64encode(user), b"...")[-1]
            if not last.startswith(b"334"):
                return last
            return self.command(base64.b64encode(password), b"...")[-1]
        return self.command(b"AUTH " + mech.encode() + b" " + base64.b64encode(user))[-1]

    def send(self, sender, recipient, body):
        for line in (b"MAIL FROM:<" + sender + b">", b"RCPT TO:<" + recipient + b">", b"DATA"):
            last = self.command(line)[-1]
            if last[:1] not in b"23":
                return last
        text = b"From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n\r\n%s\r\n." % (sender, recipient, body, body)
        return self.command(text, b"(message)")[-1]

    def close(self):
        try:
            self.command(b"QUIT")
        except (OSError, EOFError):
            pass
        self.sock.close()


def attempt(args, user, password):
    session = None
    try:
        session = Session(args)
        if args.features:
            return "\n".join(session.features)
        lines = []
        for _ in range(args.repeat):
            lines.append(session.auth(args.mech, user, password, os.fsencode(args.authzid)))
            if args.challenge:
                lines[-1:] = [session.challenge, lines[-1][:3]]
        if args.send and lines[-1].startswith(b"235"):
            sender, recipient = args.send
            lines.append(session.send(os.fsencode(sender), os.fsencode(recipient),
                                      os.fsencode(args.text)))
        return "\n".join(line.decode("utf-8", "backslashreplace") for line in lines)
    except socket.timeout:
        return "TIMEOUT"
    except EOFError:
        return "CLOSED"
    except OSError as error:
        return "ERROR %s" % error
    finally:
        if session is not None:
            session.close()


def raw(args, text):
    data = os.fsencode(text)
    return data.decode("unicode_escape").encode("latin-1") if args.escapes else data


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", help="verify the server's certificate with this")
    parser.add_argument("--no-tls", action="store_true")
    parser.add_argument("--mech", default="PLAIN",
                        help="PLAIN, PLAIN-2 (without initial response), LOGIN, SCRAM-SHA-256, ...")
    parser.add_argument("--challenge", action="store_true",
                        help="print a SCRAM server's rounds and salt, and the code")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--authzid", default="")
    parser.add_argument("--escapes", action="store_true",
                        help="\\x00 and the like in user and password")
    parser.add_argument("--user-length", type=int, default=0,
                        help="repeat user's last byte up to this length")
    parser.add_argument("--password-length", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=1,
                        help="AUTH so often in one session")
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--features", action="store_true",
                        help="print what EHLO offered (after STARTTLS), no AUTH")
    parser.add_argument("--send", nargs=2, metavar=("FROM", "TO"))
    parser.add_argument("--text", default="hello")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--transcript", action="store_true",
                        help="the dialogue on stderr, secrets left out")
    parser.add_argument("--count", action="store_true",
                        help="print how often each code came")
    parser.add_argument("--took", action="store_true",
                        help="the slowest session's milliseconds on stderr")
    return parser.parse_args()


def stretched(data, length):
    return data + data[-1:] * max(0, length - len(data))


def main():
    args = arguments()
    user = stretched(raw(args, args.user), args.user_length)
    password = stretched(raw(args, args.password), args.password_length)
    left, replies, slowest, lock = [args.sessions], [], [0.0], threading.Lock()

    def work():
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            start = time.monotonic()
            reply = attempt(args, user, password)
            with lock:
                replies.append(reply)
                slowest[0] = max(slowest[0], time.monotonic() - start)

    threads = [threading.Thread(target=work) for _ in range(args.parallel)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if args.count:
        codes = collections.Counter(line.split()[0] for r in replies for line in r.splitlines())
        for code, times in sorted(codes.items()):
            print(code, times)
    else:
        print("\n".join(replies))
    if args.took:
        print(int(slowest[0] * 1000), file=sys.stderr)


if __name__ == "__main__":
    main()
