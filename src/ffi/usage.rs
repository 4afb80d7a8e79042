//! `nomyo_usage`.

use super::arguments::write_sized;
use super::guard::guard_value;
use super::response::nomyo_response;
use super::status::{NOMYO_ERR_ARGUMENT, NOMYO_ERR_INTERNAL, NOMYO_OK};

/// How many tokens a request has used. A copy: nothing to free. A member is -1 if the answer does not have it as a whole number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct nomyo_usage {
    /// Tokens of the prompt: `prompt_tokens`.
    pub prompt_tokens: i64,
    /// Tokens that the model wrote, reasoning tokens included: `completion_tokens`.
    pub completion_tokens: i64,
    /// Both together: `total_tokens`.
    pub total_tokens: i64,
    /// Tokens of the prompt that the server had in its cache: `prompt_tokens_details.cached_tokens`.
    pub cached_tokens: i64,
    /// Reasoning tokens: `completion_tokens_details.reasoning_tokens`.
    pub reasoning_tokens: i64,
}

/// How many tokens the request has used, as the answer's `usage` says.
///
/// Any thread; blocks on nothing.
///
/// @param out receives the numbers.
/// @param size `sizeof *out` as the caller was compiled. Members that this library does not know are -1.
/// @return NOMYO_OK, also if the answer has no `usage`; or NOMYO_ERR_ARGUMENT: `response` or `out` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_usage(
    response: *const nomyo_response,
    out: *mut nomyo_usage,
    size: usize,
) -> i32 {
    // SAFETY: the caller promises that `response` is NULL or alive.
    let Some(handle) = (unsafe { response.as_ref() }).filter(|_| !out.is_null()) else { return NOMYO_ERR_ARGUMENT };
    guard_value(NOMYO_ERR_INTERNAL, || {
        let usage = handle.response.usage();
        let number = |tokens: Option<u64>| tokens.and_then(|tokens| tokens.try_into().ok()).unwrap_or(-1);
        let usage = nomyo_usage {
            prompt_tokens: number(usage.prompt_tokens),
            completion_tokens: number(usage.completion_tokens),
            total_tokens: number(usage.total_tokens),
            cached_tokens: number(usage.cached_tokens),
            reasoning_tokens: number(usage.reasoning_tokens),
        };
        // SAFETY: `out` is not NULL, and the caller promises `size` writable bytes there. All bits set are -1.
        unsafe { out.cast::<u8>().write_bytes(0xff, size) };
        // SAFETY: as above.
        unsafe { write_sized(out, size.min(size_of::<nomyo_usage>()), &usage) };
        NOMYO_OK
    })
}
