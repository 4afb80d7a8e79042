//! A client of the protocol, just enough of one to talk to the endpoint, and the fixtures' keys.

use std::sync::Arc;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use endpoint::{Endpoint, Options};
use getrandom::SysRng;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::rand_core::UnwrapErr;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use sha2::Sha256;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

pub fn fixture(path: &str) -> String {
    let path = format!("{}/../fixtures/protocol/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Options with the fixture's key, so that none is generated.
pub fn options() -> Options {
    Options { server_key_pem: Some(fixture("keys/server_private.pem")), ..Options::default() }
}

pub fn start(options: Options) -> Endpoint {
    Endpoint::start(options).expect("the endpoint starts")
}

/// An HTTP response, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().expect("a detail").to_owned()
    }

    /// The decrypted answer.
    pub fn open(&self) -> Value {
        serde_json::from_str(&self.open_text()).expect("the answer is JSON")
    }

    /// The decrypted answer as it was written.
    pub fn open_text(&self) -> String {
        let package = self.json();
        let payload = &package["encrypted_payload"];
        let bytes = |value: &Value| STANDARD.decode(value.as_str().expect("a string")).expect("base64");
        let private = RsaPrivateKey::from_pkcs8_pem(&fixture("keys/client_private.pem")).expect("the fixture's key");
        let wrapped = bytes(&package["encrypted_aes_key"]);
        let key = private.decrypt(Oaep::<Sha256>::new(), &wrapped).expect("wrapped to our key");
        let mut text = bytes(&payload["ciphertext"]);
        let tag = match &payload["tag"] {
            Value::Null => text.split_off(text.len() - 16),
            tag => bytes(tag),
        };
        Aes256Gcm::new_from_slice(&key)
            .expect("32 bytes")
            .decrypt_inout_detached(
                bytes(&payload["nonce"]).as_slice().try_into().expect("12 bytes"),
                &[],
                text.as_mut_slice().into(),
                tag.as_slice().try_into().expect("16 bytes"),
            )
            .expect("it decrypts");
        String::from_utf8(text).expect("UTF-8")
    }
}

pub struct Client {
    agent: ureq::Agent,
    base_url: String,
}

impl Client {
    pub fn new(endpoint: &Endpoint) -> Client {
        Client::with_base_url(endpoint, endpoint.base_url())
    }

    pub fn with_base_url(endpoint: &Endpoint, base_url: &str) -> Client {
        let roots: Vec<Certificate<'static>> = parse_pem(endpoint.ca_pem().as_bytes())
            .filter_map(|item| match item.expect("PEM") {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        Client { agent: config.new_agent(), base_url: base_url.to_owned() }
    }

    pub fn get(&self, path: &str) -> Result<Answer, ureq::Error> {
        finish(self.agent.get(format!("{}{path}", self.base_url)).call()?)
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = self.agent.post(format!("{}{path}", self.base_url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        finish(request.send(body)?)
    }

    /// Asks with the server's key as served and fresh AES material.
    pub fn ask(&self, id: &str, headers: &[(&str, &str)], chat: &Value) -> Result<Answer, ureq::Error> {
        self.ask_text(id, headers, &chat.to_string())
    }

    /// The same with a request as it is written.
    pub fn ask_text(&self, id: &str, headers: &[(&str, &str)], chat: &str) -> Result<Answer, ureq::Error> {
        let server_key = self.get("/pki/public_key")?;
        assert_eq!(server_key.status, 200);
        let server_key = String::from_utf8(server_key.body).expect("PEM");
        self.post_package(id, headers, &package(&server_key, chat))
    }

    pub fn ask_with_key(
        &self,
        server_key: &str,
        id: &str,
        headers: &[(&str, &str)],
        chat: &Value,
    ) -> Result<Answer, ureq::Error> {
        self.post_package(id, headers, &package(server_key, &chat.to_string()))
    }

    fn post_package(&self, id: &str, headers: &[(&str, &str)], package: &str) -> Result<Answer, ureq::Error> {
        let public = utf8_percent_encode(&fixture("keys/client_public.pem"), NON_ALPHANUMERIC).to_string();
        let mut all = vec![("X-Payload-ID", id), ("X-Public-Key", public.as_str())];
        all.extend_from_slice(headers);
        self.post("/v1/chat/secure_completion", &all, package.as_bytes())
    }

    /// Asks for a fault, as the user "hello".
    pub fn ask_for(&self, id: &str, fault: Value) -> Result<Answer, ureq::Error> {
        self.ask(id, &[], &json!({"messages": [{"role": "user", "content": "hello"}], "nomyo_test": fault}))
    }

    pub fn control(&self, path: &str, body: &str) -> Answer {
        self.post(path, &[], body.as_bytes()).expect("control answers")
    }
}

fn finish(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let body = response.body_mut().read_to_vec()?;
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

fn package(server_key: &str, chat: &str) -> String {
    let server_key = RsaPublicKey::from_public_key_pem(server_key.trim()).expect("an SPKI key");
    let (mut key, mut nonce) = ([0; 32], [0; 12]);
    getrandom::fill(&mut key).expect("random bytes");
    getrandom::fill(&mut nonce).expect("random bytes");
    let mut text = chat.as_bytes().to_vec();
    let tag = Aes256Gcm::new_from_slice(&key)
        .expect("32 bytes")
        .encrypt_inout_detached(&nonce.into(), &[], text.as_mut_slice().into())
        .expect("it encrypts");
    let wrapped = server_key.encrypt(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), &key).expect("it wraps");
    json!({
        "version": "1.0",
        "algorithm": "hybrid-aes256-rsa4096",
        "encrypted_payload": {
            "ciphertext": STANDARD.encode(text),
            "nonce": STANDARD.encode(nonce),
            "tag": STANDARD.encode(tag),
        },
        "encrypted_aes_key": STANDARD.encode(wrapped),
        "key_algorithm": "RSA-OAEP-SHA256",
        "payload_algorithm": "AES-256-GCM",
    })
    .to_string()
}
