//! The tokens that a request has used, read when the answer is opened.

use crate::json::{Walk, equals};

/// How many tokens a request has used. A number is `None` if the answer does not have it as a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt: `prompt_tokens`.
    pub prompt_tokens: Option<u64>,
    /// Tokens that the model wrote, reasoning tokens included: `completion_tokens`.
    pub completion_tokens: Option<u64>,
    /// Both together: `total_tokens`.
    pub total_tokens: Option<u64>,
    /// Tokens of the prompt that the server had in its cache: `prompt_tokens_details.cached_tokens`.
    pub cached_tokens: Option<u64>,
    /// Reasoning tokens: `completion_tokens_details.reasoning_tokens`.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Reads the value that the walk is at. Of members with the same name, the last one counts.
    pub(super) fn read(walk: &mut Walk<'_>) -> Usage {
        let mut usage = Usage::default();
        if walk.enter_object() {
            while let Some(name) = walk.name() {
                if equals(name, "prompt_tokens") {
                    usage.prompt_tokens = number(walk);
                } else if equals(name, "completion_tokens") {
                    usage.completion_tokens = number(walk);
                } else if equals(name, "total_tokens") {
                    usage.total_tokens = number(walk);
                } else if equals(name, "prompt_tokens_details") {
                    usage.cached_tokens = detail(walk, "cached_tokens");
                } else if equals(name, "completion_tokens_details") {
                    usage.reasoning_tokens = detail(walk, "reasoning_tokens");
                }
            }
        }
        usage
    }
}

fn detail(walk: &mut Walk<'_>, wanted: &str) -> Option<u64> {
    let mut found = None;
    if walk.enter_object() {
        while let Some(name) = walk.name() {
            if equals(name, wanted) {
                found = number(walk);
            }
        }
    }
    found
}

fn number(walk: &mut Walk<'_>) -> Option<u64> {
    walk.value().parse().ok()
}
