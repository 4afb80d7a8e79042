//! A decrypted answer, in the vault, and the views that callers have of it.

mod choices;
mod tool_calls;
mod usage;

use std::ops::Range;

use once_cell::race::OnceBox;

use self::choices::{MAX_CHOICES, Parts};
pub use self::tool_calls::ToolCall;
pub(crate) use self::tool_calls::ToolCallPart;
pub use self::usage::Usage;
use super::pointer::find;
use crate::attestation::Attestation;
use crate::envelope::Answer;
use crate::error::{Error, Result, Status};
use crate::headers::Headers;
use crate::json::{LongStrings, Walk, unescape};
use crate::memory::{self, SecretBuf};

/// A decrypted answer. Dropping it wipes it, together with every view that was taken of it. Any number of threads may
/// read it at once. Reading takes no longer when the answer is longer: opening has noted where each choice stands.
pub struct Response {
    json: Text,
    /// The long strings of `json`.
    long: LongStrings,
    payload_id: String,
    attestation: Attestation,
    attempts: u32,
    headers: Headers,
    choices: Vec<Choice>,
    usage: Usage,
}

/// Secret UTF-8 with one NUL byte behind it, as C wants it. UTF-8 is checked before a `Text` is made, never afterwards.
pub(crate) struct Text(SecretBuf);

impl Text {
    fn copy_of(text: &str) -> Result<Text> {
        let mut buf = SecretBuf::with_capacity(text.len() + 1)?;
        buf.push(text.as_bytes());
        buf.push(b"\0");
        Ok(Text(buf))
    }

    fn unescaped(raw: &str) -> Result<Text> {
        let mut buf = unescape(raw, 1)?;
        buf.push(b"\0");
        Ok(Text(buf))
    }

    /// The text without the NUL.
    pub(crate) fn as_str(&self) -> &str {
        let utf8 = self.0.split_last().map_or(&[][..], |(_, text)| text);
        // SAFETY: every `Text` is made of whole `str`s, or of an `Answer`, which promises UTF-8. Nothing writes to it. In a
        // forked child the bytes may read as zeros, which are UTF-8 as well.
        unsafe { std::str::from_utf8_unchecked(utf8) }
    }

    /// The text with the NUL.
    pub(crate) fn with_nul(&self) -> &[u8] {
        &self.0
    }
}

/// The parts of one choice: their positions in the answer, and the texts, each built on first use. There is no lock, because a
/// forked child could inherit it as held. Therefore two threads may build the same text, and one copy is dropped.
#[derive(Default)]
struct Choice {
    parts: Parts,
    content: OnceBox<Text>,
    reasoning: OnceBox<Text>,
    tool_calls: OnceBox<Text>,
    finish_reason: OnceBox<Text>,
    listed: OnceBox<Vec<tool_calls::Parts>>,
}

impl Response {
    pub(super) fn new(answer: Answer, payload_id: String, attestation: Attestation, attempts: u32) -> Result<Response> {
        let (json, long) = answer.into_parts();
        let json = Text(json);
        let (found, usage) = choices::find(Walk::with(json.as_str(), &long, 0)).map_err(|choices| {
            Error::new(
                Status::Protocol,
                format!("the answer has {choices} choices, and more than {MAX_CHOICES} are not read; ask for fewer"),
            )
        })?;
        let choices = found.into_iter().map(|parts| Choice { parts, ..Choice::default() }).collect();
        Ok(Response { json, long, payload_id, attestation, attempts, headers: Headers::default(), choices, usage })
    }

    pub(super) fn with_headers(self, headers: Headers) -> Response {
        Response { headers, ..self }
    }

    /// The `X-Request-ID` of the HTTP response, if it had one of at most 128 visible ASCII characters: a gateway's log has the
    /// same. Untrusted: nobody has authenticated it. `None` for a response of [`Client::open`](crate::Client::open).
    pub fn request_id(&self) -> Option<&str> {
        self.headers.request_id().and_then(|id| id.to_str().ok())
    }

    /// The headers of the HTTP response. Untrusted: nobody has authenticated them. None for a response of
    /// [`Client::open`](crate::Client::open).
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The whole answer as JSON, with the client's members merged into its `_metadata`.
    pub fn json(&self) -> &str {
        self.json.as_str()
    }

    /// How many choices the answer has: at most 1024, because an answer with more is refused.
    pub fn choice_count(&self) -> usize {
        self.choices.len()
    }

    /// The message's `content`, unescaped; `None` if it is absent, null or not a string. A lone surrogate in it reads as
    /// U+FFFD. The first call for a choice unescapes the text, later calls return the same one.
    pub fn content(&self, choice: usize) -> Option<&str> {
        self.content_text(choice).map(Text::as_str)
    }

    /// The thoughts of a reasoning model: the message's `reasoning_content` if it is a string, otherwise its `reasoning`
    /// if that is a string; as [`content`](Response::content).
    pub fn reasoning(&self, choice: usize) -> Option<&str> {
        self.reasoning_text(choice).map(Text::as_str)
    }

    /// The message's `tool_calls` as JSON; `None` if it is absent or null.
    pub fn tool_calls(&self, choice: usize) -> Option<&str> {
        self.tool_calls_text(choice).map(Text::as_str)
    }

    /// How many tool calls the message has: at most 1024. Further ones are in [`tool_calls`](Response::tool_calls) alone. 0 if
    /// `tool_calls` is absent or not an array, or if there is no memory for the list.
    pub fn tool_call_count(&self, choice: usize) -> usize {
        self.listed(choice).map_or(0, <[_]>::len)
    }

    /// A tool call of the message, its strings as [`content`](Response::content).
    pub fn tool_call(&self, choice: usize, index: usize) -> Option<ToolCall<'_>> {
        self.listed(choice)?.get(index)?;
        let read = |part| self.tool_call_text(choice, index, part).map(Text::as_str);
        let (id, name) = (read(ToolCallPart::Id), read(ToolCallPart::Name));
        Some(ToolCall { id, name, arguments: read(ToolCallPart::Arguments) })
    }

    /// How many tokens the request has used, as the answer's `usage` says.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The choice's `finish_reason`, as [`content`](Response::content).
    pub fn finish_reason(&self, choice: usize) -> Option<&str> {
        self.finish_reason_text(choice).map(Text::as_str)
    }

    /// The value that an RFC 6901 pointer points to, as JSON; `""` is the whole answer. Each call walks through the
    /// answer, but not through its long strings.
    pub fn pointer(&self, rfc6901: &str) -> Option<&str> {
        let mut found = None;
        memory::inside(|| found = find(self.walk(), rfc6901)).ok()?;
        found
    }

    /// The id that the request was sent under.
    pub fn payload_id(&self) -> &str {
        &self.payload_id
    }

    /// How many times the request was sent; 0 for a response that [`Client::open`](crate::Client::open) opened.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What the TPM quote in the answer proves, judged when the answer was opened.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    #[cfg(feature = "capi")]
    pub(crate) fn json_text(&self) -> &Text {
        &self.json
    }

    pub(crate) fn content_text(&self, choice: usize) -> Option<&Text> {
        self.view(choice, |c| (&c.content, &c.parts.content), Text::unescaped)
    }

    pub(crate) fn reasoning_text(&self, choice: usize) -> Option<&Text> {
        self.view(choice, |c| (&c.reasoning, &c.parts.reasoning), Text::unescaped)
    }

    pub(crate) fn tool_calls_text(&self, choice: usize) -> Option<&Text> {
        self.view(choice, |c| (&c.tool_calls, &c.parts.tool_calls), Text::copy_of)
    }

    pub(crate) fn tool_call_text(&self, choice: usize, index: usize, part: ToolCallPart) -> Option<&Text> {
        let part = self.listed(choice)?.get(index)?.part(part);
        self.built(&part.text, &part.place, Text::unescaped)
    }

    pub(crate) fn finish_reason_text(&self, choice: usize) -> Option<&Text> {
        self.view(choice, |c| (&c.finish_reason, &c.parts.finish_reason), Text::unescaped)
    }

    /// A copy of the value that `pointer` points to, with its NUL; for C, whose callers want one.
    #[cfg(feature = "capi")]
    pub(crate) fn pointer_text(&self, rfc6901: &str) -> Option<Text> {
        let mut text = None;
        memory::inside(|| text = self.pointer(rfc6901).and_then(|value| Text::copy_of(value).ok())).ok()?;
        text
    }

    /// One part of one choice. If there is no memory for its text, the part is absent now and tried again next time.
    fn view(
        &self,
        choice: usize,
        part: fn(&Choice) -> (&OnceBox<Text>, &Range<usize>),
        read: fn(&str) -> Result<Text>,
    ) -> Option<&Text> {
        let (text, place) = part(self.choices.get(choice)?);
        self.built(text, place, read)
    }

    /// The text of the value at `place`, built if it is not there yet.
    fn built<'a>(
        &'a self,
        text: &'a OnceBox<Text>,
        place: &Range<usize>,
        read: fn(&str) -> Result<Text>,
    ) -> Option<&'a Text> {
        let raw = self.raw(place)?;
        if text.get().is_none() {
            let make = || text.get_or_try_init(|| read(raw).map(Box::new)).is_ok();
            // If there is no stack of the vault, this one is used: NULL would say that the answer has no such part.
            if memory::inside(make).is_err() {
                make();
            }
        }
        text.get()
    }

    /// The tool calls of a choice, listed if they are not yet.
    fn listed(&self, choice: usize) -> Option<&[tool_calls::Parts]> {
        let choice = self.choices.get(choice)?;
        let place = &choice.parts.tool_calls;
        self.raw(place)?;
        if choice.listed.get().is_none() {
            let list = || tool_calls::find(Walk::with(self.json(), &self.long, place.start)).map(Box::new).ok_or(());
            let make = || choice.listed.get_or_try_init(list).is_ok();
            if memory::inside(make).is_err() {
                make();
            }
        }
        choice.listed.get().map(Vec::as_slice)
    }

    /// A walk that is at the whole answer.
    fn walk(&self) -> Walk<'_> {
        Walk::with(self.json(), &self.long, 0)
    }

    /// The value at `place`. No value begins with NUL: in a forked child the whole text reads as zeros, and has no parts.
    fn raw(&self, place: &Range<usize>) -> Option<&str> {
        self.json().get(place.clone()).filter(|raw| !raw.is_empty() && !raw.starts_with('\0'))
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({} bytes)", self.json.with_nul().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attestation::{AttestationPolicy, Metadata, of_answer};

    fn made(json: &str) -> Result<Response> {
        let metadata = Metadata { json: "{}", names_request: false };
        let unattested = of_answer(metadata, "id", false, &AttestationPolicy::new());
        Response::new(Answer::of(json), "id".to_owned(), unattested, 0)
    }

    fn response(json: &str) -> Response {
        made(json).expect("a good answer")
    }

    #[test]
    fn an_answer_with_a_million_choices_is_refused_and_not_unpacked() {
        let json = format!("{{\"choices\":[{}0]}}", "0,".repeat(1_000_000));
        assert_eq!(made(&json).expect_err("too many").status(), Status::Protocol);
    }

    #[test]
    fn strings_come_unescaped_and_everything_else_as_json() {
        let r = response(
            r#"{"choices":[{"message":{"content":"a\n\u00e9","tool_calls":[{"x":"\n"}],"reasoning_content":"hm"},
            "finish_reason":"tool_calls"},{"message":{"content":null,"tool_calls":null}}]}"#,
        );
        assert_eq!(r.choice_count(), 2);
        assert_eq!(r.content(0), Some("a\né"));
        assert_eq!(r.reasoning(0), Some("hm"));
        assert_eq!(r.tool_calls(0), Some(r#"[{"x":"\n"}]"#));
        assert_eq!(r.finish_reason(0), Some("tool_calls"));
        assert_eq!((r.content(1), r.tool_calls(1), r.finish_reason(1)), (None, None, None));
        assert_eq!(r.content(2), None);
        assert_eq!(r.pointer("/choices/0/message/content"), Some(r#""a\n\u00e9""#));
        assert_eq!(r.content_text(0).expect("content").with_nul().last(), Some(&0));
    }

    #[test]
    fn tool_calls_are_listed_with_their_strings_unescaped() {
        let r = response(
            r#"{"choices":[{"message":{"tool_calls":[
            {"id":"gone","id":"a","function":{"name":"f","arguments":"{\"x\":\"\u00e9\"}","name":"g"},"id":"b"},
            {"id":7,"function":[]}, null]}},{"message":{"tool_calls":{}}},{"message":{}}]}"#,
        );
        let (id, name, arguments) = (Some("b"), Some("g"), Some(r#"{"x":"é"}"#));
        assert_eq!(r.tool_call(0, 0), Some(ToolCall { id, name, arguments }));
        let nothing = ToolCall { id: None, name: None, arguments: None };
        assert_eq!((r.tool_call(0, 1), r.tool_call(0, 2), r.tool_call(0, 3)), (Some(nothing), Some(nothing), None));
        assert_eq!([0, 1, 2, 3].map(|choice| r.tool_call_count(choice)), [3, 0, 0, 0]);
        assert_eq!(format!("{:?}", r.tool_call(0, 0)), "Some(ToolCall)");
    }

    #[test]
    fn the_list_of_tool_calls_has_a_limit_and_the_json_has_none() {
        let r = response(&format!(r#"{{"choices":[{{"message":{{"tool_calls":[{}0]}}}}]}}"#, "0,".repeat(5000)));
        assert_eq!(r.tool_call_count(0), 1024);
        assert_eq!(r.tool_calls(0).map(str::len), Some(2 * 5000 + 3));
    }

    #[test]
    fn usage_has_the_numbers_that_are_there() {
        let r = response(
            r#"{"usage":{"prompt_tokens":1},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4.5,"total_tokens":"7",
            "prompt_tokens_details":{"cached_tokens":2,"x":[]},"completion_tokens_details":{"reasoning_tokens":-1}}}"#,
        );
        let wanted = Usage { prompt_tokens: Some(3), cached_tokens: Some(2), ..Usage::default() };
        assert_eq!(r.usage(), wanted);
        for json in ["{}", r#"{"usage":null}"#, r#"{"usage":[1]}"#] {
            assert_eq!(response(json).usage(), Usage::default(), "{json}");
        }
    }

    #[test]
    fn reasoning_is_reasoning_content_if_that_is_a_string_and_otherwise_reasoning() {
        let cases = [
            (r#"{"reasoning_content":"a"}"#, Some("a")),
            (r#"{"reasoning":"b"}"#, Some("b")),
            (r#"{"reasoning_content":"a","reasoning":"b"}"#, Some("a")),
            (r#"{"reasoning":"b","reasoning_content":"a"}"#, Some("a")),
            (r#"{"reasoning_content":"","reasoning":"b"}"#, Some("")),
            (r#"{"reasoning_content":null,"reasoning":"b"}"#, Some("b")),
            (r#"{"reasoning":"b","reasoning_content":[7]}"#, Some("b")),
            (r#"{"reasoning_content":"a","reasoning_content":null,"reasoning":"b"}"#, Some("b")),
            (r#"{"reasoning_content":null,"reasoning":{"text":"b"}}"#, None),
            ("{}", None),
        ];
        for (message, reasoning) in cases {
            let r = response(&format!(r#"{{"choices":[{{"message":{message}}}]}}"#));
            assert_eq!(r.reasoning(0), reasoning, "{message}");
        }
    }

    #[test]
    fn a_message_with_any_number_of_members_keeps_its_parts() {
        let many = |value: &str| format!("\"x\":{value},").repeat(150_000);
        let json = format!(
            r#"{{{}"choices":[{{{}"message":{{{}"content":"said","reasoning":"hm"}},"finish_reason":"stop"}}]}}"#,
            many("{}"),
            many("1"),
            many("\"\"")
        );
        let r = response(&json);
        assert_eq!((r.content(0), r.reasoning(0), r.finish_reason(0)), (Some("said"), Some("hm"), Some("stop")));
        assert_eq!(r.pointer("/choices/0/message/content"), Some("\"said\""));
    }

    #[test]
    fn of_members_with_the_same_name_the_last_one_counts_as_for_a_pointer() {
        let r = response(
            r#"{"choices":[{"message":{"content":"gone"}}],"choices":[
            {"message":{"content":"a","content":"b","tool_calls":[1]},"finish_reason":"x","finish_reason":"y"},
            {"finish_reason":"z","message":{"content":"a","tool_calls":[1]},"message":{"content":"c"}},
            {"message":{"content":"a"},"message":null}, 7]}"#,
        );
        assert_eq!(r.choice_count(), 4);
        for choice in 0..4 {
            let pointed = |path: &str| r.pointer(&format!("/choices/{choice}/{path}")).map(|raw| raw.trim_matches('"'));
            assert_eq!(r.content(choice), pointed("message/content"));
            assert_eq!(r.tool_calls(choice), pointed("message/tool_calls"));
            assert_eq!(r.finish_reason(choice), pointed("finish_reason"));
        }
        assert_eq!((r.content(0), r.content(1), r.content(2), r.content(3)), (Some("b"), Some("c"), None, None));
    }

    #[test]
    fn reading_every_choice_costs_no_walk_through_the_answer() {
        const CHOICES: usize = 512;
        let choice = format!(r#"{{"message":{{"content":"{}"}},"finish_reason":"stop"}}"#, "0,".repeat(5_000));
        let json = format!("{{\"choices\":[{choice}{}]}}", format!(",{choice}").repeat(CHOICES - 1));
        let began = std::time::Instant::now();
        let r = response(&json);
        let opening = began.elapsed();
        let began = std::time::Instant::now();
        for choice in 0..CHOICES {
            assert_eq!(r.finish_reason(choice), Some("stop"));
            assert_eq!(r.json().len(), json.len());
        }
        let reading = began.elapsed();
        // Opening walks once. A getter that walked would make reading some 500 times as long as opening.
        assert!(reading < opening * 20, "opening took {opening:?}, reading {reading:?}");
    }

    #[test]
    fn an_answer_of_another_shape_has_no_choices_and_is_still_readable() {
        for json in ["{}", r#"{"choices":null}"#, r#"{"choices":{"0":1}}"#, r#"{"choices":[]}"#] {
            let r = response(json);
            assert_eq!((r.choice_count(), r.content(0), r.json()), (0, None, json));
        }
    }
}
