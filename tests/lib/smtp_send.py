#!/usr/bin/env python3
# smtp_send.py - one message to an SMTP port, every reply shown
# SPDX-License-Identifier: BSD-2-Clause
"""usage: smtp_send.py PORT [--tls CA] [--user U --password P] --from S
          [--declare BYTES] [--data BYTES] [--times N] RECIPIENT...

Prints "mail 250 ...", "rcpt ADDRESS 250 ..." and "end 250 ...", a line each.
--declare sends SIZE=; --data is the length of what is sent. --times sends as
many messages in one session and prints the last reply of each."""
import argparse
import smtplib
import ssl

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("recipients", nargs="+")
parser.add_argument("--tls")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--from", dest="sender", default="somebody@example.net")
parser.add_argument("--declare")
parser.add_argument("--data", type=int, default=100)
parser.add_argument("--times", type=int, default=1)
args = parser.parse_args()


def line(what, reply):
    print(what, reply[0], reply[1].decode("utf-8", "replace").replace("\n", " "))
    return reply[0] < 400


smtp = smtplib.SMTP("127.0.0.1", args.port, "client.example", 30)
smtp.ehlo()
if args.tls:
    smtp.starttls(context=ssl.create_default_context(cafile=args.tls))
    smtp.ehlo()
if args.user:
    smtp.login(args.user, args.password)


def message(loud):
    options = ["SIZE=" + args.declare] if args.declare else []
    if not all(map(str.isascii, [args.sender, *args.recipients])):
        options.append("SMTPUTF8")
        smtp.command_encoding = "utf-8"
    reply = smtp.mail(args.sender, options)
    if loud:
        line("mail", reply)
    if reply[0] >= 400:
        return reply
    accepted = False
    for recipient in args.recipients:
        reply = smtp.rcpt(recipient)
        if loud:
            line("rcpt " + recipient, reply)
        accepted = accepted or reply[0] < 400
    if accepted:
        text = "Subject: test\r\n\r\n" + ("x" * 70 + "\r\n") * (args.data // 72 + 1)
        reply = smtp.data(text)
        if loud:
            line("end", reply)
    smtp.rset()
    return reply


if args.times == 1:
    message(True)
else:
    for _ in range(args.times):
        line("last", message(False))
smtp.close()
