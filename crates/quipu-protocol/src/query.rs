//! Llama Stack's query API.

use serde::{Deserialize, Serialize};

/// A call of Llama Stack's query API. Answer: the API's own JSON. Most methods need the complete index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallQueryApi {
    /// `query_traces`, `get_span_tree` and so on.
    pub method: String,
    /// A JSON object, or empty for no parameters.
    pub params: String,
    /// The caller's clock, in seconds since 1970; `None`: no time limit.
    pub now_seconds: Option<i64>,
}
