//! The packages that the official Python SDK 0.2.9 made or judged, and what this client decides of each.

use serde_json::Value;

use super::open::Answer;
use super::package::Package;
use super::{Expected, Tier, open, seal};
use crate::crypto::{self, KeyPair, PublicKey};
use crate::error::{Result, Status};
use crate::json::Walk;
use crate::memory::WireBuf;

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/protocol/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).expect("the fixture is JSON")
}

fn manifest() -> Value {
    json("manifest.json")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("the manifest has no {name}"))
}

fn pair(name: &str) -> KeyPair {
    let der = pem_rfc7468::decode_vec(&fixture(name)).expect("the fixture is PEM").1;
    KeyPair::from_pkcs8(&der).expect("the fixture is a good key")
}

const CLIENT: &str = "keys/client_private.pem";
const ID: &str = "0b0e9a8e-5b8f-4f7a-9f5e-1d2c3b4a5968";

fn opened(body: &[u8], pair: &KeyPair, payload_id: &str) -> Result<Value> {
    let answer = open(body, pair, &Expected { payload_id, tier: None })?;
    let (nul, json) = answer.json.split_last().expect("at least the NUL");
    assert_eq!(*nul, 0);
    Ok(serde_json::from_slice(json).expect("what is opened is JSON"))
}

fn plaintext_of_request(package: &[u8], server: &KeyPair) -> Vec<u8> {
    let package = Package::read(package, server.modulus_len().expect("this process's")).expect("a package");
    let mut out = vec![0; package.ciphertext_len + crypto::TAG_LEN];
    package.decode_ciphertext(&mut out).expect("base64");
    out.truncate(package.ciphertext_len);
    let key = server.unwrap_key(&package.wrapped_key).expect("a key");
    crypto::open(&key, &package.nonce, &package.tag, &mut out).expect("the server's key opens it");
    out
}

#[test]
fn every_request_of_the_sdk_decrypts_to_its_plaintext() {
    let server = pair("keys/server_private.pem");
    let requests = manifest();
    let requests = requests["requests"].as_array().expect("a list");
    assert_eq!(requests.len(), 4);
    for request in requests {
        let plaintext = plaintext_of_request(&fixture(text(request, "package")), &server);
        assert_eq!(plaintext, fixture(text(request, "plaintext")), "{}", text(request, "name"));
    }
}

#[test]
fn every_response_opens_to_the_expected_object_with_metadata_in_order() {
    let client = pair(CLIENT);
    let responses = manifest();
    let responses = responses["responses"].as_array().expect("a list");
    assert_eq!(responses.len(), 4);
    for response in responses {
        let (mut expected, mut id) = (json(text(response, "expected")), text(response, "payload_id"));
        if text(response, "name") == "outer_processed_at_missing" {
            // Decided otherwise than in the SDK: the answer names another request, so it opens as that one's alone,
            // and an inner processed_at survives when there is no outer one.
            let refused = opened(&fixture(text(response, "package")), &client, id).expect_err("another request's");
            assert_eq!(refused.status(), Status::Security);
            id = "server-side-id";
            expected["_metadata"]["payload_id"] = id.into();
            expected["_metadata"]["processed_at"] = 1_765_250_382.into();
        }
        let answer = opened(&fixture(text(response, "package")), &client, id).expect("a good answer");
        assert_eq!(answer, expected, "{}", text(response, "name"));
        let order: Vec<_> = answer["_metadata"].as_object().expect("an object").keys().cloned().collect();
        assert_eq!(serde_json::to_value(order).expect("a list"), response["metadata_key_order"]);
    }
}

#[test]
fn the_javascript_form_with_the_tag_behind_the_ciphertext_is_read() {
    let answer = opened(&fixture("js_variant/response.package.json"), &pair(CLIENT), ID).expect("a good answer");
    let mut expected = json("js_variant/response.plaintext.json");
    expected["_metadata"] = answer["_metadata"].clone();
    assert_eq!(answer, expected);
    let request = fixture("js_variant/request.package.json");
    let plaintext = plaintext_of_request(&request, &pair("keys/server_private.pem"));
    assert!(plaintext.starts_with(b"{"));
}

/// What is decided for each package that is malformed, or that the SDK accepts too easily. `None`: it opens.
const DECIDED: [(&str, Option<Status>); 47] = [
    ("empty_body", Some(Status::Protocol)),
    ("not_json", Some(Status::Protocol)),
    ("truncated_json", Some(Status::Protocol)),
    ("utf8_bom", Some(Status::Protocol)),
    ("json_number", Some(Status::Protocol)),
    ("json_null", Some(Status::Protocol)),
    ("missing_version", Some(Status::Protocol)),
    ("missing_three", Some(Status::Protocol)),
    ("version_number", Some(Status::Protocol)),
    ("algorithm_other", Some(Status::Protocol)),
    ("payload_not_object", Some(Status::Protocol)),
    // Read as the JavaScript form, whose tag it does not have.
    ("payload_missing_tag", Some(Status::Security)),
    ("rsa_wrong_key", Some(Status::Security)),
    ("rsa_wrong_key_2048", Some(Status::Protocol)),
    ("rsa_empty", Some(Status::Protocol)),
    ("rsa_not_base64_length", Some(Status::Protocol)),
    ("rsa_non_ascii", Some(Status::Protocol)),
    ("ciphertext_bit_flip", Some(Status::Security)),
    ("nonce_bit_flip", Some(Status::Security)),
    ("ciphertext_truncated", Some(Status::Security)),
    ("tag_12_bytes", Some(Status::Protocol)),
    ("tag_17_bytes", Some(Status::Protocol)),
    ("tag_null", Some(Status::Protocol)),
    ("nonce_empty", Some(Status::Protocol)),
    ("nonce_129_bytes", Some(Status::Protocol)),
    ("nonce_base64_15_chars", Some(Status::Protocol)),
    ("base64url_alphabet", Some(Status::Protocol)),
    ("aes_key_31_bytes", Some(Status::Security)),
    ("plaintext_empty", Some(Status::Security)),
    ("plaintext_not_json", Some(Status::Security)),
    ("plaintext_trailing_garbage", Some(Status::Security)),
    ("plaintext_array", Some(Status::Security)),
    ("plaintext_null", Some(Status::Security)),
    ("plaintext_string", Some(Status::Security)),
    ("metadata_array", None),
    ("metadata_string", None),
    ("plaintext_huge_int", None),
    ("aes128_key", Some(Status::Security)),
    ("aes192_key", Some(Status::Security)),
    ("nonce_8_bytes", Some(Status::Protocol)),
    ("base64_line_breaks", Some(Status::Protocol)),
    ("base64_extra_padding", Some(Status::Protocol)),
    ("duplicate_keys_last_wins", Some(Status::Protocol)),
    ("plaintext_utf16", Some(Status::Security)),
    ("plaintext_nan", Some(Status::Security)),
    ("rsa2048_client", None),
    ("choices_missing", None),
];

#[test]
fn every_malformed_or_lenient_package_ends_as_decided() {
    let (client, client2048) = (pair(CLIENT), pair("keys/client2048_private.pem"));
    let manifest = manifest();
    let cases: Vec<_> =
        ["malformed", "lenient"].iter().flat_map(|set| manifest[set].as_array().expect("a list")).collect();
    assert_eq!(cases.len(), DECIDED.len());
    for case in cases {
        let name = text(case, "name");
        let decided =
            DECIDED.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is undecided")).1;
        let pair = if name == "rsa2048_client" { &client2048 } else { &client };
        let expected = Expected { payload_id: ID, tier: None };
        match (open(&fixture(text(case, "file")), pair, &expected), decided) {
            (Ok(answer), None) => assert!(String::from_utf8_lossy(&answer.json).contains(ID), "{name}"),
            (Err(error), Some(status)) => assert_eq!(error.status(), status, "{name}: {error}"),
            (Ok(_), Some(status)) => panic!("{name} opened; {status:?} is decided"),
            (Err(error), None) => panic!("{name} did not open: {error}"),
        }
    }
}

#[test]
fn all_decryption_failures_say_the_same() {
    let client = pair(CLIENT);
    let messages: Vec<_> = ["bad_19_rsa_wrong_key", "bad_26_ciphertext_bit_flip", "bad_44_plaintext_not_json"]
        .iter()
        .map(|name| {
            opened(&fixture(&format!("malformed/{name}.bin")), &client, ID).expect_err("it must fail").to_string()
        })
        .collect();
    assert!(messages.iter().all(|message| *message == messages[0]), "{messages:?}");
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let error = opened(&fixture("responses/resp_03_full_metadata_maximum_tier.package.json"), &pair(CLIENT), "other");
    let error = error.expect_err("another request's answer");
    assert_eq!(error.status(), Status::Security);
    assert!(error.message().contains("another request"));
}

/// A package around `plaintext`, as a server would seal it for `pair`.
fn answered(plaintext: &str, pair: &KeyPair) -> WireBuf {
    seal(plaintext.as_bytes(), &PublicKey::from_spki(pair.spki()).expect("a public key")).expect("sealed")
}

#[test]
fn what_is_sealed_opens_to_the_same_bytes_at_every_length() {
    let server = pair("keys/server_private.pem");
    let public = PublicKey::from_spki(server.spki()).expect("a public key");
    for len in (0..100).chain([3071, 3072, 3073, 6143, 100_000, 1_048_577]) {
        let payload: Vec<u8> = (0..=250).cycle().take(len).collect();
        let package = seal(&payload, &public).expect("sealed");
        assert_eq!(plaintext_of_request(&package, &server), payload, "{len} bytes");
    }
}

#[test]
fn a_request_package_has_the_six_members_in_order_and_nothing_else() {
    let server = pair("keys/server_private.pem");
    let package = answered("{}", &server);
    let package: Value = serde_json::from_slice(&package).expect("JSON");
    let names: Vec<_> = package.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected =
        ["version", "algorithm", "encrypted_payload", "encrypted_aes_key", "key_algorithm", "payload_algorithm"];
    assert_eq!(names, expected);
    let inner: Vec<_> = package["encrypted_payload"].as_object().expect("an object").keys().cloned().collect();
    assert_eq!(inner, ["ciphertext", "nonce", "tag"]);
    assert_eq!(package["key_algorithm"], "RSA-OAEP-SHA256");
    assert_eq!(package["payload_algorithm"], "AES-256-GCM");
}

#[test]
fn two_seals_of_the_same_request_share_no_key_nonce_or_ciphertext() {
    let server = pair("keys/server_private.pem");
    let [a, b] = [(); 2].map(|()| serde_json::from_slice::<Value>(&answered("{\"a\":1}", &server)).expect("JSON"));
    assert_ne!(a["encrypted_aes_key"], b["encrypted_aes_key"]);
    assert_ne!(a["encrypted_payload"]["nonce"], b["encrypted_payload"]["nonce"]);
    assert_ne!(a["encrypted_payload"]["ciphertext"], b["encrypted_payload"]["ciphertext"]);
}

#[test]
fn a_tier_below_the_one_asked_for_is_refused_and_a_higher_one_is_not() {
    let client = pair("keys/client2048_private.pem");
    let judge = |given: &str, asked| {
        let body = answered(&format!("{{\"_metadata\":{{\"security_tier\":{given}}}}}"), &client);
        open(&body, &client, &Expected { payload_id: ID, tier: asked }).map(|_| ()).map_err(|e| e.status())
    };
    assert_eq!(judge("\"standard\"", None), Ok(()));
    assert_eq!(judge("\"high\"", Some(Tier::High)), Ok(()));
    assert_eq!(judge("\"maximum\"", Some(Tier::High)), Ok(()));
    assert_eq!(judge("\"standard\"", Some(Tier::High)), Err(Status::Security));
    assert_eq!(judge("\"unheard-of\"", Some(Tier::Standard)), Err(Status::Security));
    assert_eq!(judge("7", Some(Tier::Standard)), Err(Status::Security));
}

#[test]
fn metadata_is_merged_wherever_it_stands_and_the_rest_is_untouched() {
    let client = pair("keys/client2048_private.pem");
    let merged = |plaintext: &str| {
        let answer = open(&answered(plaintext, &client), &client, &Expected { payload_id: ID, tier: None });
        let merged = |a: Answer| {
            let json = String::from_utf8(a.json[..a.json.len() - 1].to_vec()).expect("UTF-8");
            let metadata: Value = serde_json::from_str(a.metadata().json).expect("an object");
            assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON")["_metadata"], metadata);
            json
        };
        answer.map(merged).map_err(|e| e.status())
    };
    let ours = format!(
        "{{\"payload_id\":\"{ID}\",\"processed_at\":null,\"is_encrypted\":true,\
         \"encryption_algorithm\":\"hybrid-aes256-rsa4096\"}}"
    );
    assert_eq!(merged("{}"), Ok(format!("{{\"_metadata\":{ours}}}")));
    assert_eq!(merged("{\"a\":1e5 }\n"), Ok(format!("{{\"a\":1e5 ,\"_metadata\":{ours}}}\n")));
    assert_eq!(merged("{\"_metadata\":null,\"b\" : [ ]}"), Ok(format!("{{\"_metadata\":{ours},\"b\" : [ ]}}")));
    assert_eq!(
        merged("{\"_metadata\":{\"is_encrypted\":false,\"x\":[1],\"is_encrypted\":0,\"processed_at\":5}}"),
        Ok(format!(
            "{{\"_metadata\":{{\"is_encrypted\":true,\"x\":[1],\"processed_at\":5,\"payload_id\":\"{ID}\",\
             \"encryption_algorithm\":\"hybrid-aes256-rsa4096\"}}}}"
        ))
    );
    assert_eq!(merged("{\"_metadata\":{},\"_metadata\":{}}"), Err(Status::Security));
    assert_eq!(merged(&format!("{{\"a\":{}1{}}}", "[".repeat(128), "]".repeat(128))), Err(Status::Security));
}

#[test]
fn the_answer_knows_whether_the_server_named_the_request() {
    let client = pair("keys/client2048_private.pem");
    let names = |plaintext: &str| {
        let answer = open(&answered(plaintext, &client), &client, &Expected { payload_id: ID, tier: None });
        let answer = answer.expect("an answer");
        assert!(answer.metadata().json.contains(ID), "the merge names it in any case");
        answer.metadata().names_request
    };
    assert!(names(&format!(r#"{{"_metadata":{{"payload\u005fid":"{ID}"}}}}"#)));
    for other in ["{}", r#"{"_metadata":null}"#, r#"{"_metadata":{"payload_id\ud800":7}}"#] {
        assert!(!names(other), "{other}");
    }
}

#[test]
fn an_answer_and_its_metadata_may_have_any_number_of_members() {
    let client = pair("keys/client2048_private.pem");
    let many = "\"x\":0,".repeat(150_000);
    let plaintext = format!("{{{many}\"_metadata\":{{{many}\"processed_at\":5}},\"a\":1}}");
    let answer = open(&answered(&plaintext, &client), &client, &Expected { payload_id: ID, tier: None });
    let answer = answer.expect("an answer");
    assert!(answer.metadata().json.starts_with(&format!("{{{many}\"processed_at\":5,\"payload_id\"")));
    assert!(answer.json.ends_with(b",\"a\":1}\0"));
}

#[test]
fn a_name_with_a_lone_surrogate_is_unknown_in_a_package_and_in_metadata() {
    let client = pair("keys/client2048_private.pem");
    let strange = r#"{"\ud800":1,"\ud801":{"\udfff":"\ud800"},"#;
    let inside = format!(r#"{strange}"_metadata":{strange}"a":1}}}}"#);
    let package = String::from_utf8(answered(&inside, &client).to_vec()).expect("UTF-8").replace('{', strange);
    let answer = open(package.as_bytes(), &client, &Expected { payload_id: ID, tier: None }).expect("an answer");
    assert!(answer.metadata().json.starts_with(&format!(r#"{strange}"a":1,"payload_id":"#)));
}

#[test]
fn long_strings_are_stepped_over_after_metadata_has_changed_its_length() {
    let client = pair("keys/client2048_private.pem");
    let long = "x\\n\\\\".repeat(2000);
    for (before, metadata) in
        [("\"b\":", "{}"), ("\"_metadata\":", "{}"), ("\"_metadata\":", &*format!("{{\"y\":\"{long}\"}}"))]
    {
        let plaintext = format!("{{\"a\":\"{long}\",{before}{metadata},\"c\":[\"{long}\",\"{long}\"],\"d\":1}}");
        let answer = open(&answered(&plaintext, &client), &client, &Expected { payload_id: ID, tier: None });
        let (text, long) = answer.expect("an answer").into_parts();
        let text = std::str::from_utf8(text.split_last().expect("a NUL").1).expect("UTF-8");
        let spans = |walk: Walk<'_>| walk.members().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>();
        assert_eq!(spans(Walk::with(text, &long, 0)), spans(Walk::over(text)));
        assert_eq!(text.match_indices("\"x").filter(|(at, _)| long.is_noted(*at)).count(), 3);
    }
}

#[test]
fn a_package_that_nests_too_deep_is_refused_with_that_sentence() {
    let body = format!("{{\"a\":{}1{}}}", "[".repeat(128), "]".repeat(128));
    let error = opened(body.as_bytes(), &pair("keys/client2048_private.pem"), ID).expect_err("too deep");
    assert_eq!(error.status(), Status::Protocol);
    assert!(error.message().contains("it nests deeper than 128 levels"), "{error}");
}
