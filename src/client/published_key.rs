//! The server's key, for its users to compare.

/// The public key that the server publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedKey {
    /// SubjectPublicKeyInfo as PEM.
    pub pem: String,
    /// SHA-256 of the SubjectPublicKeyInfo (DER) as 64 hexadecimal digits, which
    /// [`add_server_key_pin`](crate::Config::add_server_key_pin) takes.
    pub sha256: String,
}
