//! Nothing that was changed after it was signed is consistent, and nothing makes the judge panic. A second decoder, of
//! the TPM software stack, agrees with ours about what it accepts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tss_esapi::structures::{Attest, AttestInfo, Public, Signature};
use tss_esapi::traits::{Marshall, UnMarshall};

use super::aik::{self, Key};
use super::algorithm::hash;
use super::fixture_tests::{Fixture, genuine};
use super::quote;
use super::trail::Trail;
use super::{Attestation, AttestationLevel, AttestationPolicy, Metadata, of_answer};

/// The members that are bytes.
const BYTES: [&str; 3] = ["quote_b64", "signature_b64", "aik_pubkey_b64"];

/// Where the object attributes stand in a TPM2B_PUBLIC, and those that the checks leave free.
const ATTRIBUTES_AT: usize = 6;
const FREE: u32 = 0x0000_04c0;

fn bytes(fixture: &Fixture, member: &str) -> Vec<u8> {
    STANDARD.decode(fixture.block[member].as_str().expect("a text")).expect("base64")
}

fn judged(block: &Value, payload_id: &str) -> Attestation {
    let metadata = json!({ "tpm_attestation": block }).to_string();
    of_answer(Metadata { json: &metadata, names_request: true }, payload_id, false, &AttestationPolicy::new())
}

fn with(fixture: &Fixture, member: &str, bytes: &[u8]) -> Attestation {
    let mut block = fixture.block.clone();
    block[member] = STANDARD.encode(bytes).into();
    judged(&block, &fixture.payload_id)
}

#[test]
fn no_flipped_bit_is_consistent_but_the_three_that_are_left_free_and_those_show() {
    let mut free = 0;
    for fixture in genuine() {
        for member in BYTES {
            let original = bytes(&fixture, member);
            for bit in 0..original.len() * 8 {
                let mut flipped = original.clone();
                flipped[bit / 8] ^= 0x80 >> (bit % 8);
                let verdict = with(&fixture, member, &flipped);
                let left_free = member == "aik_pubkey_b64"
                    && (0..32).any(|b| FREE >> b & 1 == 1 && bit == ATTRIBUTES_AT * 8 + 31 - b);
                if left_free {
                    free += 1;
                    assert_eq!(verdict.level(), AttestationLevel::Consistent, "{} bit {bit}", fixture.name);
                    assert_eq!((verdict.warnings(), verdict.facts().hierarchy), (1, 0), "{} bit {bit}", fixture.name);
                    assert!(verdict.report().contains("its description has been changed"), "{}", verdict.report());
                } else {
                    assert_eq!(verdict.level(), AttestationLevel::Invalid, "{} {member} bit {bit}", fixture.name);
                }
            }
        }
    }
    assert_eq!(free, 3 * 5);
}

#[test]
fn nothing_cut_short_or_longer_is_consistent() {
    for fixture in genuine() {
        for member in BYTES {
            let original = bytes(&fixture, member);
            for len in 0..original.len() {
                let verdict = with(&fixture, member, &original[..len]);
                assert_eq!(verdict.level(), AttestationLevel::Invalid, "{} {member} {len}", fixture.name);
                let verdict = with(&fixture, member, &original[original.len() - len..]);
                assert_eq!(verdict.level(), AttestationLevel::Invalid, "{} {member} last {len}", fixture.name);
            }
            let verdict = with(&fixture, member, &[original.as_slice(), &[0]].concat());
            assert_eq!(verdict.level(), AttestationLevel::Invalid, "{} {member} longer", fixture.name);
        }
    }
}

/// A generator whose every run is the same (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Changes `bytes` in one to four places: a bit, a byte, a piece taken out, put in, or moved.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let len = self.below(9).min(bytes.len() - at);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.byte(),
                2 => drop(bytes.drain(at..at + len)),
                3 => {
                    let piece: Vec<_> = (0..len).map(|_| self.byte()).collect();
                    bytes.splice(at..at, piece);
                }
                4 => {
                    let piece: Vec<_> = bytes[at..at + len].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, piece);
                }
                5 if at < bytes.len() => bytes[at] = [0, 0xff, 0x7f, 0x80][self.below(4)],
                _ => {}
            }
        }
    }
}

fn without_free_attributes(public: &[u8]) -> Vec<u8> {
    let mut public = public.to_vec();
    for (byte, free) in public[ATTRIBUTES_AT..].iter_mut().zip(FREE.to_be_bytes()) {
        *byte &= !free;
    }
    public
}

/// What a block says, whatever way it is written: the values of its six members.
fn meaning(block: &Value) -> Value {
    let mut meaning = block.clone();
    if let Some(members) = meaning.as_object_mut() {
        members.retain(|name, _| BYTES.contains(&name.as_str()) || name == "is_available" || name.starts_with("pcr_"));
    }
    let hex = meaning["pcr_values"].to_string().to_lowercase();
    meaning["pcr_values"] = serde_json::from_str(&hex).unwrap_or_default();
    meaning
}

#[test]
fn no_random_mutation_of_bytes_or_text_is_consistent_or_panics() {
    // RSA in pure Rust is slower, and judges nothing of this.
    const EACH: usize = if cfg!(feature = "aws-lc") { 5_000 } else { 1_000 };
    let mut random = Random(6);
    let (mut judged_count, mut unchanged) = (0, 0);
    for fixture in genuine() {
        for member in BYTES {
            let original = bytes(&fixture, member);
            for _ in 0..EACH {
                let mut mutant = original.clone();
                random.mutate(&mut mutant);
                judged_count += 1;
                let verdict = with(&fixture, member, &mutant);
                if mutant == original {
                    unchanged += 1;
                } else if verdict.level() != AttestationLevel::Invalid {
                    // The attributes that are left free, and never without a word.
                    assert_eq!(member, "aik_pubkey_b64", "{}", fixture.name);
                    assert_eq!(without_free_attributes(&mutant), without_free_attributes(&original));
                    assert_eq!(verdict.warnings(), 1, "{}: {}", fixture.name, verdict.report());
                }
            }
        }
        let original = fixture.block.to_string();
        for _ in 0..EACH {
            let mut mutant = original.clone().into_bytes();
            random.mutate(&mut mutant);
            let mutant = String::from_utf8_lossy(&mutant).into_owned();
            judged_count += 1;
            let verdict = super::verify_attestation(mutant.as_bytes(), &fixture.payload_id, &AttestationPolicy::new());
            if verdict.expect("a verdict").level() != AttestationLevel::Invalid {
                let parsed: Value = serde_json::from_str(&mutant).expect("what is consistent is JSON");
                assert_eq!(meaning(&parsed), meaning(&fixture.block), "{}: {mutant}", fixture.name);
                unchanged += 1;
            }
        }
    }
    assert_eq!(judged_count, 20 * EACH);
    assert!(unchanged < judged_count / 20, "{unchanged} of {judged_count} mutations changed nothing");
}

#[test]
fn the_other_decoder_reads_the_same_from_what_ours_accepts() {
    let mut random = Random(7);
    let (mut agreed, mut agreed_keys) = (0, 0);
    for fixture in genuine() {
        let (quote, signature, aik) = (bytes(&fixture, BYTES[0]), bytes(&fixture, BYTES[1]), bytes(&fixture, BYTES[2]));
        assert_eq!(Signature::unmarshall(&signature).expect("a signature").marshall().expect("bytes"), signature);
        for round in 0..2_000 {
            let (mut mutant, mut other) = (quote.clone(), aik.clone());
            if round > 0 {
                random.mutate(&mut mutant);
                random.mutate(&mut other);
            }
            if let Ok(ours) = aik::read(&other, &mut Trail::default()) {
                let theirs = Public::unmarshall(&other[2..]).expect("what ours accepts is a public area");
                assert_eq!(theirs.marshall().expect("bytes"), other[2..]);
                match (&ours.key, theirs) {
                    (Key::Rsa { modulus, .. }, Public::Rsa { unique, .. }) => assert_eq!(modulus, unique.value()),
                    (Key::Ecc { point, .. }, Public::Ecc { unique, .. }) => {
                        assert!(point.ends_with(unique.y().value()))
                    }
                    _ => panic!("a key of another kind"),
                }
                agreed_keys += 1;
            }
            // Ours also demands the nonce, which the other one does not know.
            let Ok(ours) = quote::read(&mutant, &fixture.payload_id, &mut Trail::default()) else { continue };
            let Ok(theirs) = Attest::unmarshall(&mutant) else {
                // Banks that nobody knows are ours to refuse in the next phase.
                assert!(ours.selection.iter().any(|(bank, _)| hash(*bank).is_none()), "{ours:?}");
                continue;
            };
            assert_eq!(theirs.marshall().expect("bytes"), mutant);
            let AttestInfo::Quote { info } = theirs.attested() else { panic!("not a quote") };
            assert_eq!(ours.signer, theirs.qualified_signer().value());
            assert_eq!(ours.extra_data, theirs.extra_data().as_ref() as &[u8]);
            assert_eq!(ours.clock, theirs.clock_info().clock());
            assert_eq!(ours.reset_count, theirs.clock_info().reset_count());
            assert_eq!(ours.restart_count, theirs.clock_info().restart_count());
            assert_eq!(ours.safe, theirs.clock_info().safe());
            assert_eq!(ours.firmware_version, theirs.firmware_version());
            assert_eq!(ours.pcr_digest, info.pcr_digest().as_ref() as &[u8]);
            assert_eq!(ours.selection.len(), info.pcr_selection().len());
            for ((_, bitmap), theirs) in ours.selection.iter().zip(info.pcr_selection().get_selections()) {
                let bits: u32 = bitmap.iter().rev().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
                let selected = theirs.selected().iter().fold(0, |bits, slot| bits | u32::from(*slot));
                assert_eq!(bits, selected);
            }
            agreed += 1;
        }
    }
    assert!(agreed > 500 && agreed_keys > 500, "only {agreed} quotes and {agreed_keys} keys were read by both");
}
