//! Phase E: the registers, as the quote covers them and as the block shows them.

use super::algorithm::hash;
use super::bank;
use super::block::{Block, Values};
use super::check::Check;
use super::policy::AttestationPolicy;
use super::quote::{Quote, same};
use super::trail::{Step, Trail, failed};
use crate::crypto::{self, Hash};
use crate::json::equals;

/// Registers of one bank, in rising order.
type Selected = (Hash, Vec<u8>);

/// A register and its value, which is the one under the quote's digest.
#[derive(Debug)]
pub(super) struct Pcr {
    pub(super) bank: Hash,
    pub(super) index: u8,
    pub(super) value: Vec<u8>,
}

/// The registers that every quote must cover: firmware, and secure boot.
const ALWAYS: [u8; 2] = [0, 7];

/// Judges the registers of `block` against `quote`, whose digest was made with `signing_hash`.
pub(super) fn judge(
    block: &Block<'_>,
    quote: &Quote<'_>,
    signing_hash: Hash,
    policy: &AttestationPolicy,
    trail: &mut Trail,
) -> Step<Vec<Pcr>> {
    let selection = selection(quote, trail)?;
    let shown = shown(block, &selection, trail)?;
    trail.demand(
        Check::PcrBanksText,
        text_matches(&block.banks_text, &selection),
        "pcr_banks is not what the quote covers",
    )?;
    let covered = |bank: Hash, index: u8| selection.iter().any(|(b, indices)| *b == bank && indices.contains(&index));
    let always = ALWAYS.iter().map(|index| (Hash::Sha256, *index));
    if let Some((bank, index)) = always.chain(policy.registers()).find(|(bank, index)| !covered(*bank, *index)) {
        return failed(Check::PcrRequiredMissing, format!("{}:{index} must be covered, and is not", bank::name(bank)));
    }
    trail.ok(Check::PcrRequiredMissing, "");
    let pcrs = values(&shown, trail)?;
    let digest = crypto::hash(signing_hash, pcrs.iter().map(|pcr| pcr.value.as_slice()));
    trail.demand(
        Check::PcrDigestMismatch,
        same(quote.pcr_digest, &digest),
        "the values are not those that were signed",
    )?;
    let untouched = |pcr: &&Pcr| {
        ALWAYS.contains(&pcr.index) && (pcr.value.iter().all(|b| *b == 0) || pcr.value.iter().all(|b| *b == 0xff))
    };
    if let Some(pcr) = pcrs.iter().find(untouched) {
        return failed(
            Check::PcrUnextended,
            format!("the firmware never wrote {}:{}, so anybody may have", bank::name(pcr.bank), pcr.index),
        );
    }
    trail.ok(Check::PcrUnextended, "");
    trail.ok(Check::PcrResettable, "no requirement rests on registers 16 to 23");
    Ok(pcrs)
}

/// The selection that was signed, in its order.
fn selection(quote: &Quote<'_>, trail: &mut Trail) -> Step<Vec<Selected>> {
    let covers = |(_, bitmap): &(u16, &[u8])| bitmap.iter().any(|byte| *byte != 0);
    let some = !quote.selection.is_empty() && quote.selection.iter().all(covers);
    trail.demand(Check::PcrSelectEmpty, some, "the quote covers no register, or names a bank and none of it")?;
    let mut selection: Vec<Selected> = Vec::new();
    for (id, bitmap) in &quote.selection {
        let Some(bank) = hash(*id) else {
            return failed(Check::PcrBank, "a bank is not of SHA-256, SHA-384 or SHA-512");
        };
        if selection.iter().any(|(known, _)| *known == bank) {
            return failed(Check::PcrBank, "a bank is named twice");
        }
        let set = |index: &u8| bitmap.get(usize::from(index / 8)).is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        selection.push((bank, (0..32).filter(set).collect()));
    }
    trail.ok(Check::PcrBank, "");
    Ok(selection)
}

/// The values that came, in the order of the selection.
fn shown<'a>(block: &'a Block<'_>, selection: &[Selected], trail: &mut Trail) -> Step<Vec<(Hash, u8, &'a str)>> {
    let differ = || failed(Check::PcrSelectMismatch, "the values that came are not those of the registers covered");
    if block.values.len() != selection.len() {
        return differ();
    }
    let mut shown = Vec::new();
    for (bank, indices) in selection {
        let Some((_, values)) = block.values.iter().find(|(name, _)| equals(name, bank::name(*bank))) else {
            return differ();
        };
        if values.len() != indices.len() || indices.iter().any(|index| *index > 23) {
            return differ();
        }
        for index in indices {
            let Some(hex) = find(values, *index) else { return differ() };
            shown.push((*bank, *index, hex));
        }
    }
    trail.ok(Check::PcrSelectMismatch, text_of(selection));
    Ok(shown)
}

/// The value of a register, whose index is written in one way only.
fn find<'a>(values: &'a Values<'_>, index: u8) -> Option<&'a str> {
    let index = index.to_string();
    values.iter().find(|(name, _)| equals(name, &index)).map(|(_, hex)| hex.as_ref())
}

fn values(shown: &[(Hash, u8, &str)], trail: &mut Trail) -> Step<Vec<Pcr>> {
    let mut pcrs = Vec::new();
    for (bank, index, hex) in shown {
        let Some(value) = bank::value(*bank, hex) else {
            return failed(
                Check::PcrValueFormat,
                format!("{}:{index} is not {} hex digits", bank::name(*bank), 2 * bank.len()),
            );
        };
        pcrs.push(Pcr { bank: *bank, index: *index, value });
    }
    trail.ok(Check::PcrValueFormat, "");
    Ok(pcrs)
}

/// A selection as a text: `sha256:0,7,10`, with `+` between banks.
fn text_of(selection: &[Selected]) -> String {
    let of_bank = |(bank, indices): &Selected| {
        let indices: Vec<_> = indices.iter().map(u8::to_string).collect();
        format!("{}:{}", bank::name(*bank), indices.join(","))
    };
    selection.iter().map(of_bank).collect::<Vec<_>>().join("+")
}

/// Whether `text` names exactly the registers of `selection`, in any order.
fn text_matches(text: &str, selection: &[Selected]) -> bool {
    let sorted = |text: &str| {
        let mut banks: Vec<(&str, Vec<&str>)> = Vec::new();
        for part in text.split('+') {
            let (bank, indices) = part.split_once(':')?;
            let mut indices: Vec<_> = indices.split(',').collect();
            indices.sort_unstable();
            banks.push((bank, indices));
        }
        banks.sort_unstable();
        Some(banks.into_iter().map(|(bank, indices)| format!("{bank}:{}", indices.join(","))).collect::<Vec<_>>())
    };
    let signed = text_of(selection);
    sorted(text).is_some_and(|text| Some(text) == sorted(&signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_matches_in_any_order_and_in_one_spelling() {
        let selection = [(Hash::Sha256, vec![0, 7, 10]), (Hash::Sha384, vec![1])];
        for same in ["sha256:0,7,10+sha384:1", "sha384:1+sha256:0,7,10", "sha256:10,0,7+sha384:1"] {
            assert!(text_matches(same, &selection), "{same}");
        }
        for other in [
            "",
            "sha256:0,7,10",
            "sha256:0,7,10+sha384:1+sha512:2",
            "sha256:0,7,10,10+sha384:1",
            "sha256:0,7+sha384:1",
            "sha256:00,7,10+sha384:1",
            "sha256:+0,7,10+sha384:1",
            "sha256: 0,7,10+sha384:1",
            "SHA256:0,7,10+sha384:1",
            "sha256:0,7,10+sha384:1+",
            "sha256:0,7+sha256:10+sha384:1",
        ] {
            assert!(!text_matches(other, &selection), "{other}");
        }
    }
}
