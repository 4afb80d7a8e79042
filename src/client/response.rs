//! A decrypted answer, in the vault, and the views that callers have of it.

use once_cell::sync::OnceCell;

use super::pointer::find;
use crate::attestation::Attestation;
use crate::envelope::members::count;
use crate::envelope::text::unescape;
use crate::error::{Error, Result, Status};
use crate::memory::SecretBuf;

/// The most choices that an answer may have.
const MAX_CHOICES: usize = 1024;

/// A decrypted answer. Wiped when dropped, with every view that was taken of it. Any number of threads may read it
/// at once.
pub struct Response {
    json: Text,
    payload_id: String,
    attestation: Attestation,
    choices: Vec<Choice>,
}

/// Secret UTF-8 with one NUL byte behind it, as C wants it.
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
        let bytes = self.0.split_last().map_or(&[][..], |(_, text)| text);
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The text with the NUL.
    pub(crate) fn with_nul(&self) -> &[u8] {
        &self.0
    }
}

/// The members of one choice, each made on first use.
#[derive(Default)]
struct Choice {
    content: OnceCell<Option<Text>>,
    reasoning: OnceCell<Option<Text>>,
    tool_calls: OnceCell<Option<Text>>,
    finish_reason: OnceCell<Option<Text>>,
}

impl Response {
    /// `answer` is a valid JSON object followed by one NUL.
    pub(super) fn new(answer: SecretBuf, payload_id: String, attestation: Attestation) -> Result<Response> {
        let json = Text(answer);
        let choices = find(json.as_str(), "/choices").and_then(count).unwrap_or(0);
        if choices > MAX_CHOICES {
            return Err(Error::new(
                Status::Protocol,
                format!("the answer has {choices} choices, and more than {MAX_CHOICES} are not read; ask for fewer"),
            ));
        }
        let choices = (0..choices).map(|_| Choice::default()).collect();
        Ok(Response { json, payload_id, attestation, choices })
    }

    /// The whole answer as JSON, with the client's members merged into its `_metadata`.
    pub fn json(&self) -> &str {
        self.json.as_str()
    }

    /// How many choices the answer has.
    pub fn choices(&self) -> usize {
        self.choices.len()
    }

    /// The message's `content`, unescaped; `None` when it is absent, null or not a string. A lone surrogate in it
    /// reads as U+FFFD.
    pub fn content(&self, choice: usize) -> Option<&str> {
        self.content_text(choice).map(Text::as_str)
    }

    /// The message's `reasoning_content`, as [`content`](Response::content).
    pub fn reasoning(&self, choice: usize) -> Option<&str> {
        self.reasoning_text(choice).map(Text::as_str)
    }

    /// The message's `tool_calls` as JSON; `None` when absent or null.
    pub fn tool_calls(&self, choice: usize) -> Option<&str> {
        self.tool_calls_text(choice).map(Text::as_str)
    }

    /// The choice's `finish_reason`; `None` when absent or null.
    pub fn finish_reason(&self, choice: usize) -> Option<&str> {
        self.finish_reason_text(choice).map(Text::as_str)
    }

    /// The value that an RFC 6901 pointer points to, as JSON; `""` is the whole answer.
    pub fn pointer(&self, rfc6901: &str) -> Option<&str> {
        find(self.json(), rfc6901)
    }

    /// The id that the request was sent under.
    pub fn payload_id(&self) -> &str {
        &self.payload_id
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
        self.view(choice, |c| &c.content, "message/content", unescaped_string)
    }

    pub(crate) fn reasoning_text(&self, choice: usize) -> Option<&Text> {
        self.view(choice, |c| &c.reasoning, "message/reasoning_content", unescaped_string)
    }

    pub(crate) fn tool_calls_text(&self, choice: usize) -> Option<&Text> {
        self.view(
            choice,
            |c| &c.tool_calls,
            "message/tool_calls",
            |raw| {
                if raw == "null" { Ok(None) } else { Text::copy_of(raw).map(Some) }
            },
        )
    }

    pub(crate) fn finish_reason_text(&self, choice: usize) -> Option<&Text> {
        self.view(choice, |c| &c.finish_reason, "finish_reason", unescaped_string)
    }

    /// A copy of what `pointer` points to, with its NUL; for C, whose callers want one.
    #[cfg(feature = "capi")]
    pub(crate) fn pointer_text(&self, rfc6901: &str) -> Option<Text> {
        Text::copy_of(self.pointer(rfc6901)?).ok()
    }

    /// One member of one choice. When there is no memory for it, it is absent now and tried again next time.
    fn view(
        &self,
        choice: usize,
        cell: fn(&Choice) -> &OnceCell<Option<Text>>,
        path: &str,
        read: fn(&str) -> Result<Option<Text>>,
    ) -> Option<&Text> {
        cell(self.choices.get(choice)?)
            .get_or_try_init(|| match self.pointer(&format!("/choices/{choice}/{path}")) {
                Some(raw) => read(raw),
                None => Ok(None),
            })
            .ok()?
            .as_ref()
    }
}

fn unescaped_string(raw: &str) -> Result<Option<Text>> {
    if raw.starts_with('"') { Text::unescaped(raw).map(Some) } else { Ok(None) }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({} bytes)", self.json.with_nul().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attestation::{AttestationPolicy, of_answer};

    fn made(json: &str) -> Result<Response> {
        let unattested = of_answer("{}", "id", false, &AttestationPolicy::new());
        Response::new(Text::copy_of(json).expect("memory").0, "id".to_owned(), unattested)
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
        assert_eq!(r.choices(), 2);
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
    fn an_answer_of_another_shape_has_no_choices_and_is_still_readable() {
        for json in ["{}", r#"{"choices":null}"#, r#"{"choices":{"0":1}}"#, r#"{"choices":[]}"#] {
            let r = response(json);
            assert_eq!((r.choices(), r.content(0), r.json()), (0, None, json));
        }
    }
}
