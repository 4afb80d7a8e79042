//! Every defect of `tests/fixtures/protocol/manifest.json`, produced on a fresh answer to this
//! client's key.
//!
//! A fixture shows one package for one key; a client with a key of its own needs the same defect on
//! an answer that is otherwise right. The names are those of the manifest, and a test holds the two
//! lists together.

use aes_gcm::aes::Aes192;
use aes_gcm::aes::cipher::consts::{U8, U12};
use aes_gcm::{Aes128Gcm, AesGcm};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use crate::keys::{ClientKey, random};
use crate::object::Object;
use crate::package::{Sealed, seal, seal_as};

/// Where in the making of an answer the defect is put in.
#[derive(Clone, Copy)]
enum Defect {
    /// There is no package: this is the body.
    Body(&'static [u8]),
    /// Something else than the answer is sealed.
    Plaintext(fn(&str) -> Vec<u8>),
    /// The sealing itself is wrong.
    Seal(fn(&[u8], &ClientKey) -> Sealed),
    /// A member of the package is changed.
    Member(fn(&mut Value)),
    /// A member is changed, which shows only on what was sealed for it.
    SealAndMember(fn(&[u8], &ClientKey) -> Sealed, fn(&mut Value)),
    /// The JSON text of the package is changed.
    Text(fn(String) -> Vec<u8>),
}

use Defect::{Body, Member, Plaintext, Seal, SealAndMember, Text};

const DEFECTS: &[(&str, Defect)] = &[
    ("empty_body", Body(b"")),
    ("not_json", Body(b"<html>502</html>")),
    ("truncated_json", Text(|text| text.as_bytes()[..text.len() - 20].to_vec())),
    ("utf8_bom", Text(|text| format!("\u{feff}{text}").into_bytes())),
    ("json_number", Body(b"3")),
    ("json_null", Body(b"null")),
    ("missing_version", Member(|package| remove(package, &["version"]))),
    (
        "missing_three",
        Member(|package| remove(package, &["algorithm", "encrypted_payload", "encrypted_aes_key", "processed_at"])),
    ),
    ("version_number", Member(|package| package["version"] = json!(1.0))),
    ("algorithm_other", Member(|package| package["algorithm"] = json!("hybrid-aes128-rsa2048"))),
    ("payload_not_object", Member(|package| package["encrypted_payload"] = json!("abc"))),
    ("payload_missing_tag", Member(|package| remove(&mut package["encrypted_payload"], &["tag"]))),
    ("rsa_wrong_key", Seal(|answer, client| seal(answer, &ClientKey::of_nobody(client.bits())))),
    ("rsa_wrong_key_2048", Seal(|answer, _| seal(answer, &ClientKey::of_nobody(2048)))),
    ("rsa_empty", Member(|package| package["encrypted_aes_key"] = json!(""))),
    ("rsa_not_base64_length", Member(|package| package["encrypted_aes_key"] = json!("QUJDR"))),
    ("rsa_non_ascii", Member(|package| package["encrypted_aes_key"] = json!("é"))),
    ("ciphertext_bit_flip", Member(|package| edit(package, "ciphertext", |bytes| bytes[0] ^= 1))),
    ("nonce_bit_flip", Member(|package| edit(package, "nonce", |bytes| bytes[0] ^= 1))),
    ("ciphertext_truncated", Member(|package| edit(package, "ciphertext", |bytes| bytes.truncate(bytes.len() - 1)))),
    ("tag_12_bytes", Member(|package| edit(package, "tag", |bytes| bytes.truncate(12)))),
    ("tag_17_bytes", Member(|package| edit(package, "tag", |bytes| bytes.push(0)))),
    ("tag_null", Member(|package| package["encrypted_payload"]["tag"] = Value::Null)),
    ("nonce_empty", Member(|package| package["encrypted_payload"]["nonce"] = json!(""))),
    ("nonce_129_bytes", Member(|package| edit(package, "nonce", |bytes| *bytes = vec![b'n'; 129]))),
    ("nonce_base64_15_chars", Member(|package| rewrite(package, "nonce", |text| text[..15].to_owned()))),
    ("base64url_alphabet", SealAndMember(seal_with_alphabet_marks, change_alphabet)),
    ("aes_key_31_bytes", Seal(seal_with_31_byte_key)),
    ("plaintext_empty", Plaintext(|_| Vec::new())),
    ("plaintext_not_json", Plaintext(|_| b"hello".to_vec())),
    ("plaintext_trailing_garbage", Plaintext(|_| b"{}x".to_vec())),
    ("plaintext_array", Plaintext(|_| b"[1]".to_vec())),
    ("plaintext_null", Plaintext(|_| b"null".to_vec())),
    ("plaintext_string", Plaintext(|_| b"\"s\"".to_vec())),
    ("metadata_array", Plaintext(|answer| with_metadata(answer, "[]"))),
    ("metadata_string", Plaintext(|answer| with_metadata(answer, "\"x\""))),
    ("plaintext_huge_int", Plaintext(|_| format!("{{\"a\":{}}}", "9".repeat(5000)).into_bytes())),
    ("aes128_key", Seal(|answer, client| seal_as::<Aes128Gcm>(answer, client, 16, 12))),
    ("aes192_key", Seal(|answer, client| seal_as::<AesGcm<Aes192, U12>>(answer, client, 24, 12))),
    ("nonce_8_bytes", Seal(|answer, client| seal_as::<AesGcm<aes_gcm::aes::Aes256, U8>>(answer, client, 32, 8))),
    ("base64_line_breaks", Member(|package| rewrite(package, "ciphertext", break_lines))),
    ("base64_extra_padding", Member(|package| rewrite(package, "nonce", |text| format!("{text}====")))),
    ("duplicate_keys_last_wins", Text(|text| text.replacen('{', r#"{"version":"9.9","#, 1).into_bytes())),
    ("plaintext_utf16", Plaintext(utf16)),
    ("plaintext_nan", Plaintext(|_| b"{\"a\": NaN, \"b\": Infinity}".to_vec())),
    // A right answer: the oddity is the client's own 2048-bit key under an algorithm name that says
    // 4096.
    ("rsa2048_client", Seal(seal)),
    ("choices_missing", Plaintext(|_| b"{}".to_vec())),
];

/// An answer with a defect: the body, and the AES key when there is one.
pub(crate) struct Malformed {
    pub body: Vec<u8>,
    pub aes_key: Option<Vec<u8>>,
}

/// Makes the answer with the defect `name`, or `None` when there is no such name.
pub(crate) fn make(name: &str, answer: &str, client: &ClientKey, processed_at: Option<&Value>) -> Option<Malformed> {
    let (_, defect) = DEFECTS.iter().find(|(own, _)| *own == name)?;
    let sealed = match defect {
        Body(body) => {
            return Some(Malformed { body: body.to_vec(), aes_key: None });
        }
        Plaintext(other) => seal(&other(answer), client),
        Seal(other) | SealAndMember(other, _) => other(answer.as_bytes(), client),
        Member(_) | Text(_) => seal(answer.as_bytes(), client),
    };
    let text = sealed.to_json(false, processed_at);
    let body = match defect {
        Member(change) | SealAndMember(_, change) => change_member(&text, *change),
        Text(change) => change(text),
        _ => text.into_bytes(),
    };
    Some(Malformed { body, aes_key: Some(sealed.aes_key) })
}

fn change_member(text: &str, change: fn(&mut Value)) -> Vec<u8> {
    let mut package: Value = serde_json::from_str(text).expect("our own package is JSON");
    change(&mut package);
    package.to_string().into_bytes()
}

fn remove(object: &mut Value, names: &[&str]) {
    for name in names {
        object.as_object_mut().expect("the package and its payload are objects").remove(*name);
    }
}

fn rewrite(package: &mut Value, name: &str, change: impl Fn(String) -> String) {
    let member = &mut package["encrypted_payload"][name];
    *member = change(member.as_str().expect("a member of the payload is a string").to_owned()).into();
}

fn edit(package: &mut Value, name: &str, change: impl Fn(&mut Vec<u8>)) {
    rewrite(package, name, |text| {
        let mut bytes = STANDARD.decode(text).expect("our own base64");
        change(&mut bytes);
        STANDARD.encode(bytes)
    });
}

fn change_alphabet(package: &mut Value) {
    rewrite(package, "ciphertext", |text| URL_SAFE.encode(STANDARD.decode(text).expect("our own base64")));
}

fn break_lines(text: String) -> String {
    let lines: Vec<&[u8]> = text.as_bytes().chunks(76).collect();
    // After every line, the last included: a short answer has a break as well.
    String::from_utf8(lines.join(&b'\n')).expect("base64 is ASCII") + "\n"
}

fn with_metadata(answer: &str, metadata: &str) -> Vec<u8> {
    let Some(mut object) = Object::read(answer.as_bytes()) else {
        return answer.as_bytes().to_vec();
    };
    object.take("_metadata");
    object.to_text(Some(("_metadata", metadata))).into_bytes()
}

fn utf16(answer: &str) -> Vec<u8> {
    let text = format!("\u{feff}{answer}");
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Seals until the ciphertext has a `+` or `/`, so that the other alphabet shows.
fn seal_with_alphabet_marks(answer: &[u8], client: &ClientKey) -> Sealed {
    loop {
        let sealed = seal(answer, client);
        if STANDARD.encode(&sealed.ciphertext).contains(['+', '/']) {
            return sealed;
        }
    }
}

/// No cipher has such a key, so nothing is encrypted.
fn seal_with_31_byte_key(_: &[u8], client: &ClientKey) -> Sealed {
    let aes_key = random(31);
    let wrapped = client.wrap(&aes_key);
    Sealed { aes_key, wrapped, nonce: random(12), ciphertext: vec![b'x'; 42], tag: vec![b't'; 16] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::keys::ServerKey;
    use crate::package::open;

    /// The manifest's names, copied, so that a name that goes missing there is noticed as well.
    #[rustfmt::skip]
    const NAMES: &[&str] = &[
        "empty_body", "not_json", "truncated_json", "utf8_bom", "json_number", "json_null",
        "missing_version", "missing_three", "version_number", "algorithm_other",
        "payload_not_object", "payload_missing_tag", "rsa_wrong_key", "rsa_wrong_key_2048",
        "rsa_empty", "rsa_not_base64_length", "rsa_non_ascii", "ciphertext_bit_flip",
        "nonce_bit_flip", "ciphertext_truncated", "tag_12_bytes", "tag_17_bytes", "tag_null",
        "nonce_empty", "nonce_129_bytes", "nonce_base64_15_chars", "base64url_alphabet",
        "aes_key_31_bytes", "plaintext_empty", "plaintext_not_json", "plaintext_trailing_garbage",
        "plaintext_array", "plaintext_null", "plaintext_string", "metadata_array",
        "metadata_string", "plaintext_huge_int", "aes128_key", "aes192_key", "nonce_8_bytes",
        "base64_line_breaks", "base64_extra_padding", "duplicate_keys_last_wins", "plaintext_utf16",
        "plaintext_nan", "rsa2048_client", "choices_missing",
    ];

    /// The manifest's cases: name and file.
    fn cases() -> Vec<(String, String)> {
        let manifest = fixtures::json("manifest.json");
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        ["malformed", "lenient"]
            .iter()
            .flat_map(|list| manifest[list].as_array().expect("a list").clone())
            .map(|case| (text(&case["name"]), text(&case["file"])))
            .collect()
    }

    #[test]
    fn every_defect_of_the_manifest_is_known() {
        let manifest: Vec<String> = cases().into_iter().map(|(name, _)| name).collect();
        let known: Vec<&str> = DEFECTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(manifest, NAMES);
        assert_eq!(known, NAMES);
    }

    /// How a strict reader with the right key sees a package.
    fn verdict(body: &[u8], key: &ServerKey) -> String {
        match open(body, key) {
            Err(refusal) => String::from_utf8_lossy(&refusal.body).split(':').take(2).collect(),
            Ok(opened) => match serde_json::from_slice::<Value>(&opened.plaintext) {
                Err(_) => "opens, not JSON".to_owned(),
                Ok(answer) => format!("opens, {}, metadata {}", kind(&answer), kind(&answer["_metadata"])),
            },
        }
    }

    fn kind(value: &Value) -> &'static str {
        match value {
            Value::Null => "null",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::String(_) => "string",
            _ => "scalar",
        }
    }

    #[test]
    fn each_defect_looks_to_a_strict_reader_like_its_fixture() {
        let load = |name: &str| {
            let private = ServerKey::from_pem(&fixtures::text(&format!("keys/{name}_private.pem")));
            let public = ClientKey::from_pem(&fixtures::text(&format!("keys/{name}_public.pem")));
            (private.expect("the fixture's key"), public.expect("the fixture's key"))
        };
        let (large, small) = (load("client"), load("client2048"));
        let answer = json!({"choices": [{"message": {"content": "x".repeat(100)}}]}).to_string();
        for (name, file) in cases() {
            let (private, public) = if name == "rsa2048_client" { &small } else { &large };
            let made = make(&name, &answer, public, None).expect("the name is known");
            let expected = match name.as_str() {
                // The fixture has lost two members besides, which a strict reader notices first.
                "aes_key_31_bytes" => r#"{"detail""Decryption failed"}"#.to_owned(),
                _ => verdict(&fixtures::bytes(&file), private),
            };
            assert_eq!(verdict(&made.body, private), expected, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_not_made() {
        let client = ClientKey::of_nobody(2048);
        assert!(make("no_such_defect", "{}", &client, None).is_none());
    }
}
