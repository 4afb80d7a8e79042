"""Objects end when they should, and never while they are used."""

import gc
import os
import re
import socket
import threading
import time
import traceback

import pytest

import nomyo_native as nomyo
from nomyo_native._library import ctypes, lib
from nomyo_native._handle import Handle


def test_a_closed_client_refuses_to_work(make_client, chat):
    client = make_client()
    client.close()
    client.close()
    for use in (client.warm_up, lambda: client.create(chat())):
        with pytest.raises(nomyo.ArgumentError, match="closed"):
            use()


def test_a_closed_answer_refuses_to_be_read(client, chat):
    with client.create(chat()) as answer:
        pass
    answer.close()
    for read in (answer.view, answer.content, answer.json, lambda: len(answer), lambda: answer.payload_id):
        with pytest.raises(nomyo.ArgumentError, match="closed"):
            read()


def test_an_answer_outlives_its_client(make_client, chat):
    with make_client() as client:
        answer = client.create(chat("still there"))
    assert answer.content() == "still there"


def test_close_during_a_call_lets_it_end(make_client, chat):
    client = make_client()
    client.warm_up()
    said: list[str | None] = []
    request = chat(test={"delay_before_headers_ms": 500})
    call = threading.Thread(target=lambda: said.append(client.create(request).content()))
    call.start()
    time.sleep(0.2)
    client.close()
    with pytest.raises(nomyo.ArgumentError):
        client.warm_up()
    call.join()
    assert said == ["Hello"]


def test_a_handle_is_freed_once_by_its_last_use():
    freed: list[object] = []
    handle = Handle("pointer", freed.append, "thing")
    with handle as outer:
        with handle as inner:
            handle.close()
            assert outer == inner == "pointer"
        assert freed == []
    assert freed == ["pointer"]
    handle.close()
    del handle
    assert freed == ["pointer"]


def test_a_forgotten_handle_is_freed():
    freed: list[object] = []
    Handle("pointer", freed.append, "thing")
    gc.collect()
    assert freed == ["pointer"]


def test_threads_that_use_and_close_at_once_free_once():
    for _ in range(200):
        freed: list[object] = []
        handle = Handle("pointer", freed.append, "thing")

        def use() -> None:
            try:
                with handle:
                    assert not freed
            except nomyo.ArgumentError:
                pass

        threads = [threading.Thread(target=target) for target in (use, handle.close, use, handle.close)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert freed == ["pointer"]


def test_half_built_objects_can_be_forgotten(monkeypatch):
    unraisable: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)
    for kind in (Handle, nomyo.Client, nomyo.Response):
        kind.__new__(kind)
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client("no url")
    gc.collect()
    assert unraisable == []


def test_a_forked_child_is_told_so(make_client):
    with make_client() as client:
        client.warm_up()
        child = os.fork()
        if child == 0:
            outcome = 1
            try:
                client.warm_up()
            except nomyo.ForkedError:
                client.close()
                outcome = 0
            except BaseException:
                traceback.print_exc()
            os._exit(outcome)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.warm_up()


def test_ctypes_refuses_a_handle_of_another_type():
    with pytest.raises(ctypes.ArgumentError):
        lib.nomyo_response_json(lib.nomyo_call_options_new(), None)


def test_the_server_is_told_which_binding_calls():
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(4096))

        listener = threading.Thread(target=listen)
        listener.start()
        with nomyo.Client(f"http://127.0.0.1:{server.getsockname()[1]}", allow_http=True, max_retries=0) as client:
            with pytest.raises(nomyo.APIConnectionError):
                client.warm_up()
        listener.join()
    assert re.search(rf"(?i)user-agent: nomyo-native/\S+ \(python/{nomyo.__version__};".encode(), heard[0])
