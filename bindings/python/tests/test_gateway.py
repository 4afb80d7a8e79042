"""A gateway in front of the server: headers for it, and the id that it gives a request."""

import pytest

import nomyo_native as nomyo

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


def test_a_gateway_s_header_goes_out_and_the_request_s_id_comes_back(base_url, ca_file):
    with nomyo.Client(base_url, ca_file=ca_file, headers={"X-Request-ID": bytearray(b"r-7")}, max_retries=0) as client:
        with client.create(REQUEST) as answer:
            assert answer.request_id == "r-7"
        with pytest.raises(nomyo.NomyoError) as refused:
            client.create(REQUEST | {"nomyo_test": {"status": 400}})
        assert refused.value.request_id == "r-7"
    with nomyo.Client(base_url, ca_file=ca_file) as client, client.create(REQUEST) as answer:
        assert answer.request_id is None


@pytest.mark.parametrize(
    "headers", [{"X-Payload-ID": "x"}, {"authorization": "x"}, {"a b": "x"}, {"X-A": "x\r\ny: z"}, {"X-A": 5}, {5: "x"}]
)
def test_a_header_that_the_client_sets_and_what_is_no_header_are_refused(headers):
    with pytest.raises(nomyo.ArgumentError):
        nomyo.Client(headers=headers)
