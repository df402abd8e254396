"""Connections and messages beyond the limits."""

from __future__ import annotations

import time

import pytest

from tars_client import Device, fresh
from tars_server import wait_until


def open_sockets(server) -> float:
    return server.metric("tars_websocket_connections")


def test_more_sockets_than_a_client_may_have_close_1013(tight):
    client = fresh()
    wait_until(lambda: open_sockets(tight) == 0, 5)
    devices = [Device(tight, client_id=client) for _ in range(3)]
    with Device(tight, client_id=client, expect_ack=False) as one_too_many:
        assert one_too_many.closed()[0] == 1013
    with Device(tight) as other:
        assert other.still_works()
    devices.pop().socket.close()
    wait_until(lambda: open_sockets(tight) == 2, 5)
    with Device(tight, client_id=client) as again:
        assert again.still_works()
    for one in devices:
        one.socket.close()


def test_more_sockets_than_the_server_takes_close_1013(tight):
    wait_until(lambda: open_sockets(tight) == 0, 5)
    devices = [Device(tight) for _ in range(6)]
    with Device(tight, expect_ack=False) as one_too_many:
        assert one_too_many.closed()[0] == 1013
    for one in devices:
        one.socket.close()
    wait_until(lambda: open_sockets(tight) == 0, 5)
    with Device(tight) as again:
        assert again.still_works()


def test_too_many_messages_are_rate_limited_and_the_socket_stays(server, device):
    for _ in range(120):
        device.send({"type": "ping"})
    answers = [device.receive() for _ in range(120)]
    limited = [a for a in answers if a["type"] == "error"]
    assert limited and all(a["code"] == "RATE_LIMITED" for a in limited)
    assert all(a["retry_after_s"] > 0 for a in limited)
    assert sum(a["type"] == "pong" for a in answers) >= 60, "the burst of 60 is allowed"
    assert wait_until(lambda: pong(device), 10)


def test_the_default_message_rate_is_20_a_second_in_bursts_of_60(own_server):
    """A busy machine takes its time, in which more are let through, but never fewer."""
    with Device(own_server(start=False).start(ready=False)) as device:
        began = time.monotonic()
        first = burst(device, 120)
        assert first[:60] == ["pong"] * 60
        time.sleep(1)
        second = burst(device, 60)
        assert second[:20] == ["pong"] * 20
        assert (first + second).count("pong") <= 60 + 20 * (time.monotonic() - began)


def burst(device, count: int) -> list[str]:
    """The kinds of the answers to so many pings at once."""
    for _ in range(count):
        device.send({"type": "ping"})
    return [device.receive()["type"] for _ in range(count)]


def pong(device) -> bool:
    device.send({"type": "ping"})
    return device.receive()["type"] == "pong"


def test_clients_do_not_share_the_message_limit(server):
    with Device(server) as noisy, Device(server) as quiet:
        for _ in range(120):
            noisy.send({"type": "ping"})
        assert quiet.still_works()


@pytest.mark.parametrize("count", [64])
def test_sixty_four_sockets_of_one_client(server, count):
    token = server.access(fresh())
    devices = [Device(server, token) for _ in range(count)]
    with Device(server, token, expect_ack=False) as one_too_many:
        assert one_too_many.closed()[0] == 1013
    assert all(one.still_works() for one in devices)
    for one in devices:
        one.socket.close()
