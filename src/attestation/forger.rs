//! A server without a TPM, for the tests: quotes with registers of its choice, by a key that nobody knows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Map, Value, json};

use crate::crypto::sha256;

const SHA256: [u8; 2] = [0x00, 0x0b];
const ECDSA: [u8; 2] = [0x00, 0x18];
const NULL: [u8; 2] = [0x00, 0x10];

/// What is quoted, and how. As it comes it is consistent.
pub(crate) struct Forger {
    pub(crate) payload_id: String,
    /// The handle that the signer's name is qualified by.
    pub(crate) parent: u32,
    pub(crate) auth_policy: Vec<u8>,
    /// What stands behind the key inside the public area.
    pub(crate) behind_key: Vec<u8>,
    pub(crate) safe: u8,
    pub(crate) bitmap_len: usize,
    /// For each bank in the order signed: number, name, bytes of a value, and registers.
    pub(crate) banks: Vec<(u16, &'static str, usize, Vec<u8>)>,
}

impl Forger {
    pub(crate) fn new(payload_id: &str) -> Forger {
        Forger {
            payload_id: payload_id.to_owned(),
            parent: 0x4000_0001,
            auth_policy: Vec::new(),
            behind_key: Vec::new(),
            safe: 1,
            bitmap_len: 3,
            banks: vec![(0x000b, "sha256", 32, vec![0, 7])],
        }
    }

    /// The value that every register has in every bank: its index and one, over and over.
    pub(crate) fn value(index: u8, len: usize) -> Vec<u8> {
        vec![index + 1; len]
    }

    /// The block for an answer.
    pub(crate) fn block(&self) -> Value {
        let key = SigningKey::from_slice(&[7; 32]).expect("a key");
        let point = key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let area = [
            &[0x00, 0x23][..],
            &SHA256,
            &[0x00, 0x05, 0x00, 0x72],
            &sized(&self.auth_policy),
            &NULL,
            &ECDSA,
            &SHA256,
            &[0x00, 0x03],
            &NULL,
            &sized(x),
            &sized(y),
            &self.behind_key,
        ]
        .concat();
        let quote = self.quote(&area);
        let signature: Signature = key.sign_prehash(&sha256(&quote)).expect("a signature");
        let (r, s) = signature.split_bytes();
        let mut values = Map::new();
        for (_, name, len, indices) in &self.banks {
            let bank = values.entry(*name).or_insert_with(|| json!({}));
            for index in indices {
                let hex: String = Forger::value(*index, *len).iter().map(|byte| format!("{byte:02x}")).collect();
                bank[index.to_string()] = hex.into();
            }
        }
        let text = |(_, name, _, indices): &(u16, &str, usize, Vec<u8>)| {
            let indices: Vec<_> = indices.iter().map(u8::to_string).collect();
            format!("{name}:{}", indices.join(","))
        };
        json!({
            "is_available": true,
            "pcr_banks": self.banks.iter().map(text).collect::<Vec<_>>().join("+"),
            "pcr_values": values,
            "quote_b64": STANDARD.encode(&quote),
            "signature_b64": STANDARD.encode([&ECDSA[..], &SHA256, &sized(&r), &sized(&s)].concat()),
            "aik_pubkey_b64": STANDARD.encode(sized(&area)),
        })
    }

    fn quote(&self, area: &[u8]) -> Vec<u8> {
        let name = [&SHA256[..], &sha256(area)].concat();
        let signer = [&SHA256[..], &sha256(&[&self.parent.to_be_bytes()[..], &name].concat())].concat();
        let mut selection = u32::try_from(self.banks.len()).expect("few banks").to_be_bytes().to_vec();
        let mut values = Vec::new();
        for (id, _, len, indices) in &self.banks {
            let mut bitmap = vec![0_u8; self.bitmap_len];
            for index in indices {
                bitmap[usize::from(index / 8)] |= 1 << (index % 8);
                values.extend(Forger::value(*index, *len));
            }
            selection.extend(id.to_be_bytes());
            selection.push(u8::try_from(self.bitmap_len).expect("few bytes"));
            selection.extend(bitmap);
        }
        [
            &[0xff, 0x54, 0x43, 0x47, 0x80, 0x18][..],
            &sized(&signer),
            &sized(&sha256(self.payload_id.as_bytes())[..16]),
            &1_000_u64.to_be_bytes(),
            &[0; 8],
            &[self.safe],
            &[0; 8],
            &selection,
            &sized(&sha256(&values)),
        ]
        .concat()
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("short");
    [&len.to_be_bytes()[..], bytes].concat()
}
