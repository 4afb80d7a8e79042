//! The hybrid package: RSA-OAEP around an AES key, AES-256-GCM around the JSON.
//!
//! Reading is strict, because a client that is lenient here would fail at the real server.
//! Everything that depends on a key fails with the same words, "Decryption failed"; what can be
//! seen without a key is named.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys::{ClientKey, ServerKey, random};
use crate::response::Response;

const VERSION: &str = "1.0";
const ALGORITHM: &str = "hybrid-aes256-rsa4096";
const KEY_ALGORITHM: &str = "RSA-OAEP-SHA256";
const PAYLOAD_ALGORITHM: &str = "AES-256-GCM";
const NONCE: usize = 12;
const TAG: usize = 16;
const KEY: usize = 32;

/// The package as JSON, members in the order of the wire.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    version: String,
    algorithm: String,
    encrypted_payload: Payload,
    encrypted_aes_key: String,
    key_algorithm: String,
    payload_algorithm: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    ciphertext: String,
    nonce: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    package: Package,
    #[serde(skip_serializing_if = "Option::is_none")]
    processed_at: Option<&'a Value>,
}

/// A request after decryption.
pub(crate) struct Opened {
    pub plaintext: Vec<u8>,
    pub aes_key: Vec<u8>,
}

/// Decrypts a request package.
pub(crate) fn open(body: &[u8], key: &ServerKey) -> Result<Opened, Response> {
    // The error would quote a body that is no package, which may be a prompt that nobody encrypted.
    let package: Package = serde_json::from_slice(body).map_err(|error| {
        invalid(&format!("a member is missing, unknown or wrong, line {} column {}", error.line(), error.column()))
    })?;
    for (name, value, expected) in [
        ("version", &package.version, VERSION),
        ("algorithm", &package.algorithm, ALGORITHM),
        ("key_algorithm", &package.key_algorithm, KEY_ALGORITHM),
        ("payload_algorithm", &package.payload_algorithm, PAYLOAD_ALGORITHM),
    ] {
        if value != expected {
            return Err(invalid(&format!("{name} must be {expected}")));
        }
    }
    let payload = &package.encrypted_payload;
    let wrapped = decode("encrypted_aes_key", &package.encrypted_aes_key)?;
    let nonce = decode("nonce", &payload.nonce)?;
    let mut text = decode("ciphertext", &payload.ciphertext)?;
    let tag = match &payload.tag {
        Some(tag) => decode("tag", tag)?,
        // The JS form: the tag is the end of the ciphertext.
        None => text.split_off(text.len().saturating_sub(TAG)),
    };
    let nonce = Nonce::try_from(nonce.as_slice()).map_err(|_| invalid("nonce must be 12 bytes"))?;
    let tag = Tag::try_from(tag.as_slice()).map_err(|_| invalid("tag must be 16 bytes"))?;

    let aes_key = key.unwrap(&wrapped).ok_or_else(decryption_failed)?;
    let cipher = Aes256Gcm::new_from_slice(&aes_key).map_err(|_| decryption_failed())?;
    cipher.decrypt_inout_detached(&nonce, &[], text.as_mut_slice().into(), &tag).map_err(|_| decryption_failed())?;
    Ok(Opened { plaintext: text, aes_key })
}

/// An answer, encrypted but not yet written as JSON.
pub(crate) struct Sealed {
    pub aes_key: Vec<u8>,
    pub wrapped: Vec<u8>,
    pub nonce: Vec<u8>,
    pub ciphertext: Vec<u8>,
    pub tag: Vec<u8>,
}

/// Encrypts an answer to the client's key, with a fresh AES key and nonce.
pub(crate) fn seal(plaintext: &[u8], client: &ClientKey) -> Sealed {
    seal_as::<Aes256Gcm>(plaintext, client, KEY, NONCE)
}

/// The same with another cipher, for the packages that a client must refuse. The lengths are those
/// of `C`.
pub(crate) fn seal_as<C: KeyInit + AeadInOut>(
    plaintext: &[u8],
    client: &ClientKey,
    key_length: usize,
    nonce_length: usize,
) -> Sealed {
    let aes_key = random(key_length);
    let nonce = random(nonce_length);
    let cipher = C::new_from_slice(&aes_key).expect("the caller gives the cipher's key length");
    let mut ciphertext = plaintext.to_vec();
    let tag = cipher
        .encrypt_inout_detached(
            nonce.as_slice().try_into().expect("the caller gives the cipher's nonce length"),
            &[],
            ciphertext.as_mut_slice().into(),
        )
        .expect("an answer is shorter than 64 GiB");
    Sealed { wrapped: client.wrap(&aes_key), aes_key, nonce, ciphertext, tag: tag.to_vec() }
}

impl Sealed {
    /// The package as JSON. In the JS form the tag is the end of the ciphertext.
    pub fn to_json(&self, js_form: bool, processed_at: Option<&Value>) -> String {
        let (ciphertext, tag) = if js_form {
            ([self.ciphertext.as_slice(), &self.tag].concat(), None)
        } else {
            (self.ciphertext.clone(), Some(STANDARD.encode(&self.tag)))
        };
        let package = Package {
            version: VERSION.to_owned(),
            algorithm: ALGORITHM.to_owned(),
            encrypted_payload: Payload {
                ciphertext: STANDARD.encode(ciphertext),
                nonce: STANDARD.encode(&self.nonce),
                tag,
            },
            encrypted_aes_key: STANDARD.encode(&self.wrapped),
            key_algorithm: KEY_ALGORITHM.to_owned(),
            payload_algorithm: PAYLOAD_ALGORITHM.to_owned(),
        };
        serde_json::to_string(&Answer { package, processed_at }).expect("strings and a JSON value always serialise")
    }
}

fn decode(name: &str, text: &str) -> Result<Vec<u8>, Response> {
    STANDARD.decode(text).map_err(|_| invalid(&format!("{name} is not canonical base64")))
}

fn invalid(what: &str) -> Response {
    Response::detail(400, &format!("Invalid package: {what}"))
}

fn decryption_failed() -> Response {
    Response::detail(400, "Decryption failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn key(name: &str) -> ServerKey {
        ServerKey::from_pem(&fixtures::text(name)).expect("the fixture's key")
    }

    fn detail(refused: Result<Opened, Response>) -> String {
        let response = refused.err().expect("it must be refused");
        assert_eq!(response.status, 400);
        String::from_utf8(response.body).expect("JSON is UTF-8")
    }

    #[test]
    fn opens_what_the_python_sdk_sealed() {
        let key = key("keys/server_private.pem");
        let manifest = fixtures::json("manifest.json");
        let requests = manifest["requests"].as_array().expect("a list");
        assert!(!requests.is_empty());
        for request in requests {
            let path = |member: &str| request[member].as_str().expect("a path").to_owned();
            let opened = open(&fixtures::bytes(&path("package")), &key).expect("it opens");
            assert_eq!(opened.plaintext, fixtures::bytes(&path("plaintext")));
            let meta = fixtures::json(&path("meta"));
            assert_eq!(base16ct::lower::encode_string(&opened.aes_key), meta["aes_key_hex"]);
        }
    }

    #[test]
    fn opens_the_js_form() {
        let opened = open(&fixtures::bytes("js_variant/request.package.json"), &key("keys/server_private.pem"));
        assert!(serde_json::from_slice::<Value>(&opened.expect("it opens").plaintext).is_ok());
    }

    #[test]
    fn what_it_seals_opens_with_the_clients_key_in_both_forms() {
        let client = ClientKey::from_pem(&fixtures::text("keys/client_public.pem")).expect("the fixture's key");
        let private = key("keys/client_private.pem");
        let sealed = seal(b"{}", &client);
        for js_form in [false, true] {
            let opened = open(sealed.to_json(js_form, None).as_bytes(), &private).expect("it opens");
            assert_eq!((opened.plaintext.as_slice(), &opened.aes_key), (b"{}".as_slice(), &sealed.aes_key));
        }
    }

    #[test]
    fn every_key_dependent_failure_reads_the_same() {
        let body = fixtures::bytes("requests/req_01_minimal.package.json");
        let other_key = detail(open(&body, &key("keys/other_private.pem")));
        let other_size = detail(open(&body, &key("keys/client2048_private.pem")));
        let mut package: Value = serde_json::from_slice(&body).expect("JSON");
        package["encrypted_payload"]["tag"] = STANDARD.encode([0; TAG]).into();
        let other_tag = detail(open(package.to_string().as_bytes(), &key("keys/server_private.pem")));
        for detail in [other_key, other_size, other_tag] {
            assert_eq!(detail, r#"{"detail":"Decryption failed"}"#);
        }
    }

    #[test]
    fn members_are_checked_exactly() {
        let key = key("keys/server_private.pem");
        let right = fixtures::json("requests/req_01_minimal.package.json");
        let refuse = |change: &dyn Fn(&mut Value)| {
            let mut package = right.clone();
            change(&mut package);
            assert!(detail(open(package.to_string().as_bytes(), &key)).contains("Invalid package"), "{package}");
        };
        for member in ["version", "algorithm", "key_algorithm", "payload_algorithm"] {
            refuse(&|package| package[member] = "other".into());
            refuse(&|package| drop(package.as_object_mut().expect("an object").remove(member)));
        }
        refuse(&|package| package["processed_at"] = 1.into());
        refuse(&|package| package["encrypted_payload"]["aad"] = "".into());
        refuse(&|package| package["encrypted_payload"]["nonce"] = "AAAAAAAAAAA=".into());
        refuse(&|package| package["encrypted_payload"]["tag"] = "AAAA".into());
        refuse(&|package| package["encrypted_payload"]["ciphertext"] = "YQ".into());
        refuse(&|package| package["encrypted_payload"]["ciphertext"] = "YR==".into());
        refuse(&|package| package["encrypted_payload"]["ciphertext"] = "Y W==".into());
    }
}
