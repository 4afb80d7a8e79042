"""No option vanishes: a name that is none and a value of a wrong type are errors that say what to do."""

import asyncio
import inspect
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import nomyo_native as nomyo
from nomyo_native._option_names import DROP_IN, NATIVE

USER = [{"role": "user", "content": "Hello"}]
SECRET = "hunter2"
# Parameters that models have. None of them may be taken for a misspelt option.
PARAMETERS = """
    temperature top_p top_k top_a min_p typical_p tfs_z n max_tokens max_completion_tokens min_tokens stop stop_token_ids seed
    logit_bias logprobs top_logprobs prompt_logprobs user tools tool_choice functions function_call parallel_tool_calls
    response_format service_tier frequency_penalty presence_penalty repetition_penalty repeat_penalty length_penalty best_of
    stream_options metadata store modalities audio prediction reasoning_effort reasoning verbosity prompt_cache_key
    prompt_cache_retention safety_identifier web_search_options chat_template chat_template_kwargs guided_json guided_regex
    guided_choice guided_grammar guided_decoding_backend structured_outputs ignore_eos skip_special_tokens
    spaces_between_special_tokens include_stop_str_in_output truncate_prompt_tokens add_generation_prompt
    continue_final_message echo documents add_special_tokens use_beam_search early_stopping priority request_id cache_salt
    kv_transfer_params vllm_xargs include_reasoning mirostat mirostat_tau mirostat_eta grammar json_schema n_predict n_keep
    n_probs id_slot cache_prompt samplers dynatemp_range xtc_probability dry_multiplier timings_per_token t_max_predict_ms
    lora prompt suffix format options keep_alive think thinking template raw images context num_ctx num_predict provider
    models route transforms plugins usage safe_prompt random_seed system request
""".split()
WRONG = {
    "securitytier": "did you mean security_tier?",
    "security_teir": "did you mean security_tier?",
    "securityTier": "did you mean security_tier?",
    "tier": "did you mean security_tier?",
    "apikey": "did you mean api_key?",
    "max_retry": "did you mean max_retries?",
    "max_retries": "the client",
    "extra_body": "give its members as keywords",
    "extra_headers": "give headers to Client()",
    "extra_query": "leave it out",
    "extra_header": "did you mean extra_headers?",
}
ALSO_WRONG_IN_CLIENT = {
    "timeuot": "did you mean timeout?",
    "request_timeout": "did you mean timeout?",
    "cancle": "did you mean cancel?",
    "base_url": "the client",
    "ca_file": "the client",
    "log": "the client",
}


@pytest.fixture(scope="module")
def drop_in(base_url: str, ca_file: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", ca_file)
        yield nomyo.SecureChatCompletion(base_url, max_retries=0)


def entries(client: nomyo.Client, drop_in: Any) -> dict[str, Callable[..., Any]]:
    return {
        "Client.create": client.create,
        "Client.acreate": lambda **options: asyncio.run(client.acreate(**options)),
        "SecureChatCompletion.create": lambda **options: asyncio.run(drop_in.create(**options)),
        "SecureChatCompletion.acreate": lambda **options: asyncio.run(drop_in.acreate(**options)),
    }


NATIVE_ENTRIES = ["Client.create", "Client.acreate"]
ENTRIES = [*NATIVE_ENTRIES, "SecureChatCompletion.create", "SecureChatCompletion.acreate"]


def misused(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    with pytest.raises(nomyo.ArgumentTypeError) as caught:
        call(*arguments, **options)
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, nomyo.ArgumentError)
    assert (caught.value.sent, caught.value.status_name) == ("no", "NOMYO_ERR_ARGUMENT")
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_keyword_that_was_meant_as_an_option_is_an_error_that_says_what_to_do(client, drop_in, entry):
    wrong = WRONG | ALSO_WRONG_IN_CLIENT if entry in NATIVE_ENTRIES else WRONG
    for name, advice in wrong.items():
        said = misused(entries(client, drop_in)[entry], model="echo", messages=USER, **{name: SECRET})
        assert f"no option {name}:" in said and advice in said


@pytest.mark.parametrize("entry", ["Client.create", "SecureChatCompletion.create"])
def test_the_parameters_of_models_are_no_misspelt_options(client, drop_in, entry):
    answer = entries(client, drop_in)[entry](model="echo", messages=USER, **dict.fromkeys(PARAMETERS))
    assert answer["choices"][0]["message"]["content"] == "Hello"


def test_a_request_that_is_a_dict_may_have_any_member(client):
    members = {name: None for name in {**WRONG, **ALSO_WRONG_IN_CLIENT}}
    assert client.create({"model": "echo", "messages": USER, **members}).content() == "Hello"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("key_dirr", "did you mean key_dir?"),
        ("apiKey", "did you mean api_key?"),
        ("request_timeout", "did you mean timeout?"),
        ("default_headers", "leave it out"),
        ("http_client", "proxy"),
        ("organization", "leave it out"),
        ("colour", "the options are base_url, api_key, "),
    ],
)
def test_an_unknown_option_of_a_client_is_an_error_that_says_what_to_do(name, advice):
    said = misused(nomyo.Client, **{name: SECRET})
    assert f"no option {name}:" in said and advice in said


def test_the_names_of_the_options_are_those_of_the_signatures():
    def named(function: Callable[..., Any], *others: str) -> set[str]:
        kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return {p.name for p in inspect.signature(function).parameters.values() if p.kind in kinds} - {"self", *others}

    assert set(NATIVE.of_client) == named(nomyo.Client)
    assert set(NATIVE.of_create) == named(nomyo.Client.create)
    assert set(DROP_IN.of_client) == named(nomyo.SecureChatCompletion)


# By option: a value of the type that somebody may take for the right one.
PLAUSIBLE: dict[str, Any] = {
    "base_url": b"https://x", "api_key": 5, "allow_http": "false", "timeout": "3", "connect_timeout": "3",
    "max_retries": 2.5, "rate_limit": 2, "response_limit": 1e6, "proxy": False, "headers": [("X-A", "b")], "ca_file": b"ca.pem", "tls_pins": b"0" * 64,
    "post_quantum": 0, "server_key_pin": [b"0" * 64], "known_servers": 5, "server_key_ttl": "300", "key_dir": 5,
    "key_password": 5, "key_rotation": "1 day", "key_group_read": "no", "attestation": "require", "memory": True,
    "environment": {}, "log": "nomyo", "ca_pem": ["x"], "client_certificate": "own.pem", "client_certificate_pem": b"own",
}  # fmt: skip


@pytest.mark.parametrize("name", NATIVE.of_client)
def test_a_wrong_type_of_a_client_s_option_is_an_error_that_names_the_option(name):
    for value in (object(), PLAUSIBLE[name]):
        assert name in misused(nomyo.Client, **{name: value})


@pytest.mark.parametrize("value", [(1, 2, 3), ("1", 2), (1, 2.5), (True, 1)])
def test_a_rate_limit_of_wrong_numbers_names_rate_limit(value):
    assert "rate_limit" in misused(nomyo.Client, rate_limit=value)


@pytest.mark.parametrize("entry", NATIVE_ENTRIES)
@pytest.mark.parametrize(
    ("name", "value"), [("security_tier", 1), ("api_key", 5), ("timeout", "soon"), ("timeout", True), ("cancel", "now")]
)
def test_a_wrong_type_of_a_call_s_option_is_an_error_that_names_the_option(client, drop_in, entry, name, value):
    for wrong in (value, object()):
        assert name in misused(entries(client, drop_in)[entry], model="echo", messages=USER, **{name: wrong})


def test_a_wrong_type_of_any_other_argument_is_an_error_that_names_it(client):
    calls: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
        ("key_dir", client.generate_keys, (5,)),
        ("password", client.generate_keys, ("keys", 5)),
        ("key_dir", client.save_keys, (None,)),
        ("private_key", client.load_keys, (b"key.pem",)),
        ("public_key", client.load_keys, ("key.pem", 5)),
        ("private_key", client.load_keys_pem, (5,)),
        ("password", client.private_key_pem, (12345678,)),
        ("server_pem", client.seal, (5, {"model": "echo"})),
        ("request", client.open, ("sealed", b"{}")),
        ("block", nomyo.verify_attestation, (5, "id")),
        ("payload_id", nomyo.verify_attestation, (b"{}", 5)),
        ("require", nomyo.AttestationPolicy, ("CONSISTENT",)),
        ("index", nomyo.AttestationPolicy, (None, {("sha256", "7"): "00"})),
    ]
    for name, call, arguments in calls:
        assert misused(call, *arguments).startswith(name)


@pytest.mark.parametrize("timeout", [60, 60.0, Decimal(60)])
def test_any_number_is_a_time(client, chat, timeout):
    assert client.create(chat(), timeout=timeout).content() == "Hello"


def test_a_logger_adapter_is_a_log(make_client):
    make_client(log=logging.LoggerAdapter(logging.getLogger("x"), {})).close()


def test_a_secret_that_is_no_text_is_not_in_the_error(client):
    no_text = SECRET + "\ud800"
    for call in (lambda: nomyo.Client(key_password=no_text), lambda: client.create({}, api_key=no_text)):
        with pytest.raises(nomyo.ArgumentError) as caught:
            call()
        assert "surrogate" in str(caught.value) and SECRET not in repr(caught.value)
        assert caught.value.__context__ is None, "Python's own error has the text"
