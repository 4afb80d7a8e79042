//! The error that the client gets when the upstream gives no answer.
//!
//! A refusal keeps its status, its Retry-After and its error object. An answer that cannot be used
//! is a 502 that says `x-should-retry: false`, because the next attempt would process the prompt
//! again and end in the same way. Nothing here quotes the request: see `quoted`.

use serde_json::{Map, Value, json};

use crate::quoted::Private;
use crate::response::Response;

/// The type of errors that are the gateway's own.
const OWN: &str = "upstream_error";
/// The longest `type`, `code` or `param`.
const LONGEST_NAME: usize = 64;
/// The longest value of a header that is passed on. A date has 29 characters.
const LONGEST_VALUE: usize = 32;
const PASSED_ON: [&str; 2] = ["Retry-After", "Retry-After-Ms"];
const SHOULD_RETRY: &str = "x-should-retry";

/// The members of OpenAI's error object.
struct ErrorObject {
    message: String,
    kind: Value,
    param: Value,
    code: Value,
}

impl ErrorObject {
    /// `detail` is for clients that know FastAPI's form alone.
    fn response(self, status: u16) -> Response {
        let ErrorObject { message, kind, param, code } = self;
        let error = json!({"message": message, "type": kind, "param": param, "code": code});
        Response::json(status, &json!({"error": error, "detail": message}))
    }
}

/// An error of the gateway's own.
pub(crate) fn own(status: u16, code: &str, message: &str) -> Response {
    ErrorObject { message: message.to_owned(), kind: json!(OWN), param: Value::Null, code: json!(code) }
        .response(status)
}

/// The same, which the next attempt would meet again.
pub(crate) fn lasting(status: u16, code: &str, message: &str) -> Response {
    let mut response = own(status, code, message);
    response.headers.push((SHOULD_RETRY.to_owned(), "false".to_owned()));
    response
}

/// The upstream's answer with a status that is not 2xx. `header` reads its headers.
pub(crate) fn refused<'a>(
    status: u16,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    private: &Private,
) -> Response {
    let said = Said::read(body);
    match status {
        300..=399 => return redirected(),
        404 | 405 if !said.is_about_the_request => {
            return lasting(
                502,
                "upstream_not_found",
                "The upstream has no /v1/chat/completions at its address: check --upstream",
            );
        }
        400..=599 => {}
        _ => return lasting(502, "upstream_status", "The upstream answered with a status that is none of HTTP's"),
    }
    let name = |value: &Value| name(value, private);
    let error = ErrorObject {
        message: message(status, said.message.as_deref(), private),
        kind: name(&said.kind),
        param: name(&said.param),
        code: name(&said.code),
    };
    let used_up = [&error.kind, &error.code].iter().any(|name| *name == "insufficient_quota");
    let mut response = error.response(status);
    for passed_on in PASSED_ON {
        if let Some(value) = header(passed_on).filter(|value| is_time(value)) {
            response.headers.push((passed_on.to_owned(), value.to_owned()));
        }
    }
    let told = header(SHOULD_RETRY).filter(|told| matches!(*told, "true" | "false"));
    if let Some(told) = told.or(used_up.then_some("false")) {
        response.headers.push((SHOULD_RETRY.to_owned(), told.to_owned()));
    }
    response
}

/// A redirect is never followed with the prompt, and it is not the client's either.
pub(crate) fn redirected() -> Response {
    lasting(
        502,
        "upstream_redirect",
        "The upstream answers with a redirect, which is not followed with a prompt: set --upstream to where it really is",
    )
}

fn message(status: u16, said: Option<&str>, private: &Private) -> String {
    match said {
        // The words would be about a key that is not the client's.
        _ if status == 401 => "The upstream did not accept this endpoint's own key for it, which --upstream-key sets. \
                               The client's API key is not concerned"
            .to_owned(),
        None => format!("The upstream answered HTTP {status} and did not say why"),
        Some(said) if private.is_quoted_in(said) => format!(
            "The upstream answered HTTP {status}. Its message is withheld: it may quote the request, and an error is not \
             encrypted"
        ),
        Some(said) => said.to_owned(),
    }
}

/// A `type`, `code` or `param`: a short word or a whole number. Anything else is null.
fn name(value: &Value, private: &Private) -> Value {
    let keep = match value {
        Value::String(text) => {
            !text.is_empty()
                && text.len() <= LONGEST_NAME
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./[]".contains(&byte))
                && !private.is_quoted_in(text)
        }
        Value::Number(number) => number.is_i64(),
        _ => false,
    };
    if keep { value.clone() } else { Value::Null }
}

/// Seconds, milliseconds or a date, by their characters.
fn is_time(value: &str) -> bool {
    value.len() <= LONGEST_VALUE && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ,:.+-".contains(&byte))
}

/// The body of a refusal, in any of the forms that are about.
#[derive(Default)]
struct Said {
    message: Option<String>,
    kind: Value,
    param: Value,
    code: Value,
    /// Whether it is about the request, and not about the path.
    is_about_the_request: bool,
}

impl Said {
    fn read(body: &[u8]) -> Said {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
            return Said::default();
        };
        match (&body.get("error"), &body.get("detail")) {
            // OpenAI.
            (Some(Value::Object(error)), _) => Said::of(error),
            // Ollama's own interface.
            (Some(Value::String(error)), _) => Said { message: Some(error.clone()), ..Said::of(&Map::new()) },
            // FastAPI: a text of the application, or of the framework, which knows no such path.
            (_, Some(Value::String(detail))) => Said {
                is_about_the_request: !matches!(detail.as_str(), "Not Found" | "Method Not Allowed"),
                message: Some(detail.clone()),
                ..Said::default()
            },
            // FastAPI: what did not fit its model. `input`, which quotes it, is left out.
            (_, Some(Value::Array(problems))) => Said::misfit(problems),
            // Older versions of vLLM.
            _ if body.contains_key("message") => Said::of(&body),
            _ => Said::default(),
        }
    }

    fn of(error: &Map<String, Value>) -> Said {
        let member = |name: &str| error.get(name).cloned().unwrap_or_default();
        Said {
            message: error.get("message").and_then(Value::as_str).map(str::to_owned),
            kind: member("type"),
            param: member("param"),
            code: member("code"),
            is_about_the_request: true,
        }
    }

    fn misfit(problems: &[Value]) -> Said {
        let first = problems.first().unwrap_or(&Value::Null);
        let steps = first["loc"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
        let place: Vec<String> =
            steps.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned)).collect();
        let place = place.join(".");
        Said {
            message: first["msg"].as_str().map(|text| format!("{place}: {text}")),
            kind: first["type"].clone(),
            param: json!(place),
            code: Value::Null,
            is_about_the_request: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private() -> Private {
        Private::of(br#"{"model":"m-7","messages":[{"role":"user","content":"Smith has HIV"}]}"#, Some("sk-up"))
    }

    /// Status, body and headers of the client's answer to a refusal.
    fn answer(status: u16, headers: &[(&str, &'static str)], body: &str) -> (u16, Value, Vec<(String, String)>) {
        let header = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let response = refused(status, header, body.as_bytes(), &private());
        (response.status, serde_json::from_slice(&response.body).expect("JSON"), response.headers)
    }

    #[test]
    fn an_error_object_keeps_its_members_and_numbers() {
        let body = r#"{"error":{"message":"The model `m-7` does not exist","type":"invalid_request_error","param":"messages[0].content","code":"model_not_found"}}"#;
        let (status, said, headers) = answer(404, &[], body);
        let given: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!((status, &said["error"], headers.len()), (404, &given["error"], 0));
        assert_eq!(said["detail"], "The model `m-7` does not exist");
        let (_, said, _) =
            answer(400, &[], r#"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#);
        assert_eq!(
            said["error"],
            json!({"message": "too long", "type": "BadRequestError", "param": null, "code": 400})
        );
    }

    #[test]
    fn every_form_is_read() {
        for (body, message) in [
            (r#"{"error":"model 'm-7' not found"}"#, "model 'm-7' not found"),
            (r#"{"detail":"No such model"}"#, "No such model"),
            (
                r#"{"detail":[{"type":"missing","loc":["body","messages",0],"msg":"Field required","input":"HIV"}]}"#,
                "body.messages.0: Field required",
            ),
            (r#"{"detail":[]}"#, "The upstream answered HTTP 422 and did not say why"),
            ("<html>HIV</html>", "The upstream answered HTTP 422 and did not say why"),
            ("", "The upstream answered HTTP 422 and did not say why"),
            (r#"{"error":{"message":{"a":1}}}"#, "The upstream answered HTTP 422 and did not say why"),
        ] {
            let (status, said, _) = answer(422, &[], body);
            assert_eq!((status, said["detail"].as_str()), (422, Some(message)), "{body}");
        }
    }

    #[test]
    fn no_member_quotes_the_request_or_the_key() {
        let bodies = [
            r#"{"error":{"message":"bad: Smith has","type":"smith","param":"a smith","code":"HIV"}}"#,
            r#"{"error":{"message":"Incorrect API key provided: sk-up","code":"sk-up"}}"#,
            r#"{"error":"cannot read \"Smith\""}"#,
            r#"{"detail":[{"type":"smith","loc":["body","Smith"],"msg":"required"}]}"#,
        ];
        for body in bodies {
            for status in [400, 401, 500] {
                let (status, said, _) = answer(status, &[], body);
                let text = said.to_string();
                assert!(!["Smith", "smith", "HIV", "sk-up"].iter().any(|quoted| text.contains(quoted)), "{text}");
                assert!(text.contains(if status == 401 { "own key" } else { "withheld" }), "{text}");
            }
        }
    }

    #[test]
    fn names_are_short_words() {
        let names =
            [json!("a b"), json!("a\nb"), json!("x".repeat(65)), json!(""), json!(1.5), json!([1]), json!(true)];
        for value in names {
            assert_eq!(name(&value, &private()), Value::Null, "{value}");
        }
        assert_eq!(name(&json!(-1), &private()), json!(-1));
    }

    #[test]
    fn a_wait_is_passed_on_and_a_text_is_not() {
        let date = "Sun, 29 Nov 2026 08:00:00 GMT";
        let (status, _, headers) = answer(429, &[("Retry-After", date), ("Retry-After-Ms", "10.5")], "{}");
        assert_eq!(status, 429);
        assert_eq!(headers, [("Retry-After".into(), date.into()), ("Retry-After-Ms".into(), "10.5".to_owned())]);
        for text in ["Smith has HIV, and that is no date.", "1\r\nX: y", "é"] {
            assert!(answer(429, &[("Retry-After", text)], "{}").2.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_retry_is_ruled_out_where_it_cannot_help() {
        let no = vec![("x-should-retry".to_owned(), "false".to_owned())];
        let quota = r#"{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        assert_eq!(answer(429, &[], quota).2, no);
        assert_eq!(answer(500, &[("x-should-retry", "false")], "{}").2, no);
        assert_eq!(answer(429, &[("x-should-retry", "true")], quota).2[0].1, "true");
        assert!(answer(500, &[("x-should-retry", "maybe")], "{}").2.is_empty());
        for (status, code) in [
            (307, "upstream_redirect"),
            (302, "upstream_redirect"),
            (404, "upstream_not_found"),
            (405, "upstream_not_found"),
            (199, "upstream_status"),
            (600, "upstream_status"),
        ] {
            let (ours, said, headers) = answer(status, &[], r#"{"detail":"Not Found"}"#);
            assert_eq!((ours, said["error"]["code"].as_str(), headers), (502, Some(code), no.clone()), "{status}");
        }
    }

    #[test]
    fn every_other_status_stays() {
        for status in [400, 401, 402, 403, 408, 409, 413, 422, 429, 499, 500, 501, 502, 503, 504, 529] {
            assert_eq!(answer(status, &[], "").0, status);
        }
    }
}
