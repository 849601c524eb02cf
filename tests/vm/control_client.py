#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A client of iotlbd's control socket that does not behave.

    control_client.py SOCKET rubbish    send much that makes no sense, then ask
                                        something; good if that is answered
    control_client.py SOCKET stall      ask without reading replies until iotlbd
                                        ends the connection; prints "stalled" when
                                        there is no room for more questions
    control_client.py SOCKET crowd N    connect N times, and print each first line
                                        that comes by itself
"""
import json
import random
import socket
import sys

QUESTION = b'{"command":"devices","id":"the last"}\n'


def connect(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    return client


def rubbish_lines():
    random.seed(1)
    yield b"\n" * 100
    yield b"\0" * 4095 + b"\n"
    yield b"[" * 3000 + b"\n"
    yield b'{"command":' * 300 + b"\n"
    yield b"x" * 1000000 + b"\n"
    for _ in range(200):
        yield bytes(random.randrange(256) for _ in range(random.randrange(600)))
    yield b"\n"


def send_rubbish(client):
    client.settimeout(60)
    replies = client.makefile("rb")
    for lines in rubbish_lines():
        client.sendall(lines)
        # Each line but the empty rest of the last has a reply.
        for _ in range(lines.count(b"\n")):
            assert "error" in json.loads(replies.readline())
    client.sendall(QUESTION)
    reply = json.loads(replies.readline())
    return reply.get("id") == "the last" and "return" in reply


def stall(client):
    client.setblocking(False)
    try:
        while True:
            client.send(QUESTION * 10)
    except BlockingIOError:
        print("stalled", flush=True)
    client.setblocking(True)
    try:
        while True:
            client.sendall(QUESTION)
    except (BrokenPipeError, ConnectionResetError):
        return True


def crowd(path, count):
    clients = [connect(path) for _ in range(count)]
    for client in clients:
        client.settimeout(1)
        try:
            print(client.makefile().readline(), end="", flush=True)
        except TimeoutError:
            print("welcome", flush=True)
    return True


def main():
    path, command, *numbers = sys.argv[1:]
    if command == "rubbish":
        good = send_rubbish(connect(path))
    elif command == "stall":
        good = stall(connect(path))
    else:
        good = crowd(path, int(numbers[0]))
    sys.exit(not good)


main()
