"""The C library: found, loaded, and every function of nomyo.h declared.

ctypes takes and returns `int` unless told otherwise, which cuts pointers in half: nothing here is left undeclared. Each
C type is a class of its own, so that ctypes refuses a response where a client is due.
"""

import ctypes
import os
from collections.abc import Callable
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_char,
    c_char_p,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any

ABI_VERSION = 0
SONAME = f"libnomyo.so.{ABI_VERSION}"


def _load() -> ctypes.CDLL:
    explicit = os.environ.get("NOMYO_LIBRARY")
    beside = Path(__file__).with_name(SONAME)
    name = explicit or (str(beside) if beside.exists() else SONAME)
    try:
        return ctypes.CDLL(name)  # CDLL, not PyDLL: calls release the GIL
    except OSError as e:
        raise ImportError(
            f"the C library of nomyo_native cannot be loaded from {name}: {e}. "
            f"Install {SONAME}, or set NOMYO_LIBRARY to its path"
        ) from e


_lib = _load()


def _declare(name: str, result: Any, *parameters: Any) -> Callable[..., Any]:
    try:
        function = getattr(_lib, name)
    except AttributeError as e:
        raise ImportError(f"{_lib._name} has no {name}: it is not {SONAME}, or another version of it") from e
    function.restype, function.argtypes = result, parameters
    return function  # type: ignore[no-any-return]


class Config(ctypes.Structure):
    """nomyo_config"""


class Client(ctypes.Structure):
    """nomyo_client"""


class Request(ctypes.Structure):
    """nomyo_request"""


class Response(ctypes.Structure):
    """nomyo_response"""


class Sealed(ctypes.Structure):
    """nomyo_sealed"""


class Cancel(ctypes.Structure):
    """nomyo_cancel"""


class Text(ctypes.Structure):
    """nomyo_text"""


class Error(ctypes.Structure):
    """nomyo_error"""


class MemoryInfo(ctypes.Structure):
    """nomyo_memory_info"""

    _fields_ = [
        ("policy", c_int32),
        ("level", c_int32),
        ("page_size", c_uint64),
        ("limit", c_uint64),
        ("mapped", c_uint64),
        ("locked", c_uint64),
        ("refused", c_uint64),
        ("dump_excluded", c_int32),
        ("fork_excluded", c_int32),
    ]


LogFunction = CFUNCTYPE(None, c_void_p, c_int32, POINTER(c_char), c_size_t)

_Config, _Client, _Request, _Response = POINTER(Config), POINTER(Client), POINTER(Request), POINTER(Response)
_Sealed, _Cancel, _Error, _OwnedText = POINTER(Sealed), POINTER(Cancel), POINTER(Error), POINTER(Text)
_Err = POINTER(_Error)
_Status = c_int32
# Bytes that go in, with a length or NUL-terminated: bytes, or an array of c_char over a writable buffer.
_In = c_char_p
# Static or NUL-terminated text that comes out, converted to bytes at its first NUL.
_Text = c_char_p
# Bytes that come out with a length beside them: left a pointer, since they may hold NULs.
_Out, _Len = POINTER(c_char), POINTER(c_size_t)

nomyo_version = _declare("nomyo_version", _Text)
nomyo_abi_version = _declare("nomyo_abi_version", c_uint32)
nomyo_status_name = _declare("nomyo_status_name", _Text, _Status)

nomyo_error_status = _declare("nomyo_error_status", _Status, _Error)
nomyo_error_message = _declare("nomyo_error_message", _Text, _Error)
nomyo_error_http_status = _declare("nomyo_error_http_status", c_int32, _Error)
nomyo_error_retry_after_ms = _declare("nomyo_error_retry_after_ms", c_int64, _Error)
nomyo_error_retryable = _declare("nomyo_error_retryable", c_int32, _Error)
nomyo_error_attempts = _declare("nomyo_error_attempts", c_uint32, _Error)
nomyo_error_details = _declare("nomyo_error_details", _Out, _Error, _Len)
nomyo_error_free = _declare("nomyo_error_free", None, _Error)

nomyo_config_new = _declare("nomyo_config_new", _Config)
nomyo_config_free = _declare("nomyo_config_free", None, _Config)
nomyo_config_load_env = _declare("nomyo_config_load_env", _Status, _Config, _Err)
nomyo_config_set_base_url = _declare("nomyo_config_set_base_url", _Status, _Config, _In, _Err)
nomyo_config_set_api_key = _declare("nomyo_config_set_api_key", _Status, _Config, _In, c_size_t, _Err)
nomyo_config_set_allow_http = _declare("nomyo_config_set_allow_http", _Status, _Config, c_int32, _Err)
nomyo_config_set_memory_policy = _declare("nomyo_config_set_memory_policy", _Status, _Config, c_int32, _Err)
nomyo_config_set_max_retries = _declare("nomyo_config_set_max_retries", _Status, _Config, c_uint32, _Err)
nomyo_config_set_timeout_ms = _declare("nomyo_config_set_timeout_ms", _Status, _Config, c_uint64, _Err)
nomyo_config_set_connect_timeout_ms = _declare("nomyo_config_set_connect_timeout_ms", _Status, _Config, c_uint64, _Err)
nomyo_config_set_proxy = _declare("nomyo_config_set_proxy", _Status, _Config, _In, _Err)
nomyo_config_set_rate_limit = _declare("nomyo_config_set_rate_limit", _Status, _Config, c_double, c_uint32, _Err)
nomyo_config_set_response_limit = _declare("nomyo_config_set_response_limit", _Status, _Config, c_uint64, _Err)
nomyo_config_set_ca_file = _declare("nomyo_config_set_ca_file", _Status, _Config, _In, _Err)
nomyo_config_set_key_dir = _declare("nomyo_config_set_key_dir", _Status, _Config, _In, _Err)
nomyo_config_set_key_password = _declare("nomyo_config_set_key_password", _Status, _Config, _In, c_size_t, _Err)
nomyo_config_set_key_rotation_ms = _declare("nomyo_config_set_key_rotation_ms", _Status, _Config, c_uint64, _Err)
nomyo_config_set_server_key_pin = _declare("nomyo_config_set_server_key_pin", _Status, _Config, _In, _Err)
nomyo_config_set_known_servers = _declare("nomyo_config_set_known_servers", _Status, _Config, _In, _Err)
nomyo_config_set_server_key_ttl_ms = _declare("nomyo_config_set_server_key_ttl_ms", _Status, _Config, c_uint64, _Err)
nomyo_config_set_log = _declare("nomyo_config_set_log", _Status, _Config, c_int32, LogFunction, c_void_p, _Err)
nomyo_config_set_binding = _declare("nomyo_config_set_binding", _Status, _Config, _In, _Err)

nomyo_client_new = _declare("nomyo_client_new", _Status, _Config, POINTER(_Client), _Err)
nomyo_client_free = _declare("nomyo_client_free", None, _Client)
nomyo_client_warm_up = _declare("nomyo_client_warm_up", _Status, _Client, _Err)
nomyo_client_generate_keys = _declare("nomyo_client_generate_keys", _Status, _Client, _In, _In, c_size_t, _Err)
nomyo_client_load_keys = _declare("nomyo_client_load_keys", _Status, _Client, _In, _In, _In, c_size_t, _Err)
nomyo_client_save_keys = _declare("nomyo_client_save_keys", _Status, _Client, _In, _In, c_size_t, _Err)
nomyo_client_rotate_keys = _declare("nomyo_client_rotate_keys", _Status, _Client, _Err)
nomyo_client_public_key = _declare("nomyo_client_public_key", _Status, _Client, POINTER(_OwnedText), _Err)
nomyo_client_server_key = _declare(
    "nomyo_client_server_key", _Status, _Client, POINTER(_OwnedText), POINTER(_OwnedText), _Err
)
nomyo_create = _declare("nomyo_create", _Status, _Client, _In, c_size_t, _Request, POINTER(_Response), _Err)

nomyo_text_data = _declare("nomyo_text_data", _Out, _OwnedText, _Len)
nomyo_text_free = _declare("nomyo_text_free", None, _OwnedText)

nomyo_request_new = _declare("nomyo_request_new", _Request)
nomyo_request_free = _declare("nomyo_request_free", None, _Request)
nomyo_request_set_security_tier = _declare("nomyo_request_set_security_tier", _Status, _Request, _In, _Err)
nomyo_request_set_api_key = _declare("nomyo_request_set_api_key", _Status, _Request, _In, c_size_t, _Err)
nomyo_request_set_timeout_ms = _declare("nomyo_request_set_timeout_ms", _Status, _Request, c_uint64, _Err)

nomyo_request_set_cancel = _declare("nomyo_request_set_cancel", _Status, _Request, _Cancel, _Err)

nomyo_cancel_new = _declare("nomyo_cancel_new", _Cancel)
nomyo_cancel_trigger = _declare("nomyo_cancel_trigger", None, _Cancel)
nomyo_cancel_free = _declare("nomyo_cancel_free", None, _Cancel)

nomyo_response_json = _declare("nomyo_response_json", _Out, _Response, _Len)
nomyo_response_choices = _declare("nomyo_response_choices", c_size_t, _Response)
nomyo_response_content = _declare("nomyo_response_content", _Out, _Response, c_size_t, _Len)
nomyo_response_reasoning = _declare("nomyo_response_reasoning", _Out, _Response, c_size_t, _Len)
nomyo_response_tool_calls = _declare("nomyo_response_tool_calls", _Out, _Response, c_size_t, _Len)
nomyo_response_finish_reason = _declare("nomyo_response_finish_reason", _Out, _Response, c_size_t, _Len)
nomyo_response_pointer = _declare("nomyo_response_pointer", _Out, _Response, _In, _Len)
nomyo_response_payload_id = _declare("nomyo_response_payload_id", _Text, _Response)
nomyo_response_free = _declare("nomyo_response_free", None, _Response)

nomyo_seal = _declare("nomyo_seal", _Status, _Client, _In, c_size_t, _In, c_size_t, _Request, POINTER(_Sealed), _Err)
nomyo_sealed_body = _declare("nomyo_sealed_body", _Out, _Sealed, _Len)
nomyo_sealed_headers = _declare("nomyo_sealed_headers", _Out, _Sealed, _Len)
nomyo_open = _declare("nomyo_open", _Status, _Client, _Sealed, _In, c_size_t, POINTER(_Response), _Err)
nomyo_sealed_free = _declare("nomyo_sealed_free", None, _Sealed)

nomyo_memory_info_get = _declare("nomyo_memory_info_get", _Status, POINTER(MemoryInfo), c_size_t)
nomyo_secret_alloc = _declare("nomyo_secret_alloc", c_void_p, c_size_t, _Err)
nomyo_secret_free = _declare("nomyo_secret_free", None, c_void_p)
nomyo_lock = _declare("nomyo_lock", _Status, c_void_p, c_size_t, _Err)
nomyo_unlock = _declare("nomyo_unlock", _Status, c_void_p, c_size_t, _Err)
nomyo_wipe = _declare("nomyo_wipe", None, c_void_p, c_size_t)

if nomyo_abi_version() != ABI_VERSION:
    raise ImportError(f"{_lib._name} has ABI {nomyo_abi_version()}, and nomyo_native needs {ABI_VERSION}")
