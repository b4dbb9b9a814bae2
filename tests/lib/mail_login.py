#!/usr/bin/env python3
# mail_login.py - logs in to IMAP, POP3, ManageSieve or SMTP, and uses it
# SPDX-License-Identifier: BSD-2-Clause
"""Prints the server's reply to the login, as it came. After a login each --do
is sent, and the reply to it printed, untagged lines and all. STARTTLS comes
first, unless --clear. With --time users are taken from standard input, "user
TAB password", one connection each, and "KIND milliseconds" comes out."""

import argparse
import base64
import socket
import ssl
import sys
import time


class Session:
    """One connection; a protocol says how commands and replies look."""

    def __init__(self, args):
        self.args = args
        self.sock = socket.create_connection((args.host, args.port), args.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.greet()
        if not args.clear:
            self.start_tls()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.file.close()
            self.sock = context.wrap_socket(self.sock)
            self.file = self.sock.makefile("rb")
            self.greet_again()

    def line(self):
        line = self.file.readline(65536)
        if not line:
            raise EOFError
        return line.rstrip(b"\r\n")

    def send(self, line):
        self.sock.sendall(line + b"\r\n")

    def until(self, ends):
        lines = []
        while True:
            lines.append(self.line())
            if ends(lines[-1]):
                return lines

    def plain(self):
        text = "\0".join(("", self.args.user, self.args.password))
        return base64.b64encode(text.encode())

    def greet_again(self):
        pass

    def close(self):
        self.file.close()
        self.sock.close()


class Imap(Session):
    count = 0

    def greet(self):
        self.line()

    def command(self, text):
        self.count += 1
        tag = b"t%d" % self.count
        self.send(tag + b" " + text)
        lines = self.until(lambda line: line.startswith((tag + b" ", b"+")))
        lines[-1] = lines[-1].removeprefix(tag + b" ")
        return lines

    def start_tls(self):
        self.command(b"STARTTLS")

    def login(self):
        if self.args.mech == "PLAIN":
            return self.command(b"AUTHENTICATE PLAIN " + self.plain())[-1:]
        quoted = [b'"' + text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
                  for text in (self.args.user, self.args.password)]
        return self.command(b"LOGIN " + b" ".join(quoted))[-1:]

    def right(self, lines):
        return lines[-1].startswith(b"OK")


class Pop3(Session):
    def greet(self):
        self.line()

    def command(self, text):
        self.send(text)
        lines = [self.line()]
        if lines[0].startswith(b"+OK") and text.split()[0] in (b"RETR", b"LIST", b"CAPA"):
            lines += self.until(lambda line: line == b".")
        return lines

    def start_tls(self):
        self.command(b"STLS")

    def login(self):
        if self.args.mech == "PLAIN":
            return self.command(b"AUTH PLAIN " + self.plain())
        self.command(b"USER " + self.args.user.encode())
        return self.command(b"PASS " + self.args.password.encode())

    def right(self, lines):
        return lines[-1].startswith(b"+OK")


class Sieve(Session):
    def greet(self):
        self.until(self.ends)

    def greet_again(self):
        self.greet()

    @staticmethod
    def ends(line):
        return line.startswith((b"OK", b"NO", b"BYE"))

    def command(self, text):
        self.send(text)
        return self.until(self.ends)

    def start_tls(self):
        self.command(b"STARTTLS")

    def login(self):
        return self.command(b'AUTHENTICATE "PLAIN" "' + self.plain() + b'"')[-1:]

    def right(self, lines):
        return lines[-1].startswith(b"OK")


class Smtp(Session):
    def reply(self):
        return self.until(lambda line: line[3:4] != b"-")

    def command(self, text):
        self.send(text)
        return self.reply()

    def greet(self):
        self.reply()
        self.command(b"EHLO client.example")

    def greet_again(self):
        self.command(b"EHLO client.example")

    def start_tls(self):
        self.command(b"STARTTLS")

    def login(self):
        if self.args.mech == "LOGIN":
            self.command(b"AUTH LOGIN")
            self.command(base64.b64encode(self.args.user.encode()))
            return self.command(base64.b64encode(self.args.password.encode()))
        return self.command(b"AUTH PLAIN " + self.plain())

    def right(self, lines):
        return lines[-1].startswith(b"235")


PROTOCOLS = {"imap": (Imap, 143), "pop3": (Pop3, 110), "sieve": (Sieve, 4190), "smtp": (Smtp, 587)}


def show(lines):
    for line in lines:
        print(line.decode("utf-8", "backslashreplace"))


def one(args):
    session = PROTOCOLS[args.protocol][0](args)
    lines = session.login()
    show(lines)
    if session.right(lines):
        for text in args.do:
            show(session.command(text.encode().replace(b"\\r\\n", b"\r\n")))
    session.close()


def timed(args):
    """From the first byte of the login to its answer; connecting is no part."""
    for row in sys.stdin:
        args.user, args.password = row.rstrip("\n").split("\t")
        session = PROTOCOLS[args.protocol][0](args)
        start = time.monotonic()
        lines = session.login()
        taken = (time.monotonic() - start) * 1000
        print("%s %.3f" % ("ok" if session.right(lines) else "no", taken))
        session.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocol", choices=PROTOCOLS)
    parser.add_argument("user", nargs="?", default="")
    parser.add_argument("password", nargs="?", default="")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--mech", default="", help="PLAIN or LOGIN; else the protocol's usual way")
    parser.add_argument("--clear", action="store_true")
    parser.add_argument("--do", action="append", default=[])
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--timeout", type=float, default=60)
    args = parser.parse_args()
    args.port = args.port or PROTOCOLS[args.protocol][1]
    try:
        (timed if args.time else one)(args)
    except (EOFError, OSError) as error:
        print("CLOSED %s" % error)


main()
