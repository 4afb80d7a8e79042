//! What only a well-signed quote can be wrong about.

use super::forger::Forger;
use super::{Attestation, AttestationLevel, AttestationPolicy, verify_attestation};

fn judged(change: impl FnOnce(&mut Forger)) -> Attestation {
    let mut forger = Forger::new("id");
    change(&mut forger);
    verify_attestation(forger.block().to_string().as_bytes(), "id", &AttestationPolicy::new()).expect("a verdict")
}

fn failed(change: impl FnOnce(&mut Forger)) -> &'static str {
    judged(change).failed_check().map_or("", |check| check.name)
}

#[test]
fn a_quote_made_without_a_tpm_is_consistent_and_that_is_all_that_consistent_means() {
    let verdict = judged(|_| ());
    assert_eq!((verdict.level(), verdict.warnings()), (AttestationLevel::Consistent, 0));
    assert!(verdict.level().meaning().contains("does not prove that a TPM exists"));
}

#[test]
fn banks_are_read_in_the_order_that_was_signed() {
    let sha384 = || (0x000c, "sha384", 48, vec![1, 15]);
    assert_eq!(judged(|f| f.banks.push(sha384())).level(), AttestationLevel::Consistent);
    assert_eq!(judged(|f| f.banks.insert(0, sha384())).level(), AttestationLevel::Consistent);
    assert_eq!(judged(|f| f.banks.insert(0, sha384())).facts().pcr_count, 4);
}

#[test]
fn a_bank_that_is_named_twice_or_unknown_is_refused() {
    assert_eq!(failed(|f| f.banks = vec![(11, "sha256", 32, vec![0]), (11, "sha256", 32, vec![7])]), "TPM_PCR_BANK");
    for unknown in [0x0004, 0x0010, 0x0012, 0x0027] {
        assert_eq!(failed(|f| f.banks.push((unknown, "sha1", 20, vec![0]))), "TPM_PCR_BANK");
    }
}

#[test]
fn a_selection_may_be_wider_than_it_needs_but_has_no_register_above_23() {
    for len in [1, 2, 3, 4] {
        assert_eq!(judged(|f| f.bitmap_len = len).level(), AttestationLevel::Consistent, "{len} bytes");
    }
    assert_eq!(failed(|f| f.banks.clear()), "TPM_PCR_SELECT_EMPTY");
    assert_eq!(failed(|f| f.banks.push((0x000c, "sha384", 48, Vec::new()))), "TPM_PCR_SELECT_EMPTY");
    assert_eq!(failed(|f| (f.bitmap_len, f.banks[0].3) = (0, Vec::new())), "TPM_ATTEST_PARSE");
    assert_eq!(failed(|f| f.bitmap_len = 5), "TPM_ATTEST_PARSE");
    assert_eq!(judged(|f| f.banks[0].3 = vec![0, 7, 23]).level(), AttestationLevel::Consistent);
    let above = |f: &mut Forger| {
        f.bitmap_len = 4;
        f.banks[0].3 = vec![0, 7, 24];
    };
    assert_eq!(failed(above), "TPM_PCR_SELECT_MISMATCH");
}

#[test]
fn bytes_behind_the_key_inside_the_public_area_are_refused() {
    assert_eq!(failed(|f| f.behind_key = vec![0]), "TPM_AIK_TRAILING");
}

#[test]
fn a_policy_of_the_key_is_empty_or_a_digest() {
    assert_eq!(judged(|f| f.auth_policy = vec![1; 32]).level(), AttestationLevel::Consistent);
    for len in [1, 31, 33, 48, 64] {
        assert_eq!(failed(|f| f.auth_policy = vec![1; len]), "TPM_AIK_PARSE", "{len} bytes");
    }
}

#[test]
fn a_clock_that_may_have_gone_back_and_a_key_with_a_parent_are_warnings() {
    let verdict = judged(|f| f.safe = 0);
    assert_eq!((verdict.level(), verdict.warnings()), (AttestationLevel::Consistent, 1));
    assert!(!verdict.facts().clock_safe);
    assert_eq!(failed(|f| f.safe = 2), "TPM_ATTEST_PARSE");
    let verdict = judged(|f| f.parent = 0x8100_0001);
    assert_eq!((verdict.level(), verdict.warnings()), (AttestationLevel::Consistent, 1));
    assert_eq!(verdict.facts().hierarchy, 0);
}
