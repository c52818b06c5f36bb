//! The W3C trace context header `traceparent`: `00-TRACE-SPAN-FLAGS`.
//!
//! `tracestate` is passed on unchanged.

/// The parent of a span in another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent {
    /// 32 hex digits.
    pub(crate) trace_id: String,
    /// 16 hex digits.
    pub(crate) span_id: String,
    /// Whether the caller records the trace.
    pub(crate) is_sampled: bool,
}

impl TraceParent {
    /// Parses a header by the W3C rules; `None` if it is invalid. Later versions may have more fields; version `ff` is invalid.
    pub(crate) fn parse(text: &str) -> Option<TraceParent> {
        let mut parts = text.trim().split('-');
        let mut part = |digits: usize| parts.next().filter(|part| part.len() == digits && part.bytes().all(is_digit));
        let (version, trace_id, span_id, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let is_none = |id: &str| id.bytes().all(|digit| digit == b'0');
        if version == "ff" || version == "00" && parts.next().is_some() || is_none(trace_id) || is_none(span_id) {
            return None;
        }
        let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(TraceParent { trace_id: trace_id.to_owned(), span_id: span_id.to_owned(), is_sampled })
    }

    /// Formats the header.
    pub(crate) fn header(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled))
    }
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_context_is_none() {
        let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceParent::parse(valid).map(|context| context.header()).as_deref(), Some(valid));
        let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(!TraceParent::parse(unsampled).expect("valid").is_sampled);
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-what-may-come";
        assert!(TraceParent::parse(later).expect("valid").is_sampled);
        for wrong in [
            "",
            "garbage",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceParent::parse(wrong), None, "{wrong}");
        }
    }
}
