//! Genuine quotes of a software TPM, and forgeries made without one, one for each mistake that a verifier has made.

use serde_json::Value;

use super::{Attestation, AttestationLevel, AttestationPolicy, FailedCheck, Metadata, of_answer, verify_attestation};
use crate::error::Status;

/// One line of a file: a block, and what it was made for.
pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) payload_id: String,
    pub(super) block: Value,
    /// `CONSISTENT`, or the name of the check that fails.
    expect: String,
}

impl Fixture {
    fn metadata(&self) -> String {
        serde_json::json!({ "payload_id": self.payload_id, "tpm_attestation": self.block }).to_string()
    }

    fn judged(&self, policy: &AttestationPolicy) -> Attestation {
        judged(&self.metadata(), &self.payload_id, true, policy)
    }
}

/// The verdict on an answer with `metadata`, which names its request.
fn judged(metadata: &str, payload_id: &str, must_have_quote: bool, policy: &AttestationPolicy) -> Attestation {
    of_answer(Metadata { json: metadata, names_request: true }, payload_id, must_have_quote, policy)
}

pub(super) fn genuine() -> Vec<Fixture> {
    read("swtpm.jsonl")
}

fn forged() -> Vec<Fixture> {
    read("forged.jsonl")
}

fn read(file: &str) -> Vec<Fixture> {
    let path = format!("{}/tests/fixtures/tpm/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let text_of = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let fixture = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        Fixture {
            name: text_of(&line, "name"),
            payload_id: text_of(&line, "payload_id"),
            expect: text_of(&line, "expect").split(' ').next().unwrap_or_default().to_owned(),
            block: line["tpm_attestation"].clone(),
        }
    };
    text.lines().map(fixture).collect()
}

fn report(verdict: &Attestation) -> Value {
    serde_json::from_str(&verdict.report()).expect("the report is JSON")
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name} is not in the report"))
}

/// A policy that allows the values of registers 0 and 7 of `block`.
fn baseline(block: &Value) -> AttestationPolicy {
    let mut policy = AttestationPolicy::new();
    for index in [0, 7] {
        let value = block["pcr_values"]["sha256"][index.to_string()].as_str().expect("a value");
        policy.allow_pcr("sha256", index, &"0".repeat(64)).expect("a value");
        policy.allow_pcr("sha256", index, value).expect("a value");
    }
    policy
}

#[test]
fn every_genuine_quote_is_consistent_and_never_more() {
    let fixtures = genuine();
    assert_eq!(fixtures.len(), 5);
    for fixture in fixtures {
        let verdict = fixture.judged(&AttestationPolicy::new());
        assert_eq!(verdict.level(), AttestationLevel::Consistent, "{}: {}", fixture.name, verdict.report());
        assert_eq!((verdict.failed_check(), verdict.warnings()), (None, 0), "{}: {}", fixture.name, verdict.report());
        let report = report(&verdict);
        assert_eq!(report["hardware_rooted"], false);
        let hierarchy = fixture.name.rsplit('-').next().expect("a name");
        let detail = check(&report, "TPM_QSIGNER")["detail"].as_str().expect("a text");
        assert!(detail.contains(hierarchy), "{}: {detail}", fixture.name);
        let facts = verdict.facts();
        assert!(facts.pcr_count == 3 && facts.clock > 0 && facts.clock_safe, "{}: {facts:?}", fixture.name);
        if hierarchy == "endorsement" {
            assert_eq!((facts.reset_count, facts.firmware_version), (1, 0x2019_1023_0016_3636));
        }
    }
}

#[test]
fn every_forgery_fails_the_check_that_it_was_made_for() {
    let fixtures = forged();
    assert_eq!(fixtures.len(), 25);
    assert_eq!(fixtures.iter().filter(|fixture| fixture.expect == "CONSISTENT").count(), 3);
    for fixture in fixtures {
        let verdict = fixture.judged(&AttestationPolicy::new());
        let failed = verdict.failed_check().map_or("CONSISTENT", |check| check.name);
        assert_eq!(failed, fixture.expect, "{}: {}", fixture.name, verdict.report());
        let level =
            if fixture.expect == "CONSISTENT" { AttestationLevel::Consistent } else { AttestationLevel::Invalid };
        assert_eq!(verdict.level(), level, "{}", fixture.name);
    }
}

#[test]
fn the_right_baseline_is_a_level_and_one_bit_off_is_invalid() {
    for fixture in genuine() {
        assert_eq!(fixture.judged(&baseline(&fixture.block)).level(), AttestationLevel::Baseline, "{}", fixture.name);
        let right = fixture.block["pcr_values"]["sha256"]["7"].as_str().expect("a value");
        for bit in 0..256 {
            let digit = u8::from_str_radix(&right[bit / 4..=bit / 4], 16).expect("a digit") ^ (1 << (bit % 4));
            let value = format!("{}{digit:x}{}", &right[..bit / 4], &right[bit / 4 + 1..]);
            let mut policy = AttestationPolicy::new();
            policy.allow_pcr("sha256", 7, &value).expect("a value");
            let verdict = fixture.judged(&policy);
            assert_eq!(verdict.level(), AttestationLevel::Invalid);
            assert_eq!(verdict.failed_check(), Some(FailedCheck { number: 7034, name: "TPM_PCR_BASELINE" }));
            assert_eq!(*verdict.facts(), super::AttestationFacts::default());
        }
        let mut policy = AttestationPolicy::new();
        policy.allow_pcr("sha256", 1, right).expect("a value");
        assert_eq!(
            fixture.judged(&policy).failed_check(),
            Some(FailedCheck { number: 7024, name: "TPM_PCR_REQUIRED_MISSING" })
        );
    }
}

#[test]
fn a_quote_for_another_request_is_invalid() {
    for fixture in genuine() {
        let id = fixture.payload_id.replace('6', "7");
        let verdict = judged(&fixture.metadata(), &id, false, &AttestationPolicy::new());
        assert_eq!(
            verdict.failed_check(),
            Some(FailedCheck { number: 7018, name: "TPM_NONCE_MISMATCH" }),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn a_sized_quote_is_a_quote_and_a_wrongly_sized_one_is_not() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    for mut fixture in genuine() {
        let quote = STANDARD.decode(fixture.block["quote_b64"].as_str().expect("a text")).expect("base64");
        let len = u16::try_from(quote.len()).expect("a short quote");
        for (size, level) in [
            (len, AttestationLevel::Consistent),
            (len + 1, AttestationLevel::Invalid),
            (len - 1, AttestationLevel::Invalid),
        ] {
            fixture.block["quote_b64"] = STANDARD.encode([&size.to_be_bytes()[..], &quote].concat()).into();
            assert_eq!(fixture.judged(&AttestationPolicy::new()).level(), level, "{} {size}", fixture.name);
        }
    }
}

#[test]
fn no_block_and_no_quote_are_levels_of_their_own_and_prove_nothing() {
    let judge = |metadata: &str| {
        let verdict = judged(metadata, "id", false, &AttestationPolicy::new());
        (verdict.level(), verdict.failed_check().map(|check| check.name))
    };
    let absent = (AttestationLevel::Absent, Some("TPM_ABSENT"));
    assert_eq!(judge("{}"), absent);
    assert_eq!(judge(r#"{"tpm_attestation":null}"#), absent);
    let unavailable = (AttestationLevel::Unavailable, Some("TPM_UNAVAILABLE"));
    assert_eq!(judge(r#"{"tpm_attestation":{"is_available":false}}"#), unavailable);
    assert_eq!(judge(r#"{"tpm_attestation":{"is_available":false,"quote_b64":7}}"#), unavailable);
}

#[test]
fn what_cannot_be_decoded_is_invalid_and_never_unknown() {
    let good = genuine().remove(0);
    let block = good.block.to_string();
    let text = |from: &str, to: &str| block.replacen(from, to, 1);
    let quote = good.block["quote_b64"].as_str().expect("a text").to_owned();
    let cases = [
        ("[]".to_owned(), "TPM_FIELD_MISSING"),
        ("7".to_owned(), "TPM_FIELD_MISSING"),
        ("{}".to_owned(), "TPM_UNAVAILABLE"),
        (text("\"is_available\":true", "\"is_available\":\"true\""), "TPM_UNAVAILABLE"),
        (text("\"is_available\":true", "\"is_available\":1"), "TPM_UNAVAILABLE"),
        (text("\"is_available\":true", "\"is_available\":true,\"is_available\":true"), "TPM_FIELD_MISSING"),
        (text("\"is_available\":true", "\"is_available\":true,\"is\\u005favailable\":false"), "TPM_FIELD_MISSING"),
        (text("\"pcr_banks\":", "\"quote_b64\":\"\",\"pcr_banks\":"), "TPM_FIELD_MISSING"),
        (text("quote_b64", "quote"), "TPM_FIELD_MISSING"),
        (text("signature_b64", "signature"), "TPM_FIELD_MISSING"),
        (text("aik_pubkey_b64", "aik_pubkey"), "TPM_FIELD_MISSING"),
        (text("pcr_banks", "pcr"), "TPM_FIELD_MISSING"),
        (text("pcr_values", "pcr"), "TPM_FIELD_MISSING"),
        (text("\"sha256:0,7,10\"", "[\"sha256:0,7,10\"]"), "TPM_FIELD_MISSING"),
        (text("\"7\":", "\"0\":"), "TPM_FIELD_MISSING"),
        (text("\"7\":", "\"\\u0030\":"), "TPM_FIELD_MISSING"),
        (text("{\"sha256\":{", "{\"sha256\":{},\"sha256\":{"), "TPM_FIELD_MISSING"),
        (text("{\"sha256\":{", "{\"sha1\":{},\"sha256\":{"), "TPM_PCR_SELECT_MISMATCH"),
        (text("{\"sha256\":{", "{\"SHA256\":{"), "TPM_PCR_SELECT_MISMATCH"),
        (text("\"7\":", "\"07\":"), "TPM_PCR_SELECT_MISMATCH"),
        (text("\"7\":", "\"+7\":"), "TPM_PCR_SELECT_MISMATCH"),
        (text("\"7\":", "\"8\":"), "TPM_PCR_SELECT_MISMATCH"),
        (text("\"7\":", "\"9\":\"\",\"7\":"), "TPM_PCR_SELECT_MISMATCH"),
        (text("sha256:0,7,10", "sha256:0,7"), "TPM_PCR_BANKS_TEXT"),
        (text("sha256:0,7,10", "sha256:0,7,10,11"), "TPM_PCR_BANKS_TEXT"),
        (text("\"0\":\"", "\"0\":\"0x"), "TPM_PCR_VALUE_FORMAT"),
        (text(&quote, &format!("{quote} ")), "TPM_BASE64"),
        (text(&quote, &format!("{}\\n{}", &quote[..8], &quote[8..])), "TPM_BASE64"),
        (text(&quote, &quote.replace('/', "_")), "TPM_BASE64"),
        (text(&quote, &format!("{quote}====")), "TPM_BASE64"),
        (text(&quote, ""), "TPM_SIG_INVALID"),
        (text(&quote, &"A".repeat(1368)), "TPM_OVERSIZE"),
        (text(&quote, &"A".repeat(100_000)), "TPM_OVERSIZE"),
        (text("sha256:0,7,10", &"0".repeat(513)), "TPM_OVERSIZE"),
        (text("{\"sha256\":{", "{\"a\":{},\"b\":{},\"c\":{},\"d\":{},\"sha256\":{"), "TPM_OVERSIZE"),
    ];
    for (block, expect) in cases {
        let metadata = format!("{{\"tpm_attestation\":{block}}}");
        let verdict = judged(&metadata, &good.payload_id, false, &AttestationPolicy::new());
        assert_eq!(verdict.level(), AttestationLevel::Invalid, "{block}");
        assert_eq!(verdict.failed_check().map(|check| check.name), Some(expect), "{block}");
    }
    let twice = format!("{{\"tpm_attestation\":{block},\"tpm_attestation\":{block}}}");
    let verdict = judged(&twice, &good.payload_id, false, &AttestationPolicy::new());
    assert_eq!(verdict.failed_check(), Some(FailedCheck { number: 7003, name: "TPM_FIELD_MISSING" }));
    assert_eq!(check(&report(&verdict), "TPM_FIELD_MISSING")["detail"], "the answer has two blocks");
}

#[test]
fn check_7019_says_ok_only_if_the_server_named_the_request() {
    let fixture = genuine().remove(0);
    let line = |verdict: &Attestation| {
        let report = report(verdict);
        let line = check(&report, "TPM_PAYLOAD_ID");
        assert_eq!(line["number"], 7019);
        ["result", "detail"].map(|member| line[member].as_str().expect("a text").to_owned())
    };
    let json = fixture.metadata();
    for (names_request, result, detail) in [(true, "ok", "is the request's"), (false, "skipped", "no payload id")] {
        let metadata = Metadata { json: &json, names_request };
        let verdict = of_answer(metadata, &fixture.payload_id, true, &AttestationPolicy::new());
        assert_eq!((verdict.level(), verdict.warnings()), (AttestationLevel::Consistent, 0));
        let [said, why] = line(&verdict);
        assert!(said == result && why.contains(detail), "{said}: {why}");
    }
    let block = fixture.block.to_string();
    let alone = verify_attestation(block.as_bytes(), &fixture.payload_id, &AttestationPolicy::new());
    assert_eq!(line(&alone.expect("a verdict"))[0], "skipped");
}

#[test]
fn names_with_lone_surrogates_are_neither_ours_nor_each_others() {
    let fixture = genuine().remove(0);
    let strange = r#""\ud800":1,"\ud801":2,"\udc00x":3,"\ud800":4,"#;
    let block = fixture.block.to_string().replacen('{', &format!("{{{strange}"), 1);
    let metadata = format!("{{{strange}\"tpm_attestation\":{block}}}");
    let verdict = judged(&metadata, &fixture.payload_id, true, &AttestationPolicy::new());
    assert_eq!(verdict.level(), AttestationLevel::Consistent, "{}", verdict.report());
    let without = format!("{{{strange}\"x\":0}}");
    let verdict = judged(&without, &fixture.payload_id, false, &AttestationPolicy::new());
    assert_eq!(verdict.level(), AttestationLevel::Absent, "{}", verdict.report());

    // Names of registers are compared with each other, too.
    let failure = |from: &str, to: &str| {
        let block = fixture.block.to_string().replacen(from, to, 1);
        let verdict = verify_attestation(block.as_bytes(), &fixture.payload_id, &AttestationPolicy::new());
        let verdict = verdict.expect("a verdict");
        let failed = verdict.failed_check().expect("a failed check").name;
        let detail = check(&report(&verdict), failed)["detail"].as_str().expect("a text").to_owned();
        (failed, detail)
    };
    let (failed, _) = failure("\"7\":", r#""\ud800":"","\ud801":"","7":"#);
    assert_eq!(failed, "TPM_PCR_SELECT_MISMATCH");
    let (failed, detail) = failure("\"7\":", r#""\ud800":"","\uD800":"","7":"#);
    assert_eq!((failed, detail.as_str()), ("TPM_FIELD_MISSING", "pcr_values has a name twice"));
    // A string with a lone surrogate is a string.
    let (failed, _) = failure("\"quote_b64\":\"", r#""quote_b64":"\ud800"#);
    assert_eq!(failed, "TPM_BASE64");
}

#[test]
fn a_block_and_its_metadata_may_have_any_number_of_other_members() {
    let fixture = genuine().remove(0);
    let many = "\"x\":0,".repeat(150_000);
    let block = fixture.block.to_string().replacen('{', &format!("{{{many}"), 1);
    let metadata = format!("{{{many}\"tpm_attestation\":{block}}}");
    let verdict = judged(&metadata, &fixture.payload_id, true, &AttestationPolicy::new());
    assert_eq!(verdict.level(), AttestationLevel::Consistent);
}

#[test]
fn what_is_written_in_another_way_is_the_same_block() {
    for fixture in genuine() {
        let mut block = fixture.block.clone();
        for index in ["0", "7"] {
            let upper = block["pcr_values"]["sha256"][index].as_str().expect("a value").to_uppercase();
            block["pcr_values"]["sha256"][index] = upper.into();
        }
        block["more"] = "to come".into();
        let text = block.to_string().replace('/', "\\/");
        let verdict = verify_attestation(text.as_bytes(), &fixture.payload_id, &AttestationPolicy::new());
        assert_eq!(verdict.expect("a verdict").level(), AttestationLevel::Consistent, "{}", fixture.name);
    }
}

#[test]
fn a_policy_withholds_what_proves_less_and_says_why() {
    let mut policy = AttestationPolicy::new();
    policy.require(AttestationLevel::Consistent).expect("a level");
    let forgery = forged().into_iter().find(|fixture| fixture.name == "nonce-other").expect("a forgery");
    let error = policy.admit(&forgery.judged(&policy)).expect_err("withheld");
    assert_eq!(error.status(), Status::Attestation);
    for part in ["CONSISTENT", "INVALID", "TPM_NONCE_MISMATCH", "the prompt has already been sent"] {
        assert!(error.message().contains(part), "{error}");
    }
    let good = genuine().remove(0);
    policy.admit(&good.judged(&policy)).expect("consistent is enough");
    let block = good.block.to_string();
    verify_attestation(block.as_bytes(), &good.payload_id, &policy).expect("consistent is enough");
    let other = verify_attestation(block.as_bytes(), "another id", &policy).expect_err("withheld");
    assert_eq!(other.status(), Status::Attestation);

    let mut policy = baseline(&good.block);
    policy.require(AttestationLevel::Baseline).expect("a level");
    policy.admit(&good.judged(&policy)).expect("the baseline is met");
    policy.admit(&forgery.judged(&policy)).expect_err("withheld");
    AttestationPolicy::new().admit(&forgery.judged(&AttestationPolicy::new())).expect("a report never withholds");
}

#[test]
fn tier_maximum_without_a_quote_is_invalid_when_anything_is_required() {
    let mut policy = AttestationPolicy::new();
    let level = |metadata: &str, maximum, policy: &AttestationPolicy| judged(metadata, "id", maximum, policy).level();
    let none = r#"{"tpm_attestation":{"is_available":false}}"#;
    assert_eq!(level(none, true, &policy), AttestationLevel::Unavailable);
    policy.require(AttestationLevel::Consistent).expect("a level");
    assert_eq!(level(none, true, &policy), AttestationLevel::Invalid);
    assert_eq!(level("{}", true, &policy), AttestationLevel::Invalid);
    assert_eq!(level("{}", false, &policy), AttestationLevel::Absent);
}

#[test]
fn a_policy_that_asks_nonsense_is_refused() {
    let mut policy = AttestationPolicy::new();
    for (bank, index, len) in [
        ("sha1", 0, 40),
        ("SHA256", 0, 64),
        ("sha256", 16, 64),
        ("sha256", 23, 64),
        ("sha256", 24, 64),
        ("sha256", 0, 63),
    ] {
        let error = policy.allow_pcr(bank, index, &"0".repeat(len)).expect_err(bank);
        assert_eq!(error.status(), Status::Argument, "{bank}:{index}");
    }
    for level in [AttestationLevel::Absent, AttestationLevel::Unavailable, AttestationLevel::Invalid] {
        assert_eq!(policy.require(level).expect_err("no level to require").status(), Status::Argument);
    }
    policy.require(AttestationLevel::Baseline).expect("a level");
    let error = verify_attestation(b"{}", "id", &policy).expect_err("a baseline without values");
    assert_eq!(error.status(), Status::Argument);
    assert_eq!(
        verify_attestation(b"\xff", "id", &AttestationPolicy::new()).expect_err("no text").status(),
        Status::Argument
    );
}

#[test]
fn the_report_has_every_check_once_in_order() {
    let report = report(&genuine().remove(0).judged(&AttestationPolicy::new()));
    let names: Vec<_> = report["checks"].as_array().expect("a list").iter().map(|check| &check["name"]).collect();
    let expected: Vec<_> = super::check::Check::ALL.iter().map(|check| check.name()).collect();
    assert_eq!(names, expected);
    let results =
        |result| report["checks"].as_array().expect("a list").iter().filter(|c| c["result"] == result).count();
    assert_eq!((results("ok"), results("skipped"), results("warning"), results("failed")), (34, 9, 0, 0));
    let failed = forged().into_iter().find(|fixture| fixture.name == "bad-magic").expect("a forgery");
    let report = super::fixture_tests::report(&failed.judged(&AttestationPolicy::new()));
    assert_eq!(report["failed_check"], "TPM_ATTEST_MAGIC");
    assert_eq!(check(&report, "TPM_ATTEST_MAGIC")["result"], "failed");
    assert_eq!(check(&report, "TPM_SIG_INVALID")["result"], "ok");
    assert_eq!(check(&report, "TPM_PCR_DIGEST_MISMATCH")["result"], "skipped");
}
