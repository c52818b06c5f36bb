//! Decoding what Llama Stack wrote as text.
