//! The cryptography of TLS, whose draws of random bytes pass the gate of forks.

use std::sync::LazyLock;

use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret,
    SupportedKxGroup,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, ProtocolVersion, SupportedProtocolVersion};

#[cfg(feature = "aws-lc")]
use rustls::crypto::aws_lc_rs as plain;
#[cfg(not(feature = "aws-lc"))]
use rustls::crypto::ring as plain;

use crate::crypto::drawing;
use crate::memory::fork_gate;

/// The provider's generator and its key exchange groups, each behind the gate.
static GROUPS: LazyLock<Vec<Gated<&'static dyn SupportedKxGroup>>> =
    LazyLock::new(|| plain::default_provider().kx_groups.into_iter().map(Gated).collect());
static RANDOM: LazyLock<Gated<&'static dyn SecureRandom>> =
    LazyLock::new(|| Gated(plain::default_provider().secure_random));

/// The provider for rustls. A client issues no tickets, and its signatures pass the gate in `client_certificate`. Otherwise it
/// draws random bytes only for its hello and for its key shares.
pub(super) fn gated() -> CryptoProvider {
    // A fork must not find another thread in the middle of the first use.
    fork_gate::pass(|| CryptoProvider {
        kx_groups: GROUPS.iter().map(|group| group as &dyn SupportedKxGroup).collect(),
        secure_random: &*RANDOM,
        ..plain::default_provider()
    })
}

#[derive(Debug)]
struct Gated<T>(T);

impl SecureRandom for Gated<&'static dyn SecureRandom> {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        drawing(|| self.0.fill(buf))
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

impl SupportedKxGroup for Gated<&'static dyn SupportedKxGroup> {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        drawing(|| self.0.start()).map(|share| Box::new(Gated(share)) as Box<dyn ActiveKeyExchange>)
    }

    fn start_and_complete(&self, peer_pub_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        drawing(|| self.0.start_and_complete(peer_pub_key))
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        self.0.ffdhe_group()
    }

    fn name(&self) -> NamedGroup {
        self.0.name()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.0.usable_for_version(version)
    }
}

impl ActiveKeyExchange for Gated<Box<dyn ActiveKeyExchange>> {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        drawing(|| self.0.complete(peer_pub_key))
    }

    fn complete_for_tls_version(
        self: Box<Self>,
        peer_pub_key: &[u8],
        tls_version: &SupportedProtocolVersion,
    ) -> Result<SharedSecret, Error> {
        drawing(|| self.0.complete_for_tls_version(peer_pub_key, tls_version))
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        self.0.hybrid_component()
    }

    fn complete_hybrid_component(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        drawing(|| self.0.complete_hybrid_component(peer_pub_key))
    }

    fn pub_key(&self) -> &[u8] {
        self.0.pub_key()
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        self.0.ffdhe_group()
    }

    fn group(&self) -> NamedGroup {
        self.0.group()
    }
}
