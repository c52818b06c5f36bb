//! Damaged files of every shape: some of them is read or refused, and nothing panics.

use super::packed::import;
use proptest::prelude::*;

const SAMPLES: [&str; 8] = [
    r#"{"result":{"spans":[{"traceId":"AAAAAAAAAAAAAAAAAAAAAQ==","spanId":"AAAAAAAAAAI=","operationName":"get","startTime":"2025-10-09T08:53:20.1Z","duration":"0.005s","tags":[{"key":"a","vType":"INT64","vInt64":"2"}],"process":{"serviceName":"api"}}]}}"#,
    r#"{"hits":{"hits":[{"_source":{"traceID":"1","spanID":"2","operationName":"pay","startTime":1760000000123456,"duration":1500,"tag":{"http@method":"GET"},"process":{"serviceName":"shop"}}}]}}"#,
    r#"[[{"traceId":"1","id":"2","kind":"SERVER","name":"x","timestamp":1556604172355737,"duration":1431,"shared":true,"annotations":[{"timestamp":1,"value":"sr"}],"tags":{"error":""}}]]"#,
    r#"{"traceEvents":[{"ph":"X","ts":1.5,"dur":2,"pid":1,"tid":1},{"ph":"B","ts":2,"pid":1},{"ph":"i","ts":2},{"ph":"b","id":"1","ts":3},{"ph":"E","ts":3,"pid":1},{"ph":"M","name":"process_name","args":{"name":"p"}}]}"#,
    r#"{"trace":{"id":"t","userId":"u"},"observations":[{"id":"o","traceId":"t","type":"GENERATION","startTime":"2025-10-09T08:53:20Z","model":"m","usageDetails":{"input":1},"metadata":"{\"scope\":{\"name\":1}}"}]}"#,
    r#"{"data":[{"context":{"trace_id":"1","span_id":"2"},"span_kind":"LLM","start_time":1760000000123,"attributes":{"llm":{"x":[{"y":[1,{"z":2}]}]}},"status_code":"OK","events":[{"name":"e"}]}]}"#,
    r#"{"name":"a","context":{"trace_id":"0x1","span_id":"0x2"},"kind":"SpanKind.SERVER","start_time":"2025-10-09T08:53:20Z","status":{"status_code":"OK"},"links":[{"context":{"trace_id":"0x3"}}],"resource":{"attributes":{"a":[1]}}}"#,
    "{\n  traceId: '1',\n  name: `a\\u{41}\n`,\n  id: '2',\n  timestamp: 1720132143829000.2,\n  attributes: { 'a': [Object], b: Map(1) { 'k' => 1 }, c: undefined, },\n  status: { code: 2 },\n  events: [ { time: [ 1, 2 ] } ]\n}\n",
];

proptest! {
    #[test]
    fn nothing_panics(
        sample in 0..SAMPLES.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"{}[]\"',:0.-x\\ \n\xff".to_vec())), 0..6),
        times in 1..4_usize,
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = SAMPLES[sample].repeat(times).into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        import(&bytes);
        bytes.truncate(end.index(bytes.len()) + 1);
        import(&bytes);
    }
}

#[test]
fn the_samples_are_read() {
    for sample in SAMPLES {
        let (_, report) = super::read(sample.as_bytes());
        assert!(report.spans > 0 && report.problem_count == 0, "{report:?} {sample}");
    }
}
