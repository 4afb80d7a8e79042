//! `POST /v1/chat/secure_completion`: the protocol from the request's headers to the encrypted
//! answer.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Tier;
use crate::attestation;
use crate::echo::{self, unix_seconds};
use crate::faults::{AnswerFaults, NomyoTest, WireFaults};
use crate::http::Request;
use crate::keys::ClientKey;
use crate::malformed;
use crate::object::Object;
use crate::package;
use crate::quoted::Private;
use crate::response::Response;
use crate::server::Server;
use crate::upstream;

/// A response and what it is to suffer on its way.
pub(crate) struct Outcome {
    pub response: Response,
    pub faults: WireFaults,
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Outcome {
        Outcome { response, faults: WireFaults::default() }
    }
}

/// Answers a request; a refusal is an answer as well.
pub(crate) fn answer(server: &Server, request: &Request, body: &[u8]) -> Outcome {
    complete(server, request, body).unwrap_or_else(Outcome::from)
}

/// What the headers say.
struct Asked {
    payload_id: String,
    tier: Tier,
    client: ClientKey,
}

fn complete(server: &Server, request: &Request, body: &[u8]) -> Result<Outcome, Response> {
    authorize(server.options.api_key.as_deref(), request)?;
    let asked = read_headers(server, request)?;
    let opened = package::open(body, &server.key())?;
    if server.options.reveal_keys {
        server.ledger.note_request_key(&asked.payload_id, &opened.aes_key);
    }
    let mut chat = read_chat(&opened.plaintext)?;
    let test = take_test(server, &asked.payload_id, &mut chat)?;
    if chat.values("stream").any(|value| value == "true") {
        return Err(Response::detail(400, "Streaming is not supported"));
    }
    // Untouched, a request is forwarded byte for byte.
    let chat = match test {
        None => Cow::Borrowed(opened.plaintext.as_slice()),
        Some(_) => Cow::Owned(chat.to_text(None).into_bytes()),
    };
    let test = test.unwrap_or_default();

    let response = match test.wire.replacement() {
        Some(response) => response,
        None => {
            let answer = find_answer(server, &asked, &chat, &test)?;
            let body = encrypt(server, &asked, &answer, &test.answer)?;
            Response::new(200, "application/json", body)
        }
    };
    Ok(Outcome { response, faults: test.wire })
}

fn authorize(expected: Option<&str>, request: &Request) -> Result<(), Response> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let given = request.header("Authorization").and_then(|value| value.split_once(' '));
    match given {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && key == expected => Ok(()),
        Some(_) => Err(Response::detail(401, "Invalid API key")),
        None => Err(Response::detail(401, "Missing API key")),
    }
}

fn read_headers(server: &Server, request: &Request) -> Result<Asked, Response> {
    let required = |name: &str| {
        request
            .header(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Response::detail(400, &format!("The header {name} is required")))
    };
    let payload_id = required("X-Payload-ID")?.to_owned();
    let tier = match request.header("X-Security-Tier") {
        None => Tier::Standard,
        Some(value) => Tier::from_header(value)
            .ok_or_else(|| Response::detail(400, "X-Security-Tier must be one of: standard, high, maximum"))?,
    };
    if tier > server.options.tier_policy {
        return Err(Response::detail(403, &format!("Model not allowed for the security tier {tier}")));
    }
    if tier == Tier::Maximum && server.tpm.is_none() {
        return Err(Response::detail(503, "The security tier maximum needs a TPM, and this server has none"));
    }
    let pem = percent_decode_str(required("X-Public-Key")?)
        .decode_utf8()
        .map_err(|_| Response::detail(400, "X-Public-Key is not percent-encoded UTF-8"))?;
    let client =
        ClientKey::from_pem(&pem).map_err(|problem| Response::detail(400, &format!("X-Public-Key {problem}")))?;
    Ok(Asked { payload_id, tier, client })
}

fn read_chat(plaintext: &[u8]) -> Result<Object<'_>, Response> {
    Object::read(plaintext).filter(|chat| !chat.is_empty()).ok_or_else(not_a_chat)
}

fn not_a_chat() -> Response {
    Response::detail(400, "The request is not a JSON object with members")
}

/// Lifts `nomyo_test` out of the request; a server without `--control` says that it does not know
/// it.
fn take_test(server: &Server, payload_id: &str, chat: &mut Object<'_>) -> Result<Option<NomyoTest>, Response> {
    let Some(text) = chat.take("nomyo_test") else {
        return Ok(None);
    };
    if !server.options.control {
        return Err(Response::detail(400, "nomyo_test needs a server that was started with --control"));
    }
    let test = NomyoTest::read(text)?;
    Ok(Some(test.on_attempt(server.ledger.attempt(payload_id))))
}

/// The answer's text before encryption: as scripted, or the model's with our metadata.
fn find_answer(server: &Server, asked: &Asked, chat: &[u8], test: &NomyoTest) -> Result<String, Response> {
    if let Some(answer) = &test.script.answer {
        return Ok(answer.to_string());
    }
    let answer = match (&test.script.upstream, &server.upstream) {
        (Some(said), _) => upstream::judge(
            said.status,
            |name| said.header(name),
            said.body.clone().into_bytes(),
            || Private::of(chat, None),
        )?,
        (None, Some(upstream)) => upstream.complete(chat)?,
        (None, None) => {
            let chat = serde_json::from_slice(chat).map_err(|_| not_a_chat())?;
            echo::complete(&chat, &test.script)?.to_string()
        }
    };
    let attestation = attestation::block(server.tpm.as_ref(), &asked.payload_id, &test.attestation)?;
    let metadata = metadata(asked, &test.answer, &attestation).to_string();
    let mut answer = Object::read(answer.as_bytes()).ok_or_else(|| Response::detail(500, "The answer is no object"))?;
    answer.take("_metadata");
    Ok(answer.to_text(Some(("_metadata", &metadata))))
}

/// The protocol's members about the answer and about this server. They are true: this server
/// protects no memory.
fn metadata(asked: &Asked, faults: &AnswerFaults, attestation: &Value) -> Value {
    let device_hash = base16ct::lower::encode_string(&Sha256::digest("none"));
    let mut metadata = json!({
        "payload_id": asked.payload_id,
        "processed_at": unix_seconds(),
        "is_encrypted": true,
        "response_status": "success",
        "security_tier": asked.tier.as_str(),
        "memory_protection": {
            "platform": std::env::consts::OS,
            "memory_locking": false,
            "secure_zeroing": false,
            "core_dump_prevention": false,
        },
        "cuda_device": {"available": false, "device_hash": device_hash},
    });
    replace(&mut metadata, "tpm_attestation", Some(attestation));
    replace(&mut metadata, "payload_id", faults.payload_id.as_ref());
    replace(&mut metadata, "security_tier", faults.tier.as_ref());
    metadata
}

/// Sets a member, or removes it when it is to be null.
fn replace(object: &mut Value, name: &str, wanted: Option<&Value>) {
    match wanted {
        None => {}
        Some(Value::Null) => {
            object.as_object_mut().map(|members| members.remove(name));
        }
        Some(value) => object[name] = value.clone(),
    }
}

fn encrypt(server: &Server, asked: &Asked, answer: &str, faults: &AnswerFaults) -> Result<Vec<u8>, Response> {
    let now = json!(unix_seconds());
    let processed_at = match &faults.processed_at {
        None => Some(&now),
        Some(Value::Null) => None,
        Some(value) => Some(value),
    };
    let (body, aes_key) = match &faults.malformed {
        Some(name) => {
            let made = malformed::make(name, answer, &asked.client, processed_at)
                .ok_or_else(|| Response::detail(400, "nomyo_test: `malformed` names an unknown defect"))?;
            (made.body, made.aes_key)
        }
        None => {
            let sealed = package::seal(answer.as_bytes(), &asked.client);
            (sealed.to_json(faults.js_form, processed_at).into_bytes(), Some(sealed.aes_key))
        }
    };
    if let Some(aes_key) = aes_key.filter(|_| server.options.reveal_keys) {
        server.ledger.note_response_key(&asked.payload_id, &aes_key);
    }
    Ok(body)
}
