//! The tool calls of a choice, found in one walk when the first of them is asked for.

use std::ops::Range;

use once_cell::race::OnceBox;

use super::Text;
use crate::json::{Walk, equals};

/// The most tool calls of a choice that are listed. It bounds the memory of one list, whatever the answer says.
const MAX_TOOL_CALLS: usize = 1024;

/// One tool call that a model asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolCall<'a> {
    /// The id that the result of the tool must name.
    pub id: Option<&'a str>,
    /// The name of the function.
    pub name: Option<&'a str>,
    /// The arguments, as the model wrote them: usually JSON, but nobody has checked that.
    pub arguments: Option<&'a str>,
}

impl std::fmt::Debug for ToolCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ToolCall")
    }
}

/// A string of a tool call.
#[derive(Clone, Copy)]
pub(crate) enum ToolCallPart {
    Id,
    Name,
    Arguments,
}

/// Such a string: its place in the answer, which is empty if there is no such string, and its text.
#[derive(Default)]
pub(super) struct Part {
    pub(super) place: Range<usize>,
    pub(super) text: OnceBox<Text>,
}

/// The parts of one tool call.
#[derive(Default)]
pub(super) struct Parts {
    id: Part,
    name: Part,
    arguments: Part,
}

impl Parts {
    pub(super) fn part(&self, part: ToolCallPart) -> &Part {
        match part {
            ToolCallPart::Id => &self.id,
            ToolCallPart::Name => &self.name,
            ToolCallPart::Arguments => &self.arguments,
        }
    }
}

/// Finds the tool calls of the valid array that `walk` is at. Of members with the same name, the last
/// one counts. An element that is not an object is a tool call without parts. `None` if there is no memory.
pub(super) fn find(mut walk: Walk<'_>) -> Option<Vec<Parts>> {
    let mut calls = Vec::new();
    if walk.enter_array() {
        while calls.len() < MAX_TOOL_CALLS && walk.element() {
            calls.try_reserve(1).ok()?;
            calls.push(call(&mut walk));
        }
    }
    Some(calls)
}

fn call(walk: &mut Walk<'_>) -> Parts {
    let mut parts = Parts::default();
    if walk.enter_object() {
        while let Some(name) = walk.name() {
            if equals(name, "id") {
                parts.id = string(walk);
            } else if equals(name, "function") {
                let id = parts.id;
                parts = Parts { id, ..function(walk) };
            }
        }
    }
    parts
}

fn function(walk: &mut Walk<'_>) -> Parts {
    let mut parts = Parts::default();
    if walk.enter_object() {
        while let Some(name) = walk.name() {
            if equals(name, "name") {
                parts.name = string(walk);
            } else if equals(name, "arguments") {
                parts.arguments = string(walk);
            }
        }
    }
    parts
}

fn string(walk: &mut Walk<'_>) -> Part {
    if !walk.is_string() {
        return Part::default();
    }
    Part { place: walk.span(), text: OnceBox::new() }
}
