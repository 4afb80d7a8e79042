"""The C library: found, loaded, and every function of nomyo.h declared.

ctypes takes and returns `int` unless told otherwise, which cuts pointers in half: nothing here is left undeclared. Each
C type is a class of its own, so that ctypes refuses a response where a client is due.
"""

import ctypes
import os
import sys
from ctypes import CFUNCTYPE, POINTER, c_char, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any

ABI_VERSION = 0
_SONAMES = {"win32": "nomyo.dll", "darwin": f"libnomyo.{ABI_VERSION}.dylib"}
SONAME = _SONAMES.get(sys.platform, f"libnomyo.so.{ABI_VERSION}")


def _opaque(name: str) -> Any:
    return type(name, (ctypes.Structure,), {"__doc__": name})


Config, Client, CallOptions = _opaque("nomyo_config"), _opaque("nomyo_client"), _opaque("nomyo_call_options")
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


class UsageStruct(ctypes.Structure):
    """nomyo_usage"""

    _fields_ = [
        (name, c_int64)
        for name in ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
    ]


_Config, _Client, _CallOptions, _Cancel = POINTER(Config), POINTER(Client), POINTER(CallOptions), POINTER(Cancel)
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
    ("error_sent", c_int32, _Error),
    ("error_message error_payload_id error_request_id", _Static, _Error),
    ("error_details error_headers", _Out, _Error, _Len),
    ("error_header", _Static, _Error, _In),
    ("config_new", _Config),
    ("config_load_env", _Status, _Config, _Err),
    ("config_set_base_url config_set_ca_file config_set_key_dir", _Status, _Config, _In, _Err),
    ("config_set_known_servers config_add_server_key_pin config_set_binding", _Status, _Config, _In, _Err),
    ("config_set_proxy config_add_tls_pin", _Status, _Config, _In, _Err),
    ("config_set_client_certificate", _Status, _Config, _In, _In, _Err),
    ("config_set_client_certificate_pem", _Status, _Config, _In, c_size_t, _In, c_size_t, _Err),
    ("config_set_api_key config_set_key_password config_add_ca_pem", _Status, _Config, _In, c_size_t, _Err),
    ("config_set_header", _Status, _Config, _In, _In, c_size_t, _Err),
    ("config_set_allow_http config_set_memory_policy config_set_post_quantum", _Status, _Config, c_int32, _Err),
    ("config_set_key_group_read", _Status, _Config, c_int32, _Err),
    ("config_set_timeout_ms config_set_connect_timeout_ms", _Status, _Config, c_uint64, _Err),
    ("config_set_key_rotation_ms config_set_server_key_ttl_ms", _Status, _Config, c_uint64, _Err),
    ("config_set_response_limit", _Status, _Config, c_uint64, _Err),
    ("config_set_max_retries", _Status, _Config, c_uint32, _Err),
    ("config_set_rate_limit", _Status, _Config, c_double, c_uint32, _Err),
    ("config_set_log", _Status, _Config, c_int32, LogFunction, c_void_p, _Err),
    ("config_set_attestation", _Status, _Config, _Policy, _Err),
    ("client_new", _Status, _Config, POINTER(_Client), _Err),
    ("client_with_options", _Status, _Client, _CallOptions, POINTER(_Client), _Err),
    ("client_warm_up client_rotate_keys", _Status, _Client, _Err),
    ("client_generate_keys client_save_keys", _Status, _Client, _In, _In, c_size_t, _Err),
    ("client_load_keys", _Status, _Client, _In, _In, _In, c_size_t, _Err),
    ("client_load_keys_pem", _Status, _Client, _In, c_size_t, _In, c_size_t, _In, c_size_t, _Err),
    ("client_private_key_pem", _Status, _Client, _In, c_size_t, POINTER(c_void_p), _Len, _Err),
    ("client_public_key client_tls_chain", _Status, _Client, POINTER(_Text), _Err),
    ("client_server_key", _Status, _Client, POINTER(_Text), POINTER(_Text), _Err),
    ("text_data", _Out, _Text, _Len),
    ("create", _Status, _Client, _In, c_size_t, _CallOptions, POINTER(_Response), _Err),
    ("call_options_new", _CallOptions),
    ("call_options_set_security_tier", _Status, _CallOptions, _In, _Err),
    ("call_options_set_api_key", _Status, _CallOptions, _In, c_size_t, _Err),
    ("call_options_set_timeout_ms", _Status, _CallOptions, c_uint64, _Err),
    ("call_options_set_cancel", _Status, _CallOptions, _Cancel, _Err),
    ("cancel_new", _Cancel),
    ("cancel_trigger", None, _Cancel),
    ("response_header", _Static, _Response, _In),
    ("response_tool_call_count", c_size_t, _Response, c_size_t),
    (
        "response_tool_call_id response_tool_call_name response_tool_call_arguments",
        _Out, _Response, c_size_t, c_size_t, _Len,
    ),
    ("json_string", c_size_t, _In, c_size_t, _Out, c_size_t),
    ("response_usage", _Status, _Response, POINTER(UsageStruct), c_size_t),
    ("response_json response_headers", _Out, _Response, _Len),
    ("response_choices", c_size_t, _Response),
    ("response_attempts", c_uint32, _Response),
    ("response_content response_reasoning", _Out, _Response, c_size_t, _Len),
    ("response_tool_calls response_finish_reason", _Out, _Response, c_size_t, _Len),
    ("response_pointer", _Out, _Response, _In, _Len),
    ("response_payload_id response_request_id", _Static, _Response),
    ("response_attestation", _Status, _Response, _Attestation, c_size_t),
    ("response_attestation_report", _Out, _Response, _Len),
    ("attestation_level_name attestation_level_meaning attestation_check_name", _Static, c_int32),
    ("attestation_policy_new", _Policy),
    ("attestation_policy_require", _Status, _Policy, c_int32, _Err),
    ("attestation_policy_allow_pcr", _Status, _Policy, _In, c_uint32, _In, _Err),
    ("attestation_verify", _Status, _In, c_size_t, _In, _Policy, _Attestation, c_size_t, _Err),
    ("attestation_policy_free", None, _Policy),
    ("seal", _Status, _Client, _In, c_size_t, _In, c_size_t, _CallOptions, POINTER(_Sealed), _Err),
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
    ("call_options_free", None, _CallOptions),
    ("cancel_free", None, _Cancel),
    ("response_free", None, _Response),
    ("sealed_free", None, _Sealed),
]
FUNCTIONS = [f"nomyo_{name}" for names, *_ in _FORMS for name in names.split()]

# Functions that block on nothing, and keep the GIL. Reading the environment while another thread sets a variable crashes, and
# os.environ is changed with the GIL held. The others take less time than getting the GIL back would.
_KEEP_THE_GIL = """
    config_load_env cancel_new cancel_trigger cancel_free call_options_new call_options_set_cancel call_options_set_timeout_ms
    call_options_set_security_tier call_options_set_api_key call_options_free
""".split()


def _load() -> Any:
    explicit = os.environ.get("NOMYO_LIBRARY")
    beside = os.path.join(os.path.dirname(__file__), SONAME)
    name = explicit or (beside if os.path.exists(beside) else SONAME)
    try:
        library: Any = ctypes.CDLL(name)  # CDLL, not PyDLL: calls release the GIL
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
    keeping = ctypes.PyDLL(name, handle=library._handle)
    for function in _KEEP_THE_GIL:
        releases, keeps = getattr(library, f"nomyo_{function}"), getattr(keeping, f"nomyo_{function}")
        keeps.restype, keeps.argtypes = releases.restype, releases.argtypes
        setattr(library, f"nomyo_{function}", keeps)
    return library


lib = _load()
