"""A WSGI application whose every response can be checked byte for byte (content.ts makes the same bytes)."""

import os
import time
import zlib

with open(os.environ["SOAK_BLOCK"], "rb") as file:
    BLOCK = file.read()


def body_of(path, size):
    head = path.encode() + b"\n"
    start = zlib.crc32(head) % len(BLOCK)
    endless = BLOCK[start:] + BLOCK * (size // len(BLOCK) + 1)
    return (head + endless)[:size]


def in_pieces(body):
    for start in range(0, len(body), 16384):
        yield body[start : start + 16384]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    kind, size = path.split("/")[2:4]
    body = body_of(path, int(size))
    if kind == "slow":
        time.sleep(0.2)
    headers = [("Content-Type", "application/octet-stream")]
    if kind == "chunked":
        start_response("200 OK", headers)
        return in_pieces(body)
    start_response("200 OK", headers + [("Content-Length", str(len(body)))])
    return [body]
