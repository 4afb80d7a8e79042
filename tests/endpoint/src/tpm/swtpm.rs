//! The process of the software TPM. It is born with its one connection and cannot outlive it.
//!
//! swtpm takes its commands from one end of a socket pair and ends when the other is closed. That is in this process, so
//! that swtpm ends with the endpoint, however that ends; and nobody else can connect.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use tempfile::TempDir;

/// A running swtpm, ended when dropped. Whoever waits for its answer then gets an error.
pub(crate) struct Swtpm {
    process: Child,
    // Removed after the process has ended.
    _state: TempDir,
}

impl Swtpm {
    /// Starts one that is new and powered on, and returns the connection for commands.
    pub fn start() -> io::Result<(Swtpm, UnixStream)> {
        let state = TempDir::with_prefix("nomyo-swtpm-")?;
        let (near, far) = UnixStream::pair()?;
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--server", "type=tcp,fd=0", "--flags", "not-need-init,startup-clear"])
            .env("TPM_PATH", state.path())
            .stdin(OwnedFd::from(far))
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => io::Error::new(
                    ErrorKind::NotFound,
                    "--tpm swtpm needs the program swtpm, and it is not installed (Debian: apt-get install swtpm)",
                ),
                _ => error,
            })?;
        Ok((Swtpm { process, _state: state }, near))
    }
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        // It may have ended already. Nothing of its state is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
