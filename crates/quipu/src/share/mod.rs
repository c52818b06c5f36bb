//! View state and its URL.
