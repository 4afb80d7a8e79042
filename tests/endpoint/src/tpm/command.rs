//! One command and its answer, in the bytes of the TPM 2.0 specification, part 3. All numbers are big-endian.

use std::io::{self, ErrorKind, Read, Write};

const WITHOUT_SESSIONS: u16 = 0x8001;
const WITH_SESSIONS: u16 = 0x8002;
/// Tag, length of the whole message, code.
const HEADER_LEN: usize = 10;
/// TPM_RC_RETRY: the same command again. The first use of a password after a start gets this.
const RETRY: u32 = 0x922;
const TRIES: u32 = 10;
/// The authorization of a command: 9 bytes, a password session with an empty password.
const EMPTY_PASSWORD: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];

/// Gives a command and waits for what follows the header of its answer. A command on a handle is authorized: all
/// passwords of this TPM are empty.
///
/// # Errors
/// Whatever the TPM refuses, and that it is gone.
pub(super) fn call(
    tpm: &mut (impl Read + Write),
    code: u32,
    handle: Option<u32>,
    parameters: &[&[u8]],
) -> io::Result<Vec<u8>> {
    let parameters = parameters.concat();
    let (tag, body) = match handle {
        None => (WITHOUT_SESSIONS, parameters),
        Some(handle) => (WITH_SESSIONS, [&handle.to_be_bytes()[..], &EMPTY_PASSWORD, &parameters].concat()),
    };
    let len = u32::try_from(HEADER_LEN + body.len()).expect("commands are short");
    let command = [&tag.to_be_bytes()[..], &len.to_be_bytes(), &code.to_be_bytes(), &body].concat();
    for _ in 0..TRIES {
        match exchange(tpm, &command)? {
            (0, answer) => return Ok(answer),
            (RETRY, _) => {}
            (refusal, _) => return Err(io::Error::other(format!("it answers {refusal:#x} to {code:#x}"))),
        }
    }
    Err(io::Error::other("it never has the time"))
}

/// Sends a message; the code of the answer, and what follows its header.
fn exchange(tpm: &mut (impl Read + Write), command: &[u8]) -> io::Result<(u32, Vec<u8>)> {
    tpm.write_all(command)?;
    let mut header = [0; HEADER_LEN];
    tpm.read_exact(&mut header)?;
    let mut header = Reader(&header[2..]);
    let (len, code) = (header.u32()?, header.u32()?);
    let mut answer = vec![0; (len as usize).saturating_sub(HEADER_LEN)];
    tpm.read_exact(&mut answer)?;
    Ok((code, answer))
}

/// The bytes with their length before them.
pub(crate) fn sized(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("no structure of a TPM is longer");
    [&len.to_be_bytes()[..], bytes].concat()
}

/// What is left to read of an answer.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn bytes(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (bytes, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| io::Error::new(ErrorKind::UnexpectedEof, "its answer is short"))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn u16(&mut self) -> io::Result<u16> {
        Ok(u16::from_be_bytes(self.bytes(2)?.try_into().expect("two bytes")))
    }

    pub fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.bytes(4)?.try_into().expect("four bytes")))
    }

    /// Bytes that have their length before them.
    pub fn sized(&mut self) -> io::Result<&'a [u8]> {
        let len = self.u16()?;
        self.bytes(len.into())
    }
}
