//! Whether a text from the upstream may quote the request.
//!
//! An error goes back to the client outside the encryption, and upstreams like to say what they did
//! not like: "invalid message: PROMPT". The check errs on the side of silence. A text passes
//! only if
//!
//! - each of its words is a common word of error messages, or part of the model's name, or occurs
//!   nowhere in the request: as a word, or, from 4 characters on, as a part of a word; and
//! - no 4 words in a row are also in a row in a string of the request, nor are all words of a
//!   shorter string, even if they are common.
//!
//! Escapes (`\n`, `\u00e9`) are read before. The check does not find text that an upstream has
//! encoded, translated or counted: base64 of the prompt, its tokens as numbers, its length.

use std::collections::HashSet;

use memchr::memmem;
use serde_json::Value;

/// How many words in a row are a quotation whatever the words are.
const RUN: usize = 4;
/// A word of this many characters is also looked for inside other words.
const PART: usize = 4;
/// A longer text is not an explanation but a dump.
const LONGEST: usize = 2000;
/// A longer model name is no name.
const LONGEST_NAME: usize = 128;

/// Words of error messages and of the API's parameters. None says anything about a person.
const COMMON: &str = "\
    a about access account again all allowed already an and any api are argument arguments array as assistant at \
    available bad be because been before between bias body boolean but by call calls can cannot channel chat \
    check choice choices code completion completions connection content context could create current currently \
    data default deployment detail did do does empty enum error errors exceed exceeded exceeds exist expected \
    failed field file first for format found frequency from function functions given got greater has have \
    however http id if image in include including index input instead integer internal invalid is it item items \
    its json key large least length less limit list loading logit logprobs long many max maximum may message \
    messages min minimum missing model models more most must name no none not null number object of on one only \
    or org organization output parameter parameters parse penalty per permission please point policy presence \
    project prompt property provided pulling quota rate reached reason reasonable received reduce request \
    requested requests require required response retry role rpm s schema seconds see seed send server service \
    should single small specified still stop stream strict string such supplied support supported system t \
    temperature text than that the then there this to token tokens too tool tools top tpm try type unable \
    unavailable unexpected unknown unsupported url use used user valid validation value values was we were when \
    which while with within without you your";

/// The texts that an error may not quote.
pub(crate) struct Private {
    /// The strings of the request, and the upstream's key, in lower case.
    strings: Vec<String>,
    /// The names of members, which consist of the API's own words mostly, in lower case.
    names: Vec<String>,
    model: HashSet<String>,
    /// Whether the request could be read. If not, everything is a quotation.
    known: bool,
}

impl Private {
    /// Of a request to the model, and of the key that the upstream wants.
    pub fn of(request: &[u8], key: Option<&str>) -> Private {
        let strings = key.map(str::to_lowercase).into_iter().collect();
        let mut private = Private { strings, names: Vec::new(), model: HashSet::new(), known: false };
        if let Ok(mut request) = serde_json::from_slice::<Value>(request) {
            private.known = true;
            if let Some(name) =
                request.get("model").and_then(Value::as_str).filter(|name| is_a_name(name)).map(str::to_lowercase)
            {
                private.model = words(&name).map(str::to_owned).collect();
                request["model"] = Value::Null;
            }
            private.collect(&request);
        }
        private
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.strings.push(text.to_lowercase()),
            Value::Array(values) => values.iter().for_each(|value| self.collect(value)),
            Value::Object(members) => {
                for (name, value) in members {
                    self.names.push(name.to_lowercase());
                    self.collect(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether `text` may quote one of them.
    pub fn is_quoted_in(&self, text: &str) -> bool {
        if !self.known || text.len() > LONGEST {
            return true;
        }
        let said = text.to_lowercase();
        let read = unescaped(&said);
        [said.as_str(), &read].into_iter().any(|text| self.has_a_word_of(text) || self.has_a_run_of(text))
    }

    fn has_a_word_of(&self, text: &str) -> bool {
        let common: HashSet<&str> = COMMON.split_whitespace().collect();
        let telling: HashSet<&str> =
            words(text).filter(|word| !common.contains(word) && !self.model.contains(*word)).collect();
        let parts: Vec<memmem::Finder<'_>> =
            telling.iter().flat_map(|word| parts(word)).map(|part| memmem::Finder::new(part.as_bytes())).collect();
        self.strings.iter().chain(&self.names).any(|string| {
            words(string).any(|word| telling.contains(word))
                || parts.iter().any(|part| part.find(string.as_bytes()).is_some())
        })
    }

    fn has_a_run_of(&self, text: &str) -> bool {
        let said: Vec<&str> = words(text).collect();
        let runs: HashSet<&[&str]> = (2..=RUN).flat_map(|length| said.windows(length)).collect();
        self.strings.iter().any(|string| {
            let own: Vec<&str> = words(string).collect();
            own.len() >= 2 && own.windows(own.len().min(RUN)).any(|run| runs.contains(run))
        })
    }
}

fn is_a_name(model: &str) -> bool {
    model.len() <= LONGEST_NAME && !model.contains(char::is_whitespace)
}

/// Runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The pieces of `word` of which each, found inside another word, is a quotation: the word itself,
/// or two neighbours at a time where words are not set apart by spaces.
fn parts(word: &str) -> Vec<&str> {
    if word.is_ascii() {
        return if word.len() >= PART { vec![word] } else { Vec::new() };
    }
    let starts: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
    if starts.len() <= 3 { vec![word] } else { starts.windows(3).map(|pair| &word[pair[0]..pair[2]]).collect() }
}

/// The text with the escapes of JSON, Python and Rust read. An escape that is none stays.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (read, used) = match escape.chars().next() {
            Some('u') => (hex(escape, 4), 5),
            Some('x') => (hex(escape, 2), 3),
            Some('n' | 'r' | 't' | 'b' | 'f') => (Some(' '), 1),
            Some(c) => (Some(c), c.len_utf8()),
            None => (None, 0),
        };
        out.push(read.unwrap_or('\\'));
        rest = if read.is_some() { &escape[used..] } else { escape };
    }
    out.push_str(rest);
    out.to_lowercase()
}

fn hex(escape: &str, digits: usize) -> Option<char> {
    u32::from_str_radix(escape.get(1..=digits)?, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn quotes(prompt: &str, text: &str) -> bool {
        let request = json!({"model": "Qwen/Qwen3-0.6B", "max_tokens": 4096, "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": prompt}]},
        ]});
        Private::of(request.to_string().as_bytes(), Some("sk-upstream9876")).is_quoted_in(text)
    }

    #[test]
    fn explanations_pass_beside_an_ordinary_prompt() {
        let prompt = "Mr Müller, born 1950-02-03, has a positive test: what is the maximum dose of the drug? \
                      The model of the pump does not matter.";
        for text in [
            "The model `Qwen/Qwen3-0.6B` does not exist or you do not have access to it.",
            "model \"qwen3-0.6b\" not found, try pulling it first",
            "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens.",
            "Invalid value: 'max_tokens'",
            "Rate limit reached for requests per min (RPM): Limit 3, Used 3. Please try again in 20s.",
            "You exceeded your current quota, please check your plan and billing details.",
            "body.messages: Field required",
            "Loading model",
            "The server had an error",
            "Country not supported",
            "",
        ] {
            assert!(!quotes(prompt, text), "{text}");
        }
    }

    #[test]
    fn quotations_do_not_pass() {
        let prompt = "Herr Müller\nhas HIV; his card is 4711-0815. Is it positive?";
        for text in [
            "bad: Herr Müller",
            "invalid message 'M\\u00fcller\\nhas'",
            "invalid message 'm\\xfcller'",
            "cannot parse M&uuml;ller",
            "unexpected ...üller has",
            "hiv",
            "[{'role': 'user', 'content': \"HIV\"}]",
            "value 4711",
            "at \\nhis",
            "IS IT positive",
            "he said: is it POSITIVE?",
        ] {
            assert!(quotes(prompt, text), "{text}");
        }
        assert!(quotes("患者张三有高血压", "错误患者张三"));
        assert!(quotes("Hi", "bad: hi"));
        assert!(quotes("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA", "cannot decode iVBORw0K"));
    }

    #[test]
    fn common_words_are_a_quotation_when_they_stand_in_a_row() {
        assert!(!quotes("Why does the model exist?", "The model does not exist"));
        assert!(quotes("why? the model does not exist", "The model does not exist"));
        assert!(quotes("is empty", "content is empty"));
        assert!(!quotes("empty", "content is empty"));
    }

    #[test]
    fn names_of_members_and_the_upstreams_key_are_private_too() {
        let tools = json!({"tools": [{"function": {"parameters": {"properties": {"hiv_status": {}}}}}]});
        let private = Private::of(tools.to_string().as_bytes(), None);
        assert!(private.is_quoted_in("Invalid schema: 'hiv_status'") && !private.is_quoted_in("Invalid schema"));
        for text in ["Incorrect API key provided: sk-upstream9876", "Incorrect API key: sk-upstr***9876"] {
            assert!(quotes("x", text), "{text}");
        }
    }

    #[test]
    fn a_request_that_cannot_be_read_and_a_dump_are_quotations() {
        assert!(Private::of(b"{\"a\":1e400}", None).is_quoted_in("Loading model"));
        assert!(quotes("x", &"y ".repeat(LONGEST)));
        // A model's name is no place for a prompt.
        let request = json!({"model": "Mr Smith has HIV"}).to_string();
        assert!(Private::of(request.as_bytes(), None).is_quoted_in("The model Smith does not exist"));
    }
}
