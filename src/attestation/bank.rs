//! The banks of registers, by the names that blocks and policies use.

use crate::crypto::Hash;

/// The name of a hash, and of the bank that has it.
pub(super) fn name(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha256 => "sha256",
        Hash::Sha384 => "sha384",
        Hash::Sha512 => "sha512",
    }
}

/// The bank called `text`; one spelling each, and SHA-1 is none.
pub(super) fn of(text: &str) -> Option<Hash> {
    [Hash::Sha256, Hash::Sha384, Hash::Sha512].into_iter().find(|hash| name(*hash) == text)
}

/// A value of a register of `bank`, from hex in either case without a prefix.
pub(super) fn value(bank: Hash, hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 2 * bank.len() || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    hex.as_bytes().chunks(2).map(|byte| u8::from_str_radix(std::str::from_utf8(byte).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_exactly_as_long_as_its_bank_says() {
        assert_eq!(value(Hash::Sha256, &"aF".repeat(32)), Some(vec![0xaf; 32]));
        for wrong in ["", "aF", &"aF".repeat(31), &"aF".repeat(33), &"+1".repeat(32), &format!("0x{}", "a".repeat(62))]
        {
            assert_eq!(value(Hash::Sha256, wrong), None, "{wrong}");
        }
        assert_eq!(value(Hash::Sha384, &"0a".repeat(48)), Some(vec![10; 48]));
    }

    #[test]
    fn a_bank_has_one_spelling() {
        assert_eq!(of("sha256"), Some(Hash::Sha256));
        for wrong in ["SHA256", "sha-256", "sha1", "sm3_256", "sha3-256", ""] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
