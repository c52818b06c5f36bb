//! Errors for the data of links, as messages to whoever opened the link.

/// Why a link's data can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not base64url, or not Quipu's data.
    #[error("The link contains no trace. Ask for the link again.")]
    NotALink,
    /// The checksum does not match.
    #[error(
        "The link is damaged: a part of it was cut off or changed on its way. Chat and mail programs shorten long links; ask for it again, or for a \
         file."
    )]
    Altered,
    /// The version is newer than this reader.
    #[error(
        "The link was made by a later Quipu: its data has version {version}, and this Quipu reads versions up to {}. Reload the page to get its \
         newest release, or open the link in a Quipu that is as new as the sender’s.",
        super::LINK_VERSION
    )]
    FromLater {
        /// Version of the data.
        version: u8,
    },
    /// The data exceeds a limit for links.
    #[error("This link holds more than {} when unpacked. Ask for a file.", quipu_model::format::bytes(*.bytes))]
    TooLarge {
        /// The limit.
        bytes: u64,
    },
    /// The checksum matches, but the data is inconsistent.
    #[error("The link’s data is inconsistent and can’t be read. Ask for the link again.")]
    Malformed,
    /// The data is encrypted.
    #[error("The link is encrypted. Open it in the page, which asks for the passphrase.")]
    Encrypted,
}
