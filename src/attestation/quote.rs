//! Phase D: the quote itself, whose signature has been verified.

use super::check::Check;
use super::reader::Reader;
use super::trail::{Step, Trail, failed};
use crate::crypto;

/// TPM_GENERATED_VALUE: a restricted key signs nothing from outside that begins so.
const MAGIC: u32 = 0xff54_4347;
/// TPM_ST_ATTEST_QUOTE.
const QUOTE: u16 = 0x8018;
/// The most banks in a selection, and the most bytes of a bank's bitmap.
const BANKS_MAX: u32 = 4;
const BITMAP_MAX: u8 = 4;
/// Bytes of the payload id's hash that the quote carries.
const NONCE_LEN: usize = 16;

/// A TPMS_ATTEST of a quote.
#[derive(Debug)]
pub(super) struct Quote<'a> {
    /// The qualified name of the key that signed.
    pub(super) signer: &'a [u8],
    pub(super) extra_data: &'a [u8],
    /// Milliseconds that the TPM has been powered on.
    pub(super) clock: u64,
    pub(super) reset_count: u32,
    pub(super) restart_count: u32,
    pub(super) safe: bool,
    pub(super) firmware_version: u64,
    /// For each bank in the order that was signed: the number of its hash, and its bitmap.
    pub(super) selection: Vec<(u16, &'a [u8])>,
    pub(super) pcr_digest: &'a [u8],
}

/// The bytes that are signed: a TPMS_ATTEST as it is, or what is in a TPM2B_ATTEST. No TPMS_ATTEST begins with its own
/// length.
pub(super) fn signed_part(bytes: &[u8]) -> &[u8] {
    let mut reader = Reader::new(bytes);
    match reader.u16().map(usize::from) {
        Some(size) if size == bytes.len() - 2 => &bytes[2..],
        _ => bytes,
    }
}

/// Reads a TPMS_ATTEST that was made for `payload_id`.
pub(super) fn read<'a>(bytes: &'a [u8], payload_id: &str, trail: &mut Trail) -> Step<Quote<'a>> {
    let mut reader = Reader::new(bytes);
    let magic = reader.u32() == Some(MAGIC);
    trail.demand(Check::AttestMagic, magic, "it does not begin with TPM_GENERATED_VALUE")?;
    trail.demand(Check::AttestType, reader.u16() == Some(QUOTE), "it attests something else than registers")?;
    let Some(quote) = fields(&mut reader) else {
        return failed(Check::AttestParse, "cut short, or a field is larger than it can be");
    };
    trail.ok(Check::AttestParse, "");
    trail.demand(Check::AttestTrailing, reader.is_done(), "bytes behind the digest")?;
    let nonce = crypto::sha256(payload_id.as_bytes());
    let fresh = same(quote.extra_data, &nonce[..NONCE_LEN]);
    trail.demand(Check::NonceMismatch, fresh, "made for another request, or for none")?;
    Ok(quote)
}

fn fields<'a>(reader: &mut Reader<'a>) -> Option<Quote<'a>> {
    let signer = reader.sized(66)?;
    let extra_data = reader.sized(66)?;
    let (clock, reset_count, restart_count) = (reader.u64()?, reader.u32()?, reader.u32()?);
    let safe = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let firmware_version = reader.u64()?;
    let banks = reader.u32().filter(|banks| *banks <= BANKS_MAX)?;
    let mut selection = Vec::new();
    for _ in 0..banks {
        let bank = reader.u16()?;
        let len = reader.u8().filter(|len| (1..=BITMAP_MAX).contains(len))?;
        selection.push((bank, reader.bytes(usize::from(len))?));
    }
    let pcr_digest = reader.sized(64)?;
    Some(Quote { signer, extra_data, clock, reset_count, restart_count, safe, firmware_version, selection, pcr_digest })
}

/// Whether two digests are equal. Looks at every byte, whatever the others are.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
