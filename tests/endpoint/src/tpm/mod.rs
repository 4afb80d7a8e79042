//! The TPM that vouches for answers: a real TPM 2.0 stack, in software.
//!
//! It promises genuine quotes over `sha256:0,7,10`, each bound to one payload id and signed by a key that was made
//! for it and is forgotten. It does not promise hardware: this is swtpm, and whoever runs it can have it say anything.

mod aik;
mod command;
mod swtpm;

pub(crate) use aik::{Aik, Hierarchy, Scheme};
pub(crate) use command::sized;
pub(crate) use swtpm::Swtpm;

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use command::{Reader, call};

const CREATE_PRIMARY: u32 = 0x131;
const QUOTE: u32 = 0x158;
const FLUSH_CONTEXT: u32 = 0x165;
const PCR_READ: u32 = 0x17e;
const PCR_EXTEND: u32 = 0x182;

/// What vouches for the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TpmKind {
    /// Nothing.
    None,
    /// A software TPM that the endpoint starts and ends: Debian's package `swtpm`.
    Swtpm,
}

/// Which PCRs are quoted, and the text whose SHA-256 each is extended with, once.
const PCRS: [(u32, &str); 3] = [(0, "firmware"), (7, "secure boot policy"), (10, "measured files")];
/// TPML_PCR_SELECTION of them: one bank, SHA-256, three bytes of bits.
const SELECTION: [u8; 10] = [0, 0, 0, 1, 0x00, 0x0b, 3, 0x81, 0x04, 0x00];
/// TPML_DIGEST_VALUES without the digest: one, of SHA-256.
const ONE_SHA256: [u8; 6] = [0, 0, 0, 1, 0x00, 0x0b];
/// TPM_ALG_NULL: the key has its scheme.
const KEYS_SCHEME: [u8; 2] = [0x00, 0x10];
/// How much of the SHA-256 of a payload id its quote carries.
const NONCE_LEN: usize = 16;

/// A running TPM with its PCRs extended. It does one thing at a time.
pub(crate) struct Tpm(Mutex<UnixStream>);

/// A quote and what it takes to judge it.
pub(crate) struct Evidence {
    /// TPMS_ATTEST.
    pub quote: Vec<u8>,
    /// TPMT_SIGNATURE.
    pub signature: Vec<u8>,
    /// TPMT_PUBLIC.
    pub aik: Vec<u8>,
    /// Index and value of each PCR.
    pub pcrs: Vec<(u32, Vec<u8>)>,
}

impl Tpm {
    /// Starts a software TPM and extends its PCRs. It works for as long as its process is kept.
    pub fn start() -> io::Result<(Tpm, Swtpm)> {
        let (swtpm, mut tpm) = Swtpm::start()?;
        extend_pcrs(&mut tpm).map_err(|error| io::Error::other(format!("swtpm does not serve: {error}")))?;
        Ok((Tpm(Mutex::new(tpm)), swtpm))
    }

    /// Makes a key, quotes with it and forgets it. Waits for the quotes before it.
    pub fn quote(&self, payload_id: &str, aik: &Aik) -> io::Result<Evidence> {
        let tpm = &mut *self.0.lock().expect("nothing panics while it holds this lock");
        let (key, public) = create_primary(tpm, aik)?;
        let quoted = quote_with(tpm, key, payload_id);
        call(tpm, FLUSH_CONTEXT, None, &[&key.to_be_bytes()])?;
        let (quote, signature) = quoted?;
        Ok(Evidence { quote, signature, aik: public, pcrs: read_pcrs(tpm)? })
    }
}

fn extend_pcrs(tpm: &mut UnixStream) -> io::Result<()> {
    for (index, text) in PCRS {
        call(tpm, PCR_EXTEND, Some(index), &[&ONE_SHA256, &Sha256::digest(text)])?;
    }
    Ok(())
}

/// The new key's handle and its TPMT_PUBLIC.
fn create_primary(tpm: &mut UnixStream, aik: &Aik) -> io::Result<(u32, Vec<u8>)> {
    let sensitive = sized(&[0; 4]); // no password, no data
    let (outside, pcrs) = (sized(&[]), [0; 4]); // nothing, none
    let template = sized(&aik.scheme.template());
    let answer = call(tpm, CREATE_PRIMARY, Some(aik.hierarchy.handle()), &[&sensitive, &template, &outside, &pcrs])?;
    let mut answer = Reader(&answer);
    let key = answer.u32()?;
    let mut parameters = parameters(&mut answer)?;
    Ok((key, parameters.sized()?.to_vec()))
}

/// TPMS_ATTEST and TPMT_SIGNATURE.
fn quote_with(tpm: &mut UnixStream, key: u32, payload_id: &str) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let nonce = sized(&Sha256::digest(payload_id)[..NONCE_LEN]);
    let answer = call(tpm, QUOTE, Some(key), &[&nonce, &KEYS_SCHEME, &SELECTION])?;
    let mut parameters = parameters(&mut Reader(&answer))?;
    Ok((parameters.sized()?.to_vec(), parameters.0.to_vec()))
}

/// What an authorized command answers, without what follows of its sessions.
fn parameters<'a>(answer: &mut Reader<'a>) -> io::Result<Reader<'a>> {
    let len = answer.u32()?;
    Ok(Reader(answer.bytes(len as usize)?))
}

fn read_pcrs(tpm: &mut UnixStream) -> io::Result<Vec<(u32, Vec<u8>)>> {
    let answer = call(tpm, PCR_READ, None, &[&SELECTION])?;
    let mut answer = Reader(&answer);
    let _changes = answer.u32()?;
    let _selection = answer.bytes(SELECTION.len())?;
    let _count = answer.u32()?;
    PCRS.iter().map(|(index, _)| Ok((*index, answer.sized()?.to_vec()))).collect()
}
