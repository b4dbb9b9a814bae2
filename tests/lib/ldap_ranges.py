#!/usr/bin/env python3
# ldap_ranges.py - makes a domain controller send long lists in parts
# SPDX-License-Identifier: BSD-2-Clause
"""usage: ldap_ranges.py PORT HOST CA-FILE VALUES

Listens on 127.0.0.1:PORT in cleartext and passes everything on to HOST's port
636. Active Directory sends at most 1500 values of an attribute at once, as
"memberOf;range=0-1499"; Samba sends all, but knows ranges when it is asked for
one. So every request for memberOf or proxyAddresses goes on as one for a part,
of VALUES values. Prints "search ATTRIBUTE,..." for each search and "reference"
for each reference that comes back.
"""

import re
import socket
import ssl
import sys
import threading

LISTS = (b"memberof", b"proxyaddresses")
SEARCH, REFERENCE = 0x63, 0x73


def length_of(size):
    if size < 128:
        return bytes([size])
    data = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(data)]) + data


def ber(tag, body):
    return bytes([tag]) + length_of(len(body)) + body


def split(data):
    """Returns (tag, body, rest) of the first element."""
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    return data[0], data[at:at + size], data[at + size:]


def elements(data):
    while data:
        tag, body, data = split(data)
        yield tag, body


def exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def message(sock):
    head = exactly(sock, 2)
    if head[1] & 0x80:
        head += exactly(sock, head[1] & 0x7f)
    size = head[1]
    if size & 0x80:
        size = int.from_bytes(head[2:], "big")
    return head + exactly(sock, size)


def part_of(name, values):
    found = re.fullmatch(rb"([^;]+)(?:;range=(\d+)-\*)?", name)
    if not found or found.group(1).lower() not in LISTS:
        return name
    first = int(found.group(2) or 0)
    return b"%s;range=%d-%d" % (found.group(1), first, first + values - 1)


def rewrite(data, values):
    """A search whose lists are asked for in parts; others as they are."""
    parts = list(elements(split(data)[1]))
    tag, body = parts[1]
    if tag != SEARCH:
        return data
    fields = list(elements(body))
    names = [part_of(name, values) for _tag, name in elements(fields[-1][1])]
    print("search", b",".join(names).decode(), flush=True)
    fields[-1] = (0x30, b"".join(ber(4, name) for name in names))
    parts[1] = (SEARCH, b"".join(ber(*field) for field in fields))
    return ber(0x30, b"".join(ber(*part) for part in parts))


def forward(source, target, change):
    try:
        while True:
            target.sendall(change(message(source)))
    except (EOFError, OSError):
        pass
    for sock in (source, target):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def look(data):
    if list(elements(split(data)[1]))[1][0] == REFERENCE:
        print("reference", flush=True)
    return data


def main():
    port, host, ca_file, values = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    context = ssl.create_default_context(cafile=ca_file)
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        client, _peer = listener.accept()
        server = context.wrap_socket(socket.create_connection((host, 636)), server_hostname=host)
        threading.Thread(target=forward, args=(client, server, lambda data: rewrite(data, values)), daemon=True).start()
        threading.Thread(target=forward, args=(server, client, look), daemon=True).start()


main()
