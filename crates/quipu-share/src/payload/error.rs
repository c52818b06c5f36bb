//! Why a link's data can't be opened, in sentences for whoever followed it.
//!
//! What is not here: what was wrong inside; a damaged link is damaged.

/// Why a link's data can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// No base64url, or of something else.
    #[error("The link holds no trace: what stands in its place is none of Quipu’s. Ask for the link again.")]
    NotALink,
    /// The checksum differs.
    #[error(
        "The link is damaged: a part of it was cut off or changed on its way. Chat and mail programs shorten long links; ask for it again, or for a \
         file."
    )]
    Altered,
    /// A version that came after this one.
    #[error(
        "The link was made by a later Quipu: its data has version {version}, and this Quipu reads versions up to {}. Reload the page to get its \
         newest release, or open the link in a Quipu that is as new as the sender’s.",
        super::LINK_VERSION
    )]
    FromLater {
        /// Its version.
        version: u8,
    },
    /// More than anybody would put into a link.
    #[error("The link unpacks to more than a link can hold, so it was not opened. Ask for a file.")]
    TooLarge,
    /// The checksum is right, what it belongs to is not.
    #[error("The link’s data can’t be read: its parts contradict each other. Ask for it again.")]
    Malformed,
    /// It is encrypted.
    #[error("The link is encrypted. Open it in the page, which asks for the passphrase.")]
    Encrypted,
}
