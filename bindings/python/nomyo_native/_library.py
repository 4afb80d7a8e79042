"""The C library: found, loaded, and every function of nomyo.h declared.

ctypes takes and returns `int` unless told otherwise, which cuts pointers in half: nothing here is left undeclared. Each
C type is a class of its own, so that ctypes refuses a response where a client is due.
"""

import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, c_char, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

ABI_VERSION = 0
SONAME = f"libnomyo.so.{ABI_VERSION}"


def _opaque(name: str) -> Any:
    return type(name, (ctypes.Structure,), {"__doc__": name})


Config, Client, Request = _opaque("nomyo_config"), _opaque("nomyo_client"), _opaque("nomyo_request")
Response, Sealed, Text = _opaque("nomyo_response"), _opaque("nomyo_sealed"), _opaque("nomyo_text")
Cancel, Error, Policy = _opaque("nomyo_cancel"), _opaque("nomyo_error"), _opaque("nomyo_attestation_policy")
LogFunction = CFUNCTYPE(None, c_void_p, c_int32, POINTER(c_char), c_size_t)


class MemoryInfo(ctypes.Structure):
    """nomyo_memory_info"""

    _fields_ = [
        *((name, c_int32) for name in ("policy", "level")),
        *((name, c_uint64) for name in ("page_size", "limit", "mapped", "locked", "refused")),
        *((name, c_int32) for name in ("dump_excluded", "fork_excluded")),
    ]


class AttestationStruct(ctypes.Structure):
    """nomyo_attestation"""

    _fields_ = [
        *((name, c_int32) for name in ("level", "failed_check")),
        *((name, c_uint32) for name in ("pcr_count", "warnings")),
        *((name, c_uint64) for name in ("clock", "firmware_version")),
        *((name, c_uint32) for name in ("reset_count", "restart_count")),
        ("clock_safe", c_int32),
        ("hierarchy", c_uint32),
    ]


_Config, _Client, _Request, _Cancel = POINTER(Config), POINTER(Client), POINTER(Request), POINTER(Cancel)
_Response, _Sealed, _Text, _Error = POINTER(Response), POINTER(Sealed), POINTER(Text), POINTER(Error)
_Policy, _Attestation = POINTER(Policy), POINTER(AttestationStruct)
_Status, _Err = c_int32, POINTER(_Error)
# Bytes that go in, with a length or NUL-terminated: bytes, or an array of c_char over a writable buffer.
_In = c_char_p
# Static or NUL-terminated text that comes out, converted to bytes at its first NUL.
_Static = c_char_p
# Bytes that come out with a length beside them: left a pointer, since they may hold NULs.
_Out, _Len = POINTER(c_char), POINTER(c_size_t)

# The functions of one form, without their "nomyo_"; what they return; what they take.
_FORMS: list[tuple[Any, ...]] = [
    ("version", _Static),
    ("abi_version", c_uint32),
    ("status_name", _Static, _Status),
    ("error_status error_http_status error_retryable", c_int32, _Error),
    ("error_retry_after_ms", c_int64, _Error),
    ("error_attempts", c_uint32, _Error),
    ("error_message", _Static, _Error),
    ("error_details", _Out, _Error, _Len),
    ("config_new", _Config),
    ("config_load_env", _Status, _Config, _Err),
    ("config_set_base_url config_set_ca_file config_set_key_dir", _Status, _Config, _In, _Err),
    ("config_set_known_servers config_set_server_key_pin config_set_binding", _Status, _Config, _In, _Err),
    ("config_set_proxy", _Status, _Config, _In, _Err),
    ("config_set_api_key config_set_key_password", _Status, _Config, _In, c_size_t, _Err),
    ("config_set_allow_http config_set_memory_policy", _Status, _Config, c_int32, _Err),
    ("config_set_timeout_ms config_set_connect_timeout_ms", _Status, _Config, c_uint64, _Err),
    ("config_set_key_rotation_ms config_set_server_key_ttl_ms", _Status, _Config, c_uint64, _Err),
    ("config_set_response_limit", _Status, _Config, c_uint64, _Err),
    ("config_set_max_retries", _Status, _Config, c_uint32, _Err),
    ("config_set_rate_limit", _Status, _Config, c_double, c_uint32, _Err),
    ("config_set_log", _Status, _Config, c_int32, LogFunction, c_void_p, _Err),
    ("config_set_attestation", _Status, _Config, _Policy, _Err),
    ("client_new", _Status, _Config, POINTER(_Client), _Err),
    ("client_warm_up client_rotate_keys", _Status, _Client, _Err),
    ("client_generate_keys client_save_keys", _Status, _Client, _In, _In, c_size_t, _Err),
    ("client_load_keys", _Status, _Client, _In, _In, _In, c_size_t, _Err),
    ("client_public_key", _Status, _Client, POINTER(_Text), _Err),
    ("client_server_key", _Status, _Client, POINTER(_Text), POINTER(_Text), _Err),
    ("text_data", _Out, _Text, _Len),
    ("create", _Status, _Client, _In, c_size_t, _Request, POINTER(_Response), _Err),
    ("request_new", _Request),
    ("request_set_security_tier", _Status, _Request, _In, _Err),
    ("request_set_api_key", _Status, _Request, _In, c_size_t, _Err),
    ("request_set_timeout_ms", _Status, _Request, c_uint64, _Err),
    ("request_set_cancel", _Status, _Request, _Cancel, _Err),
    ("cancel_new", _Cancel),
    ("cancel_trigger", None, _Cancel),
    ("response_json", _Out, _Response, _Len),
    ("response_choices", c_size_t, _Response),
    ("response_content response_reasoning", _Out, _Response, c_size_t, _Len),
    ("response_tool_calls response_finish_reason", _Out, _Response, c_size_t, _Len),
    ("response_pointer", _Out, _Response, _In, _Len),
    ("response_payload_id", _Static, _Response),
    ("response_attestation", _Status, _Response, _Attestation, c_size_t),
    ("response_attestation_report", _Out, _Response, _Len),
    ("attestation_level_name attestation_level_meaning attestation_check_name", _Static, c_int32),
    ("attestation_policy_new", _Policy),
    ("attestation_policy_require", _Status, _Policy, c_int32, _Err),
    ("attestation_policy_allow_pcr", _Status, _Policy, _In, c_uint32, _In, _Err),
    ("attestation_verify", _Status, _In, c_size_t, _In, _Policy, _Attestation, c_size_t, _Err),
    ("attestation_policy_free", None, _Policy),
    ("seal", _Status, _Client, _In, c_size_t, _In, c_size_t, _Request, POINTER(_Sealed), _Err),
    ("sealed_body sealed_headers", _Out, _Sealed, _Len),
    ("open", _Status, _Client, _Sealed, _In, c_size_t, POINTER(_Response), _Err),
    ("memory_info_get", _Status, POINTER(MemoryInfo), c_size_t),
    ("secret_alloc", c_void_p, c_size_t, _Err),
    ("secret_free", None, c_void_p),
    ("lock unlock", _Status, c_void_p, c_size_t, _Err),
    ("wipe", None, c_void_p, c_size_t),
    ("error_free", None, _Error),
    ("config_free", None, _Config),
    ("client_free", None, _Client),
    ("text_free", None, _Text),
    ("request_free", None, _Request),
    ("cancel_free", None, _Cancel),
    ("response_free", None, _Response),
    ("sealed_free", None, _Sealed),
]
FUNCTIONS = [f"nomyo_{name}" for names, *_ in _FORMS for name in names.split()]


def _load() -> Any:
    explicit = os.environ.get("NOMYO_LIBRARY")
    beside = Path(__file__).with_name(SONAME)
    name = explicit or (str(beside) if beside.exists() else SONAME)
    try:
        library = ctypes.CDLL(name)  # CDLL, not PyDLL: calls release the GIL
    except OSError as e:
        raise ImportError(
            f"the C library of nomyo_native cannot be loaded from {name}: {e}. "
            f"Install {SONAME}, or set NOMYO_LIBRARY to its path"
        ) from e
    for names, result, *parameters in _FORMS:
        for function in names.split():
            try:
                declared = getattr(library, f"nomyo_{function}")
            except AttributeError as e:
                raise ImportError(f"{name} has no nomyo_{function}: not {SONAME}, or another version of it") from e
            declared.restype, declared.argtypes = result, parameters
    if library.nomyo_abi_version() != ABI_VERSION:
        raise ImportError(f"{name} has ABI {library.nomyo_abi_version()}, and nomyo_native needs {ABI_VERSION}")
    return library


lib = _load()
