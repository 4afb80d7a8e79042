//! What verifies a TPM's signatures: RSA with either padding, ECDSA over two curves.
//!
//! Everything here is public: keys, messages, signatures. A wrong one is `false`, never an error.

/// The paddings of an RSA signature (RFC 8017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RsaPadding {
    /// RSASSA-PKCS1-v1_5.
    Pkcs1,
    /// RSASSA-PSS, MGF1 with the same hash, and a salt of either length that TPMs make: as long as the digest, or as
    /// long as fits (TPM 2.0 Library, Part 1, Annex B.7).
    Pss,
}

/// The curves of an ECDSA signature (SP 800-186).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

impl Curve {
    /// Bytes of a coordinate, and of each half of a signature.
    pub(crate) fn len(self) -> usize {
        self.order().len()
    }

    /// The order of the group, big endian: both halves of a signature are between 0 and it.
    pub(crate) fn order(self) -> &'static [u8] {
        match self {
            Curve::P256 => &[
                0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
                0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
            ],
            Curve::P384 => &[
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a,
                0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
            ],
        }
    }
}
