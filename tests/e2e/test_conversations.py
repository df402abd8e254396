"""Memory: turns in the prompt, per client, trimmed to fit, kept across restarts."""

from __future__ import annotations

from tars_client import Device, fresh


def ask(device, content, **fields):
    return device.ask(content, temperature=0, max_tokens=fields.pop("max_tokens", 24), **fields)


def test_turns_are_part_of_the_prompt(server, device):
    first = ask(device, "My name is Ada. Please remember my name.", conversation_id="memory")
    second = ask(device, "What is my name?", conversation_id="memory")
    alone = ask(device, "What is my name?")
    assert second.complete["prompt_tokens"] >= (
        first.complete["prompt_tokens"] + first.complete["total_tokens"])
    assert second.complete["prompt_tokens"] > alone.complete["prompt_tokens"]


def test_the_prefix_shared_with_the_last_turn_is_not_computed_twice(server, device):
    first = ask(device, "Tell me about tides, at some length. " * 8, conversation_id="cached")
    hits = server.metric("tars_kv_prefix_hits_total")
    second = ask(device, "And the moon?", conversation_id="cached").complete
    assert second["cached_tokens"] >= first.complete["prompt_tokens"]
    assert second["cached_tokens"] < second["prompt_tokens"]
    server.wait_idle()
    assert server.metric("tars_kv_prefix_hits_total") > hits


def test_a_reused_prefix_does_not_change_the_answer(server):
    texts = []
    for _ in range(2):
        with Device(server) as device:
            ask(device, "List three rivers.", conversation_id="same")
            texts.append(ask(device, "Which is the longest?", conversation_id="same").text)
    assert texts[0] == texts[1]


def test_conversations_are_per_client(server):
    with Device(server) as ada, Device(server) as eve:
        ask(ada, "My secret word is marzipan.", conversation_id="private")
        alone = ask(eve, "What is the secret word?", conversation_id="private").complete
        control = ask(eve, "What is the secret word?", conversation_id="control").complete
        assert alone["prompt_tokens"] == control["prompt_tokens"]


def test_devices_of_one_client_share_a_conversation(server, device):
    first = ask(device, "I have a cat named Kuro.", conversation_id="shared")
    with Device(server, client_id=device.client_id) as phone:
        second = ask(phone, "And my cat?", conversation_id="shared")
    assert second.complete["prompt_tokens"] > first.complete["prompt_tokens"]


def test_a_cancelled_answer_is_kept_as_a_partial_turn(server, device):
    device.start("Write a very long story about the sea.", temperature=0, max_tokens=1500,
                 conversation_id="partial")
    run = device.first_token()["run_id"]
    for _ in range(10):
        device.receive()
    device.send({"type": "cancel", "run_id": run})
    while (end := device.receive())["type"] != "complete":
        pass
    after = ask(device, "Go on.", conversation_id="partial").complete
    assert after["prompt_tokens"] >= end["prompt_tokens"] + end["total_tokens"]


def test_history_is_trimmed_from_the_oldest_turn(tight):
    with Device(tight) as device:
        prompts = [ask(device, f"Question {n}: " + "tell me about the sea and the wind. " * 12,
                       conversation_id="trim").complete["prompt_tokens"] for n in range(6)]
    assert all(count < 512 for count in prompts)
    assert prompts[1] > prompts[0], "the second turn has the first in it"
    assert prompts[-1] < sum(prompts[:1]) * 6, "old turns were dropped"


def test_max_tokens_is_cut_to_what_the_context_has_left(tight):
    with Device(tight) as device:
        done = device.ask("word " * 380, temperature=0, max_tokens=2048).complete
    assert done["prompt_tokens"] + done["total_tokens"] <= 512
    assert done["finish_reason"] in ("length", "stop")


def test_a_last_message_that_alone_does_not_fit(tight):
    with Device(tight) as device:
        device.start("1 2 3 4 5 6 7 8 9 " * 60)
        device.expect_error("CONTEXT_OVERFLOW")
        assert ask(device, "Say yes.", max_tokens=2).complete


def test_a_restart_keeps_conversations_and_runs(own_server):
    server = own_server()
    client = fresh()
    with Device(server, client_id=client) as device:
        first = ask(device, "My name is Ada. Please remember my name.", conversation_id="kept",
                    message_id="kept-1")
    assert server.stop() == 0
    server.start()
    with Device(server, client_id=client) as device:
        again = ask(device, "My name is Ada. Please remember my name.", conversation_id="kept",
                    message_id="kept-1")
        assert again.run_id == first.run_id and again.text == first.text, "the run was not replayed"
        second = ask(device, "What is my name?", conversation_id="kept")
        assert second.complete["prompt_tokens"] >= (
            first.complete["prompt_tokens"] + first.complete["total_tokens"])
    server.kill()
    server.start()
    with Device(server, client_id=client) as device:
        third = ask(device, "Tell me my name again.", conversation_id="kept")
    assert third.complete["prompt_tokens"] > second.complete["prompt_tokens"]
