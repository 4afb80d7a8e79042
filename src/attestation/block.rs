//! Phase A: the JSON block becomes bytes and register values. Borrows from the answer; nothing of it is kept.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::check::Check;
use super::trail::{Step, Trail, failed};
use crate::json::{self, Unfit, Walk, named};

/// The most bytes of a quote; a TPMS_ATTEST of a quote over four banks has less than 300.
const QUOTE_MAX: usize = 1024;
/// The most bytes of a signature and of a public area: those of an 8192-bit key.
const KEY_MAX: usize = 1100;
/// The most banks, and the most values in each.
const BANKS_MAX: usize = 4;
const VALUES_MAX: usize = 24;
/// The most characters of the selection's text: four banks with every register.
const BANKS_TEXT_MAX: usize = 512;

/// A block that says that there is a quote, decoded. Nothing in it has been believed yet.
pub(super) struct Block<'a> {
    pub(super) quote: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) aik: Vec<u8>,
    /// The selection, as a text.
    pub(super) banks_text: Cow<'a, str>,
    /// For each bank by its name, values in hex by the register's index.
    pub(super) values: Named<'a, Values<'a>>,
}

/// Values of an object's members. The names are JSON strings with their quotes and escapes.
pub(super) type Named<'a, T> = Vec<(&'a str, T)>;

/// Register values of one bank, in hex.
pub(super) type Values<'a> = Named<'a, Cow<'a, str>>;

/// What a block says of itself.
pub(super) enum Says<'a> {
    /// There is no quote.
    Unavailable,
    /// There is one.
    Quote(Block<'a>),
}

/// Reads the JSON text of a block.
pub(super) fn read<'a>(json: &'a str, trail: &mut Trail) -> Step<Says<'a>> {
    if json::read(json.as_bytes()).is_err() {
        return failed(Check::FieldMissing, "the block is not JSON");
    }
    let names = ["is_available", "pcr_banks", "pcr_values", "quote_b64", "signature_b64", "aik_pubkey_b64"];
    let [is_available, pcr_banks, pcr_values, quote, signature, aik] = match named(json, names) {
        Ok(values) => values,
        Err(Unfit::NotAnObject) => return failed(Check::FieldMissing, "the block is not a JSON object"),
        Err(Unfit::Twice) => return failed(Check::FieldMissing, "the block has a member twice"),
    };
    match is_available {
        Some("true") => trail.ok(Check::Unavailable, ""),
        Some("false") => return Ok(Says::Unavailable),
        _ => return failed(Check::Unavailable, "is_available is neither true nor false"),
    }
    let quote = encoded(quote, "quote_b64 is missing or not a string", QUOTE_MAX)?;
    let signature = encoded(signature, "signature_b64 is missing or not a string", KEY_MAX)?;
    let aik = encoded(aik, "aik_pubkey_b64 is missing or not a string", KEY_MAX)?;
    let banks_text = text(pcr_banks, "pcr_banks is missing or not a string")?;
    let values = values(pcr_values)?;
    trail.ok(Check::FieldMissing, "");
    let block = Block {
        quote: decoded(&quote, "quote_b64 is not strict base64")?,
        signature: decoded(&signature, "signature_b64 is not strict base64")?,
        aik: decoded(&aik, "aik_pubkey_b64 is not strict base64")?,
        banks_text,
        values,
    };
    trail.ok(Check::Base64, "");
    let sizes = format!(
        "quote {} bytes, signature {}, public area {}",
        block.quote.len(),
        block.signature.len(),
        block.aik.len()
    );
    let small = block.quote.len() <= QUOTE_MAX
        && block.signature.len() <= KEY_MAX
        && block.aik.len() <= KEY_MAX
        && block.banks_text.len() <= BANKS_TEXT_MAX
        && block.values.len() <= BANKS_MAX
        && block.values.iter().all(|(_, values)| values.len() <= VALUES_MAX);
    if !small {
        return failed(Check::Oversize, "more than a quote needs");
    }
    trail.ok(Check::Oversize, sizes);
    Ok(Says::Quote(block))
}

/// A string that is base64 of at most `most` bytes. Longer ones are not even copied.
fn encoded<'a>(value: Option<&'a str>, otherwise: &'static str, most: usize) -> Step<Cow<'a, str>> {
    // Every character may be written as an escape of six.
    if value.is_some_and(|value| value.len() > 8 * most + 8) {
        return failed(Check::Oversize, "more than a quote needs");
    }
    text(value, otherwise)
}

fn decoded(text: &str, otherwise: &'static str) -> Step<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| failed(Check::Base64, otherwise))
}

fn text<'a>(value: Option<&'a str>, otherwise: &'static str) -> Step<Cow<'a, str>> {
    value.and_then(json::plain).map_or_else(|| failed(Check::FieldMissing, otherwise), Ok)
}

fn values<'a>(value: Option<&'a str>) -> Step<Named<'a, Values<'a>>> {
    let read = |value| {
        members(&mut Walk::over(value), |bank| {
            members(bank, |value| json::plain(value.value()).ok_or("a value in pcr_values is not a string"))
        })
    };
    value.map_or(Err("pcr_values is missing"), read).or_else(|why| failed(Check::FieldMissing, why))
}

/// The members of the object that `walk` is at, in order. Of the members beyond those that a block may have, one is kept,
/// so that its size shows. The error is what is wrong.
fn members<'a, T>(
    walk: &mut Walk<'a>,
    mut read: impl FnMut(&mut Walk<'a>) -> Result<T, &'static str>,
) -> Result<Named<'a, T>, &'static str> {
    let mut members: Named<'a, T> = Vec::new();
    if !walk.enter_object() {
        return Err("pcr_values is not objects in an object");
    }
    while let Some(name) = walk.name() {
        if members.len() > VALUES_MAX {
            continue;
        }
        if members.iter().any(|(known, _)| json::same(known, name)) {
            return Err("pcr_values has a name twice");
        }
        members.push((name, read(walk)?));
    }
    Ok(members)
}
