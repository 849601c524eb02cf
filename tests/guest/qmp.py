# SPDX-License-Identifier: GPL-2.0
"""A client of QEMU's monitor, by QMP."""
import json
import socket
import sys


class Monitor:
    """The one that listens at a path; whatever fails ends the program, named `me`."""

    def __init__(self, path, me):
        self.me = me
        self.events = []
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError as error:
            sys.exit(f"{me}: cannot ask QEMU at {path}: {error.strerror}; is this its -qmp socket?")
        self.stream = connection.makefile("rw")
        self.stream.readline()
        self.execute("qmp_capabilities")

    def read(self, what):
        for line in self.stream:
            message = json.loads(line)
            if "event" not in message:
                return message
            self.events.append(message)
            if what is None:
                return message
        sys.exit(f"{self.me}: QEMU has closed its QMP socket at {what or 'an event'}")

    def execute(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.stream)
        self.stream.flush()
        answer = self.read(command)
        if "error" in answer:
            sys.exit(f"{self.me}: QEMU refuses {command}: {answer['error']['desc']}")
        return answer["return"]

    def await_event(self, event, **data):
        """Until there is, or was, one with such data"""
        while not any(
            e["event"] == event and data.items() <= e.get("data", {}).items() for e in self.events
        ):
            self.read(None)
