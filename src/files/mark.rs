//! The identity of a file at one moment.

/// The identity of a file at one moment. Two marks of a name are equal if the file was not replaced or written between them.
/// `None` if there is no file. Each system fills the numbers with what it knows: volume, file, size and time of the last write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark(pub(super) Option<[i128; 5]>);
