"""A TLS socket that one thread may read while another writes, as websockets.sync does.

OpenSSL's connections are not made for that, and Python guards them only from 3.13.2 on (gh-124984):
before, a request written while the other thread reads a session ticket can be lost, and the
handshake of the WebSocket waits for its answer in vain."""

from __future__ import annotations

import select
import ssl
import threading


class OneAtATime(ssl.SSLSocket):
    @property
    def _turn(self) -> threading.RLock:
        # Not in __init__, which SSLContext.wrap_socket() goes around.
        return self.__dict__.setdefault("_one_at_a_time", threading.RLock())

    def _without_waiting(self, operation, *arguments):
        """SSLWantRead or SSLWantWrite instead of a wait with the lock in hand."""
        with self._turn:
            before = self.gettimeout()
            self.setblocking(False)
            try:
                return operation(*arguments)
            finally:
                if self.fileno() >= 0:
                    self.settimeout(before)

    def _until_done(self, operation, *arguments):
        with self._turn:
            timeout = self.gettimeout()
        while True:
            reads, writes = [self], []
            try:
                return self._without_waiting(operation, *arguments)
            except ssl.SSLWantWriteError:
                reads, writes = [], [self]
            except ssl.SSLWantReadError:
                pass
            if not any(select.select(reads, writes, [], timeout)):
                raise TimeoutError("timed out")

    def recv(self, buflen=1024, flags=0):
        return self._until_done(super().recv, buflen, flags)

    def send(self, data, flags=0):
        return self._until_done(super().send, data, flags)

    def sendall(self, data, flags=0):
        view = memoryview(data).cast("B")
        while view:
            view = view[self.send(view, flags):]


def one_at_a_time(context: ssl.SSLContext) -> ssl.SSLContext:
    context.sslsocket_class = OneAtATime
    return context
