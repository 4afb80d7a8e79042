//! The positions of an answer's choices, and its usage, found in one walk when the answer is opened.

use std::ops::Range;

use super::usage::Usage;
use crate::json::{Walk, equals};

/// The most choices that an answer may have. It bounds the memory of the index, whatever the answer says.
pub(super) const MAX_CHOICES: usize = 1024;

/// The parts of one choice, as places in the answer. A part that is absent has no bytes.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// A string.
    pub(super) content: Range<usize>,
    /// A string.
    pub(super) reasoning: Range<usize>,
    /// Any value but null.
    pub(super) tool_calls: Range<usize>,
    /// A string.
    pub(super) finish_reason: Range<usize>,
}

/// Finds the choices of the valid answer that `walk` is at, and its usage. The error is the number of choices, if there are more
/// than [`MAX_CHOICES`]. Of members with the same name, the last one counts.
pub(super) fn find(mut walk: Walk<'_>) -> Result<(Vec<Parts>, Usage), usize> {
    let (mut choices, mut count, mut usage) = (Vec::new(), 0, Usage::default());
    walk.enter_object();
    while let Some(name) = walk.name() {
        if equals(name, "usage") {
            usage = Usage::read(&mut walk);
        }
        if !equals(name, "choices") {
            continue;
        }
        choices.clear();
        count = 0;
        if walk.enter_array() {
            while walk.element() {
                count += 1;
                if count <= MAX_CHOICES {
                    choices.push(choice(&mut walk));
                }
            }
        }
    }
    if count > MAX_CHOICES { Err(count) } else { Ok((choices, usage)) }
}

fn choice(walk: &mut Walk<'_>) -> Parts {
    let mut parts = Parts::default();
    if walk.enter_object() {
        while let Some(name) = walk.name() {
            if equals(name, "finish_reason") {
                parts.finish_reason = string(walk);
            } else if equals(name, "message") {
                let finish_reason = parts.finish_reason;
                parts = Parts { finish_reason, ..message(walk) };
            }
        }
    }
    parts
}

/// Servers call a model's thoughts `reasoning_content` or `reasoning`. The first counts if it is a string.
fn message(walk: &mut Walk<'_>) -> Parts {
    let (mut parts, mut reasoning_content) = (Parts::default(), 0..0);
    if walk.enter_object() {
        while let Some(name) = walk.name() {
            if equals(name, "content") {
                parts.content = string(walk);
            } else if equals(name, "reasoning_content") {
                reasoning_content = string(walk);
            } else if equals(name, "reasoning") {
                parts.reasoning = string(walk);
            } else if equals(name, "tool_calls") {
                parts.tool_calls = unless_null(walk);
            }
        }
    }
    if !reasoning_content.is_empty() {
        parts.reasoning = reasoning_content;
    }
    parts
}

fn string(walk: &mut Walk<'_>) -> Range<usize> {
    if walk.is_string() { walk.span() } else { 0..0 }
}

fn unless_null(walk: &mut Walk<'_>) -> Range<usize> {
    if walk.is_null() { 0..0 } else { walk.span() }
}
