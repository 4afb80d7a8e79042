//! Reads a TPM structure (TPM 2.0 Library, Part 2: big endian, sized buffers), field by field, and never past its end.

/// What is left to read.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    /// Whether everything has been read.
    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `len` bytes.
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A sized buffer (TPM2B) of at most `most` bytes.
    pub(super) fn sized(&mut self, most: usize) -> Option<&'a [u8]> {
        let len = usize::from(self.u16()?);
        if len > most { None } else { self.bytes(len) }
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut reader = Reader::new(&[0, 3, 1, 2]);
        assert_eq!(reader.sized(8), None);
        let mut reader = Reader::new(&[0, 2, 1, 2, 9]);
        assert_eq!(reader.sized(1), None);
        let mut reader = Reader::new(&[0, 2, 1, 2, 9]);
        assert_eq!(reader.sized(2), Some(&[1, 2][..]));
        assert_eq!((reader.u16(), reader.u64(), reader.u8(), reader.is_done()), (None, None, Some(9), true));
    }
}
