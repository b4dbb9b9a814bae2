#!/usr/bin/env python3
# ldap_peer.py - LDAP servers that misbehave, one on a port each
# SPDX-License-Identifier: BSD-2-Clause
"""usage: ldap_peer.py FILE PORT...

Gives each kind of peer an address of its own, 127.0.1.N, opens the ports there,
writes "kind address" lines to FILE, and serves until it is killed.

refuse      nobody listens there
blackhole   SYN packets are dropped (the queue of the listener is full)
mute        accepts and says nothing
drip        answers with one byte a second
drip-tls    begins a TLS record and sends one byte of it a second
stall-tls   begins a TLS record and stops
starttls-mute    agrees to StartTLS, then nothing
starttls-inject  agrees to StartTLS, with a bind's answer right behind it
starttls-no      refuses StartTLS
close       accepts and closes
garbage     answers with what is no LDAP
half        answers with the first half of an answer, then nothing
notice      closes with a notice of disconnection
busy        answers everything with busy (51)
wrong-id    answers operations nobody asked for
flood       answers a search with entries without end
slow        answers right, but after 3 seconds
fake        answers right; a login or DN "case-NAME" gets the answer NAME,
            and a login "case-bind-NAME" the entry whose bind gets it
"""

import os
import re
import socket
import sys
import threading
import time


def ber(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        length = bytes([len(body)])
    else:
        size = (len(body).bit_length() + 7) // 8
        length = bytes([0x80 | size]) + len(body).to_bytes(size, "big")
    return bytes([tag]) + length + body


def integer(value, tag=2):
    return ber(tag, value.to_bytes(max(1, (value.bit_length() + 8) // 8), "big", signed=True))


def text(value, tag=4):
    return ber(tag, value if isinstance(value, bytes) else value.encode())


def message(number, operation, controls=b""):
    return ber(0x30, integer(number), operation, controls)


def result(tag, code, diagnostic="", matched="", more=b""):
    return ber(tag, integer(code, 10), text(matched), text(diagnostic), more)


def entry(dn, attributes):
    return ber(0x64, text(dn), ber(0x30, *[
        ber(0x30, text(name), ber(0x31, *[text(value) for value in values]))
        for name, values in attributes]))


BIND, UNBIND, SEARCH, EXTENDED = 0x60, 0x42, 0x63, 0x77
PERSON = [("mail", ["case@example.org"]), ("otherMailbox", ["default"]),
          ("displayName", ["A Case"]), ("entryUUID", ["00000000-0000-4000-8000-000000000099"])]
DN = "uid=case,ou=people,dc=example,dc=org"
POLICY_REQUEST = "1.3.6.1.4.1.42.2.27.8.5.1"
GUID = bytes(range(16))
AD_TEXT = ("80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext "
           "error, data %s, v2580")


def exactly(sock, length):
    data = b""
    while len(data) < length:
        part = sock.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def request(sock):
    """Returns (message id, operation's tag, all bytes of it)."""
    head = exactly(sock, 2)
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(exactly(sock, length & 0x7f), "big")
    body = exactly(sock, length)
    size = body[1]
    return int.from_bytes(body[2:2 + size], "big"), body[2 + size], body


def done(number, code=0, diagnostic=""):
    return message(number, result(0x65, code, diagnostic))


def with_person(change):
    person = [(name, values) for name, values in PERSON if name not in dict(change)]
    return [(DN, person + change)]


def range_case(number, name, body):
    """An entry with more values than are sent at once; body asks for them."""
    asked = re.search(rb";range=(\d+)-", body)
    first = int(asked.group(1)) if asked else 0
    sent = {
        ("range", 0): [("otherMailbox;range=0-1499", ["a", "b"]), ("otherMailbox", [])],
        ("range", 1500): [("otherMailbox;range=1500-2999", ["c"])],
        ("range", 3000): [("otherMailbox;range=3000-*", ["d"])],
        ("range-gone", 0): [("otherMailbox;range=0-1499", ["a", "b"])],
        ("range-stuck", 0): [("otherMailbox;range=0-1499", ["a"])],
        ("range-stuck", 1500): [("otherMailbox;range=0-1499", ["a"])],
        ("range-long", 0): [("otherMailbox;range=0-5000", ["a"])],
        ("range-far", 0): [("otherMailbox;range=0-99999999999999999999999", ["a"])],
        ("range-most", 0): [("otherMailbox;range=0-4998", ["v%d" % i for i in range(4999)])],
        ("range-most", 4999): [("otherMailbox;range=4999-*", ["last"])],
        ("range-over", 0): [("otherMailbox;range=0-4998", ["v%d" % i for i in range(4999)])],
        ("range-over", 4999): [("otherMailbox;range=4999-*", ["last", "over"])],
        ("range-odd", 0): [("otherMailbox;range=x", ["a"]), ("displayName;range=0-0", ["A Part"])],
    }
    if name == "range-busy" and first:
        return done(number, 51, "busy")
    if name == "range-mute" and first:
        return b""
    if name in ("range-busy", "range-mute"):
        sent[name, 0] = sent["range", 0]
    person = [(key, values) for key, values in PERSON if key != "otherMailbox"]
    if asked:
        person = []
    return message(number, entry("uid=case-" + name + ",ou=people,dc=example,dc=org",
                                 person + sent.get((name, first), []))) + done(number)


def search_cases(number, name):
    """The bytes that answer a search for case-NAME."""
    cases = {
        "nul": with_person([("mail", [b"a\0b@example.org"])]),
        "long-ok": with_person([("displayName", ["x" * 4096])]),
        "long": with_person([("displayName", ["x" * 4097])]),
        "latin1": with_person([("displayName", [b"J\xf6rg"])]),
        "values-ok": with_person([("otherMailbox", ["v%d" % i for i in range(5000)])]),
        "values": with_person([("otherMailbox", ["v%d" % i for i in range(5001)])]),
        "guid": with_person([("entryUUID", []), ("objectGUID", [GUID])]),
        "guid-short": with_person([("entryUUID", []), ("objectGUID", [GUID[1:]])]),
        "id-order": [(DN, [("ipaUniqueID", ["ipa"]), ("nsUniqueId", ["ns"]), ("objectGUID", [GUID]),
                           ("entryUUID", ["uuid"]), ("mail", ["case@example.org"])])],
        "id-ns": [(DN, [("ipaUniqueID", ["ipa"]), ("nsUniqueId", ["ns"])])],
        "id-ipa": [(DN, [("ipaUniqueID", ["ipa"])])],
        "id-none": [(DN, [("mail", ["case@example.org"])])],
        "id-empty": with_person([("entryUUID", [""])]),
        "id-two": with_person([("entryUUID", ["one", "two"])]),
        "capitals": [(DN, [("MAIL", ["case@example.org"]), ("ENTRYUUID", ["uuid"])])],
        "subtypes": with_person([("displayName;lang-de", ["Ein Fall"]), ("mail;x-old", ["old@example.org"])]),
        "unasked": with_person([("userPassword", [b"\xff\0"])]),
        "long-dn": [("cn=" + "x" * 4097, PERSON)],
        "empty-dn": [("", PERSON)],
        "latin1-dn": [(b"uid=j\xf6rg,dc=example", PERSON)],
        "twice": [(DN, PERSON), (DN.upper(), PERSON)],
        "several": [(DN, PERSON), ("uid=other,dc=example", PERSON)],
        "none": [],
    }
    if name in cases:
        return b"".join(message(number, entry(dn, attributes)) for dn, attributes in cases[name]) + done(number)
    reference = message(number, ber(0x73, text("ldap://ad.example/CN=Configuration")))
    one = message(number, entry(DN, PERSON))
    other = message(number, entry("uid=other,dc=example", PERSON))
    if name.startswith("bind-"):
        return message(number, entry("uid=case-%s,ou=people,dc=example,dc=org" % name[5:], PERSON)) + done(number)
    if name == "reference":
        return reference + one + reference + done(number)
    if name == "undecodable":
        return message(number, ber(0x64, text(DN), ber(0x30, b"\x30\x7f\x04"))) + done(number)
    if name.startswith("code-"):
        return done(number, int(name[5:]), "the server's own words")
    if name.startswith("one-code-"):
        return one + done(number, int(name[9:]))
    if name.startswith("two-code-"):
        return one + other + done(number, int(name[9:]))
    if name == "referral":
        return message(number, result(0x65, 10, more=ber(0xa3, text("ldap://127.0.0.1:1/"))))
    return one + done(number)


def bind_cases(number, name):
    if name.startswith("code-"):
        return message(number, result(0x61, int(name[5:]), "the server's own words"))
    if name.startswith("ad-"):
        return message(number, result(0x61, 49, AD_TEXT % name[3:]))
    if name.startswith("ppolicy-"):
        value = ber(0x30, integer(int(name[8:]), 0x81))
        control = ber(0xa0, ber(0x30, text(POLICY_REQUEST), text(value)))
        return message(number, result(0x61, 49), control)
    return message(number, result(0x61, 0))


def fake_answer(number, tag, body):
    found = re.search(rb"case-([a-z0-9-]+)", body)
    name = found.group(1).decode() if found else ""
    if tag == BIND:
        return bind_cases(number, name)
    if tag == SEARCH and b"supportedControl" in body:
        return message(number, entry("", [("supportedControl", [POLICY_REQUEST])])) + done(number)
    if tag == SEARCH and name.startswith("range"):
        return range_case(number, name, body)
    if tag == SEARCH:
        return search_cases(number, name)
    return message(number, result(0x78, 2))


def drip(sock, data):
    for byte in data:
        sock.sendall(bytes([byte]))
        time.sleep(1)


def sleep_long(_sock):
    time.sleep(3600)


def serve_slow(sock):
    while True:
        number, tag, body = request(sock)
        time.sleep(3)
        sock.sendall(fake_answer(number, tag, body))


def serve_fake(sock):
    while True:
        number, tag, body = request(sock)
        if tag == UNBIND:
            return
        sock.sendall(fake_answer(number, tag, body))


def serve_drip(sock):
    number, tag, body = request(sock)
    drip(sock, fake_answer(number, tag, body))


def serve_drip_tls(sock):
    sock.recv(4096)
    drip(sock, b"\x16\x03\x03\x40\x00\x02" + bytes(4096))


def serve_stall_tls(sock):
    sock.recv(4096)
    sock.sendall(b"\x16\x03")
    time.sleep(3600)


def starttls(sock, code, more):
    number, _tag, _body = request(sock)
    sock.sendall(message(number, result(0x78, code)) + more)


def serve_starttls_mute(sock):
    starttls(sock, 0, b"")
    time.sleep(3600)


def serve_starttls_inject(sock):
    starttls(sock, 0, message(2, result(0x61, 0)))
    time.sleep(3600)


def serve_starttls_no(sock):
    starttls(sock, 52, b"")
    time.sleep(3600)


def serve_garbage(sock):
    request(sock)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
    time.sleep(3600)


def serve_half(sock):
    number, tag, body = request(sock)
    data = fake_answer(number, tag, body)
    sock.sendall(data[:len(data) // 2])
    time.sleep(3600)


def serve_notice(sock):
    request(sock)
    # Without a text: libldap (2.5) would leak it.
    sock.sendall(message(0, result(0x78, 52, more=text("1.3.6.1.4.1.1466.20036", 0x8a))))


def serve_busy(sock):
    while True:
        number, tag, _body = request(sock)
        sock.sendall(message(number, result({BIND: 0x61, SEARCH: 0x65}.get(tag, 0x78), 51, "too busy")))


def serve_wrong_id(sock):
    while True:
        number, tag, body = request(sock)
        sock.sendall(fake_answer(number + 100, tag, body))


def serve_flood(sock):
    while True:
        number, tag, body = request(sock)
        if tag != SEARCH or b"supportedControl" in body:
            sock.sendall(fake_answer(number, tag, body))
            continue
        block = b"".join(message(number, entry("uid=%d,%s" % (i, DN), PERSON)) for i in range(200))
        while True:
            sock.sendall(block)


KINDS = {
    "mute": sleep_long, "drip": serve_drip, "drip-tls": serve_drip_tls,
    "stall-tls": serve_stall_tls, "starttls-mute": serve_starttls_mute,
    "starttls-inject": serve_starttls_inject, "starttls-no": serve_starttls_no,
    "close": lambda sock: None, "garbage": serve_garbage, "half": serve_half,
    "notice": serve_notice, "busy": serve_busy, "wrong-id": serve_wrong_id,
    "flood": serve_flood, "slow": serve_slow, "fake": serve_fake,
}


def handle(sock, serve):
    with sock:
        try:
            serve(sock)
        except (EOFError, OSError, IndexError):
            pass


def accept(listener, serve):
    while True:
        sock, _peer = listener.accept()
        threading.Thread(target=handle, args=(sock, serve), daemon=True).start()


def listen(address, port, backlog=64):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def blackhole(address, port):
    """A listener whose queue is full: the kernel drops what comes."""
    held = [listen(address, port, 0)]
    for _ in range(8):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((address, port))
        held.append(client)
    return held


def main():
    ports = [int(port) for port in sys.argv[2:]]
    addresses = {"refuse": "127.0.1.1", "blackhole": "127.0.1.2"}
    held = [blackhole(addresses["blackhole"], port) for port in ports]
    for number, (kind, serve) in enumerate(KINDS.items()):
        addresses[kind] = "127.0.1.%d" % (number + 3)
        for port in ports:
            listener = listen(addresses[kind], port)
            threading.Thread(target=accept, args=(listener, serve), daemon=True).start()
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as out:
        for kind, address in addresses.items():
            out.write("%s %s\n" % (kind, address))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    time.sleep(3600)
    del held


main()
