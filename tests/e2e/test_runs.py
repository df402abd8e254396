"""Runs: cancel, the same message_id again, disconnects, waiting, fairness, bounds."""

from __future__ import annotations

import time

import pytest

from tars_client import Answer, Device, fresh
from tars_server import wait_until

LONG = "Write a very long story about a lighthouse keeper and the sea. Do not stop."


def begin(device: Device, **fields) -> tuple[Answer, dict]:
    """Starts a long run and reads to its first token."""
    device.start(LONG, max_tokens=2000, temperature=0, **fields)
    answer = Answer()
    while not answer.tokens:
        answer.take(device.receive())
    return answer, {"run_id": answer.run_id, "conversation_id": answer.conversation_id,
                    "message_id": fields.get("message_id")}


def finish(device: Device, answer: Answer) -> Answer:
    while not answer.end:
        answer.take(device.receive())
    return answer


def idle(server) -> bool:
    return server.metric("tars_runs_running") == 0


# -- the same message on the same socket


def test_a_message_repeated_on_its_socket_is_told_once(device):
    """The run starts over at its beginning on this socket, and nothing comes twice in a row."""
    answer, _ = begin(device, message_id="again")
    device.start(LONG, max_tokens=2000, temperature=0, message_id="again")
    assert device.still_works()  # what came before the repetition is read
    device.send({"type": "cancel", "message_id": "again"})
    offsets, ends = [], 0
    while not ends:
        frame = device.receive()
        assert frame["run_id"] == answer.run_id
        if frame["type"] == "token":
            offsets.append(frame["offset"])
        ends += frame["type"] == "complete"
    assert offsets == sorted(set(offsets)), "two readers of one run on one socket"
    assert device.receive_or_none(0.5) is None, "a second end"


# -- cancel


@pytest.mark.parametrize("by", ["run_id", "message_id", "conversation_id"])
def test_cancel_by_each_id(server, device, by):
    answer, ids = begin(device, message_id=fresh("m"), conversation_id=fresh("c"))
    device.send({"type": "cancel", by: ids[by]})
    done = finish(device, answer).complete
    assert done["finish_reason"] == "cancelled"
    assert done["total_tokens"] == answer.tokens < 2000
    wait_until(lambda: idle(server), 5)


def test_cancel_by_conversation_stops_all_its_runs_and_no_other(server, device):
    for n in range(2):
        device.start(LONG, temperature=0, max_tokens=1500, conversation_id="both", message_id=f"both-{n}")
    device.start("Say yes.", max_tokens=30, conversation_id="other", message_id="other")
    device.first_token()
    device.send({"type": "cancel", "conversation_id": "both"})
    ends = {}
    while len(ends) < 3:
        frame = device.receive()
        if frame["type"] in ("complete", "error"):
            ends[frame["message_id"]] = frame
    assert ends["both-0"]["finish_reason"] == ends["both-1"]["finish_reason"] == "cancelled"
    assert ends["other"]["finish_reason"] in ("stop", "length")


def test_a_run_that_has_ended_stays_as_it_is(server, device):
    answer = device.ask("Say yes.", max_tokens=3, message_id="ended")
    device.send({"type": "cancel", "run_id": answer.run_id})
    device.send({"type": "cancel", "message_id": "ended"})
    assert device.still_works()  # and no frame came in between


@pytest.mark.parametrize("by", ["run_id", "message_id"])
def test_cancel_of_an_unknown_run(server, device, by):
    device.send({"type": "cancel", by: "no-such-run"})
    device.expect_error("RUN_NOT_FOUND")
    assert device.still_works()


def test_cancel_of_a_conversation_without_runs_is_no_error(server, device):
    device.send({"type": "cancel", "conversation_id": "nothing-runs-here"})
    assert device.still_works()


def test_another_clients_run_cannot_be_cancelled(server, device):
    answer, ids = begin(device)
    with Device(server) as attacker:
        attacker.send({"type": "cancel", "run_id": ids["run_id"]})
        attacker.expect_error("RUN_NOT_FOUND")
        attacker.send({"type": "cancel", "conversation_id": ids["conversation_id"]})
        assert attacker.still_works()
    held = answer.tokens
    while answer.tokens < held + 5:
        answer.take(device.receive())
    device.send({"type": "cancel", "run_id": ids["run_id"]})
    finish(device, answer)


def test_cancel_during_prompt_processing(server, device):
    prompt = "The quick brown fox jumps over the lazy dog. " * 280  # about 2,800 tokens
    device.start(prompt, max_tokens=200, message_id="prompt")
    wait_until(lambda: server.metric("tars_runs_running") == 1, 10)
    began = time.monotonic()
    device.send({"type": "cancel", "message_id": "prompt"})
    answer = device.collect()[0]
    assert time.monotonic() - began < 5, "one batch, and no more of the prompt"
    assert answer.complete["finish_reason"] == "cancelled" and answer.tokens == 0
    wait_until(lambda: idle(server), 2)


def test_cancel_from_another_device_of_the_same_client(server, device):
    answer, ids = begin(device)
    with Device(server, client_id=device.client_id) as phone:
        phone.send({"type": "cancel", "run_id": ids["run_id"]})
        assert finish(device, answer).complete["finish_reason"] == "cancelled"


# -- the same message again


def test_the_same_message_id_attaches_and_never_generates_twice(server, device):
    server.wait_idle()
    before = server.metric('tars_tokens_total{kind="generated"}')
    with Device(server, client_id=device.client_id) as phone:
        answer, _ = begin(device, message_id="once", conversation_id="c-once")
        phone.start(LONG, max_tokens=2000, temperature=0, message_id="once", conversation_id="c-once")
        other = Answer()
        while other.tokens < answer.tokens + 10:
            other.take(phone.receive())
        assert other.run_id == answer.run_id
        device.send({"type": "cancel", "message_id": "once"})
        finish(device, answer)
        finish(phone, other)
    assert other.text == answer.text and other.complete["total_tokens"] == answer.tokens
    wait_until(lambda: idle(server), 5)
    assert server.metric('tars_tokens_total{kind="generated"}') - before <= answer.tokens + 1


def test_the_same_message_id_after_the_end_replays(server, device):
    first = device.ask("Name a fruit.", message_id="fruit", max_tokens=8)
    server.wait_idle()
    before = server.metric('tars_tokens_total{kind="generated"}')
    again = device.ask("Name a fruit.", message_id="fruit", max_tokens=8)
    assert again.run_id == first.run_id and again.text == first.text
    assert again.complete["total_tokens"] == first.complete["total_tokens"]
    server.wait_idle()
    assert server.metric('tars_tokens_total{kind="generated"}') == before


def test_the_same_message_id_with_another_content_is_refused(server, device):
    device.ask("Name a fruit.", message_id="one-id", max_tokens=4)
    device.start("Name a tree.", message_id="one-id", max_tokens=4)
    assert device.expect_error("INVALID_MESSAGE")["message_id"] == "one-id"


def test_another_clients_message_id_is_another_run(server, device):
    with Device(server) as other:
        first = device.ask("Name a fruit.", message_id="shared", max_tokens=4)
        second = other.ask("Name a tree.", message_id="shared", max_tokens=4)
    assert first.run_id != second.run_id


# -- disconnects


def cancelled_runs(server) -> float:
    return server.metric('tars_runs_total{outcome="cancelled"}')


def test_a_clean_close_stops_the_run(server):
    before = cancelled_runs(server)
    device = Device(server)
    begin(device)
    device.socket.close(1000)
    wait_until(lambda: cancelled_runs(server) == before + 1, 5)
    wait_until(lambda: idle(server), 2)


def test_a_clean_close_leaves_the_run_to_another_follower(server):
    device = Device(server)
    with Device(server, client_id=device.client_id) as phone:
        answer, ids = begin(device, message_id="followed")
        phone.start(LONG, max_tokens=2000, temperature=0, message_id="followed")
        other = Answer()
        while not other.tokens:
            other.take(phone.receive())
        device.socket.close(1001)
        held = other.tokens
        while other.tokens < held + 20:
            other.take(phone.receive())
        phone.send({"type": "cancel", "run_id": ids["run_id"]})
        finish(phone, other)


def test_on_disconnect_finish_lets_it_finish(server):
    before = server.metric('tars_runs_total{outcome="complete"}')
    device = Device(server)
    device.start(LONG, max_tokens=60, temperature=0, on_disconnect="finish", message_id="finish")
    seen = device.first_token()
    device.socket.close(1000)
    wait_until(lambda: server.metric('tars_runs_total{outcome="complete"}') == before + 1, 20)
    with Device(server, client_id=device.client_id) as again:
        answer = again.ask(LONG, max_tokens=60, temperature=0, message_id="finish")
        assert answer.run_id == seen["run_id"] and answer.complete["total_tokens"] == 60


def test_a_lost_socket_keeps_its_run_for_a_while_then_cancels_it(tight):
    before = cancelled_runs(tight)
    device = Device(tight)
    device.start(LONG, max_tokens=400, temperature=0)
    device.first_token()
    began = time.monotonic()
    device.drop()
    wait_until(lambda: cancelled_runs(tight) == before + 1, 10)
    assert time.monotonic() - began > 0.7, "not kept for RUN_GRACE_SECONDS"
    wait_until(lambda: idle(tight), 2)


# -- waiting, fairness, bounds


def test_one_conversation_answers_one_message_at_a_time(server, device):
    """The second message's prompt holds the first one's answer, so it waits for it."""
    device.start("Count to twenty.", temperature=0, max_tokens=30, message_id="a", conversation_id="one")
    device.start("And now back.", temperature=0, max_tokens=5, message_id="b", conversation_id="one")
    first, second = device.collect(2)
    assert first.complete["message_id"] == "a" and second.complete["message_id"] == "b"
    assert second.complete["prompt_tokens"] > (
        first.complete["prompt_tokens"] + first.complete["total_tokens"])


def test_waiting_runs_tell_their_position(server, device):
    for n in range(7):
        device.start(LONG, max_tokens=120, temperature=0, message_id=f"w{n}")
    answers = device.collect(7)
    waited = [a for a in answers if a.positions]
    assert len(waited) == 3, "four run at once per client, three wait"
    for answer in waited:
        assert answer.positions == sorted(answer.positions, reverse=True)
        assert len(set(answer.positions)) == len(answer.positions)
        queued = next(f for f in answer.frames if f["type"] == "queued")
        assert queued["run_id"] == answer.run_id and queued["conversation_id"]
        assert queued["message_id"] == answer.complete["message_id"]
    first = {answer.complete["message_id"]: answer.positions[0] for answer in waited}
    assert first == {"w4": 1, "w5": 2, "w6": 3}, "as they came; the next to start was told 1"
    assert next(a for a in waited if a.complete["message_id"] == "w4").positions == [1]


def test_a_waiting_run_can_be_cancelled(server, device):
    for n in range(5):
        device.start(LONG, temperature=0, max_tokens=1000, message_id=f"x{n}")
    while (frame := device.receive())["type"] != "queued":
        pass
    assert frame["message_id"] == "x4"
    device.send({"type": "cancel", "message_id": "x4"})
    while (frame := device.receive())["type"] != "complete":
        pass
    assert frame["message_id"] == "x4" and frame["finish_reason"] == "cancelled"
    assert frame["total_tokens"] == 0
    for n in range(4):
        device.send({"type": "cancel", "message_id": f"x{n}"})
    ended = 0
    while ended < 4:
        ended += device.receive()["type"] == "complete"


def test_more_than_a_client_may_have_is_overloaded(server, device):
    for n in range(21):
        device.start(LONG, temperature=0, max_tokens=1500, message_id=f"o{n}", conversation_id=f"o{n}")
    while (frame := device.receive())["type"] != "error":
        pass
    assert frame["code"] == "OVERLOADED" and frame["message_id"] == "o20"
    assert frame["retry_after_s"] > 0
    with Device(server) as other:  # it is this client's bound, not the server's
        assert other.ask("Say yes.", max_tokens=2).complete
    for n in range(20):
        device.send({"type": "cancel", "conversation_id": f"o{n}"})
    ended = 0
    while ended < 20:
        frame = device.receive()
        assert frame["type"] != "error"
        ended += frame["type"] == "complete"
    # Nothing was stored of the refused one: its id is free.
    assert device.ask("Another text.", message_id="o20", max_tokens=2).complete


def test_a_busy_client_does_not_starve_another(server):
    with Device(server) as busy, Device(server) as quiet:
        for n in range(20):
            busy.start(LONG, max_tokens=60, temperature=0, message_id=f"b{n}")
        busy.first_token()
        answer = quiet.ask("Say yes.", max_tokens=4)
        ended_before = 0
        moment = answer.end["timestamp"]
        for other in busy_ends(busy, 20):
            ended_before += other["timestamp"] <= moment
        assert ended_before <= 8, f"{ended_before} of 20 answers went first"


def busy_ends(device: Device, count: int) -> list[dict]:
    ends = []
    while len(ends) < count:
        frame = device.receive(60)
        if frame["type"] in ("complete", "error"):
            ends.append(frame)
    return ends


def test_waiting_starts_round_robin_between_clients(server):
    """Eight clients hold every place, one each; of four others with four runs each, every client's
    first comes before any client's second, whoever asked first."""
    holders = [Device(server) for _ in range(8)]
    waiting = [Device(server) for _ in range(4)]
    told: dict[tuple[int, str], int] = {}
    try:
        for one in holders:
            one.start(LONG, max_tokens=1900, temperature=0, conversation_id="robin-0")
        wait_until(lambda: server.metric("tars_runs_running") == 8, 10)
        for one in waiting:
            for n in range(4):
                one.start(LONG, max_tokens=4, temperature=0, message_id=f"{n}",
                          conversation_id=f"robin-{n}")

        def settled() -> bool:  # a position is told again whenever it changes
            for who, one in enumerate(waiting):
                while (frame := one.receive_or_none(0.05)) is not None:
                    if frame["type"] == "queued":
                        told[who, frame["message_id"]] = frame["position"]
            return sorted(told.values()) == list(range(1, 17))

        wait_until(settled, 10)
        for one in [*waiting, *holders]:
            for n in range(4):
                one.send({"type": "cancel", "conversation_id": f"robin-{n}"})
        for one in waiting:
            busy_ends(one, 4)
        for one in holders:
            busy_ends(one, 1)
    finally:
        for one in [*holders, *waiting]:
            one.socket.close()
    levels = [sorted(told[who, f"{n}"] for who in range(4)) for n in range(4)]
    assert levels == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]], told


def test_the_waiting_of_all_clients_together_is_bounded(tight):
    """RUNS_WAITING=3: with every place taken, one more waiting run is refused."""
    devices = [Device(tight) for _ in range(5)]
    refused = 0
    try:
        for who, one in enumerate(devices):
            for n in range(8):
                one.start("Write a long story.", max_tokens=200, message_id=f"t{n}",
                          conversation_id="tight")
        for one in devices:
            one.send({"type": "cancel", "conversation_id": "tight"})
        for one in devices:
            for end in busy_ends(one, 8):
                if end["type"] == "error":
                    assert end["code"] == "OVERLOADED" and end["retry_after_s"] > 0
                    refused += 1
    finally:
        for one in devices:
            one.socket.close()
    assert refused >= 40 - 5 * 4 - 3
