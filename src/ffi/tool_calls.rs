//! The functions that list the tool calls of a `nomyo_response`.

use std::ffi::c_char;

use super::guard::guard_value;
use super::response::{give, nomyo_response, parts};
use crate::client::ToolCallPart;

/// How many tool calls the message of a choice has: at most 1024. Further ones are in nomyo_response_tool_calls() alone.
///
/// Any thread; blocks on nothing. The first call for a choice walks through its tool calls.
///
/// @param choice counts from 0.
/// @return the number of tool calls; 0 if `response` is NULL, if there is no such choice, if its `tool_calls` is absent or not an
///         array, or if there is no memory for the list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_tool_call_count(response: *const nomyo_response, choice: usize) -> usize {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    let handle = unsafe { response.as_ref() };
    guard_value(0, || handle.map_or(0, |response| response.response.tool_call_count(choice)))
}

/// The id of a tool call: the message with the tool's result must name it. `call` counts from 0. Otherwise as
/// nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_tool_call_id(
    response: *const nomyo_response,
    choice: usize,
    call: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(response.response.tool_call_text(choice, call, ToolCallPart::Id))) }
}

/// The name of the function that a tool call asks for. `call` counts from 0. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_tool_call_name(
    response: *const nomyo_response,
    choice: usize,
    call: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe { give(response, len, |response| parts(response.response.tool_call_text(choice, call, ToolCallPart::Name))) }
}

/// The arguments of a tool call, unescaped: usually a JSON object, but the model wrote it, and nobody has checked it. `call`
/// counts from 0. Otherwise as nomyo_response_content().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nomyo_response_tool_call_arguments(
    response: *const nomyo_response,
    choice: usize,
    call: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: the caller's promise (nomyo.h, Conventions).
    unsafe {
        give(response, len, |response| parts(response.response.tool_call_text(choice, call, ToolCallPart::Arguments)))
    }
}
