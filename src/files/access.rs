//! The users who may read or write a file. Each system decides it by its own means: modes, or an access control list.

/// The users who may read or write a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody but the owner may read or write it.
    Private,
    /// As [`Private`](Access::Private). A file of root's may also be readable by its group: a mounted secret.
    Mounted,
    /// Everybody may read it. Its content is compared with a private file.
    Public,
    /// Everybody may read it. Nobody but the owner may write it.
    Trusted,
}
