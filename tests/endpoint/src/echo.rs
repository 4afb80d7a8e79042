//! The built-in model: it says what it was told.
//!
//! The shape of its answers is that of an OpenAI `chat.completion`. Tokens are counted as words,
//! which is wrong for every real model and enough to see that the numbers arrive.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::faults::Script;
use crate::keys::random;
use crate::response::Response;

const MOST_CHOICES: u64 = 128;

/// Answers a chat request.
pub(crate) fn complete(chat: &Map<String, Value>, script: &Script) -> Result<Value, Response> {
    let messages = match chat.get("messages").and_then(Value::as_array) {
        Some(messages) if !messages.is_empty() => messages,
        _ => {
            return Err(Response::detail(400, "messages must be a list with at least one message"));
        }
    };
    let count = match chat.get("n") {
        None | Some(Value::Null) => 1,
        Some(n) => match n.as_u64() {
            Some(n @ 1..=MOST_CHOICES) => n,
            _ => return Err(Response::detail(400, "n must be between 1 and 128")),
        },
    };
    let mut message = reply(chat, messages, script);
    if let Some(reasoning) = &script.reasoning {
        message["reasoning_content"] = json!(reasoning);
    }
    let finish_reason = if message.get("tool_calls").is_some() { "tool_calls" } else { "stop" };
    let choice = |index| json!({"index": index, "message": message, "finish_reason": finish_reason});
    let choices: Vec<Value> = (0..count).map(choice).collect();

    let prompt_tokens: u64 = messages.iter().map(|message| words(&text_of(message))).sum();
    let completion_tokens = count * words(&text_of(&message));
    Ok(json!({
        "id": format!("chatcmpl-{}", identifier()),
        "object": "chat.completion",
        "created": unix_seconds(),
        "model": chat.get("model").cloned().unwrap_or_else(|| json!("echo")),
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }))
}

fn reply(chat: &Map<String, Value>, messages: &[Value], script: &Script) -> Value {
    let said = |content: &str| json!({"role": "assistant", "content": content});
    if let Some(reply) = &script.reply {
        return said(reply);
    }
    let role = |message: &Value| message["role"].as_str().unwrap_or_default().to_owned();
    let last = messages.last().map(role).unwrap_or_default();
    if last == "tool" {
        return said(&messages.last().map(text_of).unwrap_or_default());
    }
    if last == "user"
        && let Some(name) = first_tool(chat)
    {
        let call = json!({
            "id": format!("call_{}", identifier()),
            "type": "function",
            "function": {"name": name, "arguments": "{}"},
        });
        return json!({"role": "assistant", "content": null, "tool_calls": [call]});
    }
    let last_user = messages.iter().rev().find(|message| role(message) == "user");
    said(&last_user.map(text_of).unwrap_or_default())
}

fn first_tool(chat: &Map<String, Value>) -> Option<&str> {
    if chat.get("tool_choice").is_some_and(|choice| choice == "none") {
        return None;
    }
    chat.get("tools")?.get(0)?["function"]["name"].as_str()
}

/// A message's text: its content, or the text parts of its content one after the other.
fn text_of(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

fn identifier() -> String {
    base16ct::lower::encode_string(&random(12))
}

/// Now, as the protocol counts it.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(chat: Value, script: Value) -> Value {
        let script: Script = serde_json::from_value(script).expect("a known script");
        complete(chat.as_object().expect("an object"), &script).expect("an answer")
    }

    fn content(answer: &Value) -> &Value {
        &answer["choices"][0]["message"]["content"]
    }

    #[test]
    fn echoes_the_last_user_message() {
        let answer = ask(
            json!({"model": "m", "messages": [
                {"role": "user", "content": "first"},
                {"role": "user", "content": [{"text": "a "}, {"type": "image_url"}, {"text": "b"}]},
                {"role": "assistant", "content": "no"},
            ]}),
            json!({}),
        );
        assert_eq!(content(&answer), "a b");
        assert_eq!(answer["usage"], json!({"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}));
        assert_eq!(answer["model"], "m");
    }

    #[test]
    fn calls_the_first_tool_then_echoes_its_result() {
        let tools = json!([{"type": "function", "function": {"name": "get_weather"}}]);
        let user = json!({"role": "user", "content": "Weather?"});
        let first = ask(json!({"messages": [user], "tools": tools}), json!({}));
        assert_eq!(content(&first), &Value::Null);
        assert_eq!(first["choices"][0]["finish_reason"], "tool_calls");
        assert_eq!(
            first["choices"][0]["message"]["tool_calls"][0]["function"],
            json!({"name": "get_weather", "arguments": "{}"})
        );
        let second = ask(json!({"messages": [user, {"role": "tool", "content": "sun"}], "tools": tools}), json!({}));
        assert_eq!(content(&second), "sun");
    }

    #[test]
    fn follows_the_script_and_n() {
        let chat = json!({"messages": [{"role": "user", "content": "x"}], "n": 3});
        let answer = ask(chat, json!({"reply": "said", "reasoning": "thought"}));
        assert_eq!(answer["choices"].as_array().map(Vec::len), Some(3));
        assert_eq!(answer["choices"][2]["index"], 2);
        assert_eq!(answer["choices"][2]["message"]["content"], "said");
        assert_eq!(answer["choices"][2]["message"]["reasoning_content"], "thought");
    }

    #[test]
    fn refuses_what_no_model_could_answer() {
        for chat in [json!({}), json!({"messages": []}), json!({"messages": [{}], "n": 0})] {
            assert!(complete(chat.as_object().expect("an object"), &Script::default()).is_err(), "{chat}");
        }
    }
}
