//! `/control/...`: counters, faults, another key, and the AES keys of a request. All of it is off
//! by default.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::http::Request;
use crate::keys::ServerKey;
use crate::response::Response;
use crate::server::Server;

/// Whether a path belongs here.
pub(crate) fn is_control(path: &str) -> bool {
    path.starts_with("/control/")
}

/// Answers a control request.
pub(crate) fn answer(server: &Server, request: &Request, body: &[u8]) -> Response {
    let allowed = if request.path == "/control/keys" { server.options.reveal_keys } else { server.options.control };
    if !allowed {
        return Response::detail(404, "Not Found");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/control/stats") => Response::json(200, &json!(server.stats.snapshot())),
        ("GET", "/control/keys") => reveal(server, request).unwrap_or_else(|refusal| refusal),
        ("POST", "/control/reset") => {
            server.stats.reset();
            Response::json(200, &json!({}))
        }
        ("POST", "/control/faults") => set_faults(server, body).unwrap_or_else(|refusal| refusal),
        ("POST", "/control/rotate-key") => rotate(server, body).unwrap_or_else(|refusal| refusal),
        (_, "/control/stats" | "/control/keys") => Response::method_not_allowed("GET"),
        (_, "/control/reset" | "/control/faults" | "/control/rotate-key") => Response::method_not_allowed("POST"),
        _ => Response::detail(404, "Not Found"),
    }
}

fn set_faults(server: &Server, body: &[u8]) -> Result<Response, Response> {
    let faults: Value =
        serde_json::from_slice(body).map_err(|error| Response::detail(400, &format!("faults: {error}")))?;
    server.faults.replace(faults)?;
    Ok(Response::json(200, &json!({})))
}

/// The new key lasts until the server stops; the one in the state directory is untouched.
fn rotate(server: &Server, body: &[u8]) -> Result<Response, Response> {
    let pem = if body.is_empty() {
        ServerKey::generate_pem().map_err(|error| Response::detail(500, &error.to_string()))?
    } else {
        String::from_utf8_lossy(body).into_owned()
    };
    let key = ServerKey::from_pem(&pem).map_err(|error| Response::detail(400, &error.to_string()))?;
    let fingerprint = key.fingerprint.clone();
    server.replace_key(Arc::new(key));
    Ok(Response::json(200, &json!({ "key_fingerprint": fingerprint })))
}

fn reveal(server: &Server, request: &Request) -> Result<Response, Response> {
    let id = request
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("payload_id="))
        .map(|id| percent_decode_str(id).decode_utf8_lossy())
        .ok_or_else(|| Response::detail(400, "The query parameter payload_id is required"))?;
    let entry = server.ledger.find(&id).ok_or_else(|| Response::detail(404, "No such payload_id"))?;
    let hex = |key: Option<Vec<u8>>| key.map(|key| base16ct::lower::encode_string(&key));
    Ok(Response::json(
        200,
        &json!({
            "request_key_hex": hex(entry.request_key),
            "response_key_hex": hex(entry.response_key),
        }),
    ))
}
