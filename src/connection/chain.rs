//! A verified certificate chain, as a person chooses a pin from it.

use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Encode, Tag};
use x509_cert::name::Name;

use crate::crypto::Fingerprint;

/// The certificates from the leaf to the root.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain(Vec<Link>);

#[derive(Clone, Debug)]
struct Link {
    fingerprint: Fingerprint,
    subject: String,
}

impl Chain {
    /// The chain of a path that webpki has verified.
    pub(super) fn of(path: &webpki::VerifiedPath<'_>) -> Chain {
        let leaf: &webpki::Cert<'_> = path.end_entity();
        let mut links = vec![Link::of(&leaf.subject_public_key_info(), leaf.subject())];
        links.extend(path.intermediate_certificates().map(|c| Link::of(&c.subject_public_key_info(), c.subject())));
        let root = path.anchor();
        links.push(Link::of(&sequence(&root.subject_public_key_info), &root.subject));
        Chain(links)
    }

    /// The fingerprints.
    pub(super) fn fingerprints(&self) -> Vec<Fingerprint> {
        self.0.iter().map(|link| link.fingerprint).collect()
    }

    /// For a message: each certificate's role and pin.
    pub(super) fn shown(&self) -> String {
        let parts: Vec<_> = self
            .0
            .iter()
            .enumerate()
            .map(|(i, link)| format!("{} {}", self.role(i), link.fingerprint.as_pin()))
            .collect();
        parts.join(", ")
    }

    /// As a JSON array.
    pub(super) fn json(&self) -> String {
        let links = self.0.iter().enumerate().map(|(i, link)| {
            serde_json::json!({ "role": self.role(i), "sha256": link.fingerprint.as_pin(), "subject": link.subject })
        });
        serde_json::Value::Array(links.collect()).to_string()
    }

    fn role(&self, index: usize) -> &'static str {
        match index {
            0 => "leaf",
            last if last + 1 == self.0.len() => "root",
            _ => "intermediate",
        }
    }
}

impl Link {
    fn of(spki: &[u8], subject: &[u8]) -> Link {
        let subject = Name::from_der(&sequence(subject)).map(|name| name.to_string()).unwrap_or_default();
        Link { fingerprint: Fingerprint::of(spki), subject }
    }
}

/// An ASN.1 SEQUENCE around its content, which webpki leaves out.
fn sequence(content: &[u8]) -> Vec<u8> {
    AnyRef::new(Tag::Sequence, content).and_then(|any| any.to_der()).unwrap_or_default()
}
