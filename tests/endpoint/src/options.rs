//! What can be set: the flags of the program and, the same, the options of the library.

use std::path::PathBuf;

use crate::{Tier, TpmKind};

/// How to run the endpoint. The default is a temporary server on a free port with the echo model
/// and no control.
#[derive(Clone, clap::Args)]
pub struct Options {
    /// HTTPS port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Also listen on plain HTTP, on another free port
    #[arg(long)]
    pub http: bool,

    /// Keep the server key and the CA here; without it they are temporary and removed at the end
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Write a JSON file with the address, the CA file and the key's fingerprint once the server
    /// listens
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,

    /// Require this bearer key
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,

    /// The highest security tier that is allowed; above it the answer is 403
    #[arg(long, value_enum, default_value_t = Tier::Maximum)]
    pub tier_policy: Tier,

    /// What attests; without a TPM the tier `maximum` is 503
    #[arg(long, value_enum, default_value_t = TpmKind::None)]
    pub tpm: TpmKind,

    /// Forward requests to this OpenAI-compatible server instead of echoing
    #[arg(long, value_name = "URL")]
    pub upstream: Option<String>,

    /// Bearer key for the upstream server
    #[arg(long, value_name = "KEY", env = "NOMYO_ENDPOINT_UPSTREAM_KEY", hide_env_values = true)]
    pub upstream_key: Option<String>,

    /// Enable /control/stats, reset, faults and rotate-key, and `nomyo_test` in requests
    #[arg(long)]
    pub control: bool,

    /// Enable /control/keys, which tells the AES keys of a request
    #[arg(long)]
    pub reveal_keys: bool,

    /// The server's private key as PKCS#8 or PKCS#1 PEM, in place of the one in the state
    /// directory.
    #[arg(skip)]
    pub server_key_pem: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            http: false,
            state_dir: None,
            ready_file: None,
            api_key: None,
            tier_policy: Tier::Maximum,
            tpm: TpmKind::None,
            upstream: None,
            upstream_key: None,
            control: false,
            reveal_keys: false,
            server_key_pem: None,
        }
    }
}
