//! The work of a call on the network, in words for people.

use std::fmt::{self, Display, Formatter};

/// The work of a call on the network. It follows the word "while" in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Resolving,
    Connecting,
    AskingProxy,
    SettingUpTls,
    Sending,
    Awaiting,
    Reading,
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Resolving => "it looked up a name",
            Stage::Connecting => "it opened a connection",
            Stage::AskingProxy => "it waited for the proxy",
            Stage::SettingUpTls => "it set up TLS",
            Stage::Sending => "it sent the request",
            Stage::Awaiting => "it waited for the response",
            Stage::Reading => "it read the response",
        })
    }
}
