//! The column format, version 1: each string is stored once, ids as bytes, times as differences.
//!
//! Compression removes redundancy between strings. The meaning of the rows is not checked.
//!
//! What reads is marked `#[inline]`, so that it is built with the crate that calls it: the page's worker for size, this crate for speed.
//!
//! Order: number of strings, ids, traces, spans, events; strings (lengths, then bytes); ids; then column by column of each table. A string
//! or id in a column is 0 for NULL, 1 for the next new one, or 2 plus the distance to an earlier one.

use super::LinkError;
use super::bytes::{In, Out};
use super::times::{self, TimeForm};
use quipu_model::budget::{Allowance, Budget};
use quipu_model::encoding::{from_hex, hex};
use quipu_model::{EventRecord, Recording, SpanRecord, TraceRecord};
use std::collections::BTreeMap;

/// Maximum size of the rows that are read: a row takes a few bytes in columns, and a string that is stored once can be used a million times.
const MAX_ROW_BYTES: u64 = 256_000_000;
/// What a string takes beside its length.
const STRING_BYTES: usize = 16;
/// What a time takes as a string.
const TIME_BYTES: usize = 48;

/// Strings in the order of first use.
#[derive(Default)]
struct Names<'a> {
    order: Vec<&'a str>,
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    /// The number that encodes the string in a column.
    fn name(&mut self, text: Option<&'a str>) -> u64 {
        let Some(text) = text else { return 0 };
        let next = self.order.len();
        match self.places.get(text) {
            Some(place) => (next - place) as u64 + 1,
            None => {
                self.order.push(text);
                self.places.insert(text, next);
                1
            }
        }
    }
}

/// Columns being written.
#[derive(Default)]
struct Packing<'a> {
    texts: Names<'a>,
    ids: Names<'a>,
    columns: Out,
}

impl<'a> Packing<'a> {
    fn texts(&mut self, texts: impl Iterator<Item = &'a Option<String>>) {
        for text in texts {
            let number = self.texts.name(text.as_deref());
            self.columns.number(number);
        }
    }

    fn ids(&mut self, ids: impl Iterator<Item = Option<&'a str>>) {
        for id in ids {
            let number = self.ids.name(id);
            self.columns.number(number);
        }
    }

    /// The formats, then their data: microseconds since the previous time, or a string.
    fn times(&mut self, times: &mut dyn Iterator<Item = &'a Option<String>>) {
        let times: Vec<_> = times.map(|text| (text.as_deref(), text.as_deref().and_then(times::read))).collect();
        for (text, time) in &times {
            self.columns.0.push(time.map_or(u8::from(text.is_some()), |(_, form)| form as u8));
        }
        let mut before = 0_i64;
        for (text, time) in times {
            match (time, text) {
                (Some((micros, _)), _) => {
                    self.columns.signed(micros.wrapping_sub(before));
                    before = micros;
                }
                (None, Some(_)) => {
                    let number = self.texts.name(text);
                    self.columns.number(number);
                }
                (None, None) => {}
            }
        }
    }
}

/// Encodes a recording so that [`unpack`] returns an equal one.
pub fn pack(recording: &Recording) -> Vec<u8> {
    let mut packing = Packing::default();
    let Recording { traces, spans, events } = recording;
    packing.ids(spans.iter().map(|row| Some(row.span_id.as_str())));
    packing.ids(spans.iter().map(|row| row.trace_id.as_deref()));
    packing.ids(spans.iter().map(|row| row.parent_span_id.as_deref()));
    packing.texts(spans.iter().map(|row| &row.name));
    packing.texts(spans.iter().map(|row| &row.status));
    packing.texts(spans.iter().map(|row| &row.kind));
    // A span's end is relative to its start, the next start relative to that, which gives small numbers.
    packing.times(&mut spans.iter().flat_map(|row| [&row.start_time, &row.end_time]));
    packing.texts(spans.iter().map(|row| &row.attributes));
    packing.ids(traces.iter().map(|row| Some(row.trace_id.as_str())));
    packing.ids(traces.iter().map(|row| row.root_span_id.as_deref()));
    packing.texts(traces.iter().map(|row| &row.service_name));
    packing.times(&mut traces.iter().flat_map(|row| [&row.start_time, &row.end_time, &row.created_at]));
    packing.ids(events.iter().map(|row| row.span_id.as_deref()));
    packing.texts(events.iter().map(|row| &row.name));
    packing.times(&mut events.iter().map(|row| &row.timestamp));
    packing.texts(events.iter().map(|row| &row.attributes));

    let mut out = Out::default();
    for count in [packing.texts.order.len(), packing.ids.order.len(), traces.len(), spans.len(), events.len()] {
        out.number(count as u64);
    }
    packing.texts.order.iter().for_each(|text| out.number(text.len() as u64));
    packing.texts.order.iter().for_each(|text| out.0.extend_from_slice(text.as_bytes()));
    write_ids(&packing.ids.order, &mut out);
    out.0.append(&mut packing.columns.0);
    out.0
}

/// Decodes a recording. Never panics. All memory is counted before it is taken.
///
/// # Errors
/// [`LinkError::Malformed`] or [`LinkError::TooLarge`].
#[inline]
pub fn unpack(bytes: &[u8]) -> Result<Recording, LinkError> {
    let mut input = In(bytes);
    let counts = [input.count()?, input.count()?, input.count()?, input.count()?, input.count()?];
    let [texts, ids, traces, spans, events] = counts;
    // Each row takes at least one byte per column.
    if spans.saturating_mul(8) + traces.saturating_mul(4) + events.saturating_mul(4) > bytes.len() {
        return Err(LinkError::Malformed);
    }
    let budget = Budget::new(|| 0, Allowance { bytes: MAX_ROW_BYTES, ..Allowance::DEFAULT });
    let rows = traces * size_of::<TraceRecord>() + spans * size_of::<SpanRecord>() + events * size_of::<EventRecord>();
    // One column at a time is held beside the rows.
    let columns =
        texts * size_of::<(usize, String)>() + ids * size_of::<String>() + traces.max(spans * 2).max(events) * size_of::<Option<String>>();
    hold(&budget, rows.saturating_add(columns))?;
    hold(&budget, bytes.len())?;
    let lengths = (0..texts).map(|_| input.count()).collect::<Result<Vec<_>, _>>()?;
    let texts = lengths.into_iter().map(|length| input.text(length)).collect::<Result<Vec<_>, _>>()?;
    let ids = read_ids(ids, &mut input)?;
    let mut unpacking = Unpacking { input, texts: Known { all: texts, next: 0 }, ids: Known { all: ids, next: 0 }, budget };

    let span_ids = unpacking.ids(spans)?;
    let mut rows = Vec::with_capacity(spans);
    for id in span_ids {
        rows.push(SpanRecord { span_id: id.ok_or(LinkError::Malformed)?, ..SpanRecord::default() });
    }
    fill(&mut rows.iter_mut().map(|row| &mut row.trace_id), unpacking.ids(spans)?);
    fill(&mut rows.iter_mut().map(|row| &mut row.parent_span_id), unpacking.ids(spans)?);
    fill(&mut rows.iter_mut().map(|row| &mut row.name), unpacking.texts(spans)?);
    fill(&mut rows.iter_mut().map(|row| &mut row.status), unpacking.texts(spans)?);
    fill(&mut rows.iter_mut().map(|row| &mut row.kind), unpacking.texts(spans)?);
    let mut times = unpacking.times(spans * 2)?.into_iter();
    for row in &mut rows {
        row.start_time = times.next().flatten();
        row.end_time = times.next().flatten();
    }
    fill(&mut rows.iter_mut().map(|row| &mut row.attributes), unpacking.texts(spans)?);
    let mut recording = Recording { traces: Vec::with_capacity(traces), spans: rows, events: vec![EventRecord::default(); events] };

    for id in unpacking.ids(traces)? {
        recording.traces.push(TraceRecord { trace_id: id.ok_or(LinkError::Malformed)?, ..TraceRecord::default() });
    }
    fill(&mut recording.traces.iter_mut().map(|row| &mut row.root_span_id), unpacking.ids(traces)?);
    fill(&mut recording.traces.iter_mut().map(|row| &mut row.service_name), unpacking.texts(traces)?);
    let mut times = unpacking.times(traces * 3)?.into_iter();
    for row in &mut recording.traces {
        row.start_time = times.next().flatten();
        row.end_time = times.next().flatten();
        row.created_at = times.next().flatten();
    }
    fill(&mut recording.events.iter_mut().map(|row| &mut row.span_id), unpacking.ids(events)?);
    fill(&mut recording.events.iter_mut().map(|row| &mut row.name), unpacking.texts(events)?);
    fill(&mut recording.events.iter_mut().map(|row| &mut row.timestamp), unpacking.times(events)?);
    fill(&mut recording.events.iter_mut().map(|row| &mut row.attributes), unpacking.texts(events)?);
    if unpacking.input.0.is_empty() { Ok(recording) } else { Err(LinkError::Malformed) }
}

#[inline]
fn hold(budget: &Budget, bytes: usize) -> Result<(), LinkError> {
    budget.hold(bytes as u64).map_err(|_| LinkError::TooLarge { bytes: MAX_ROW_BYTES })
}

/// Puts the values of a column into the rows.
#[inline]
fn fill(cells: &mut dyn Iterator<Item = &mut Option<String>>, values: Vec<Option<String>>) {
    cells.zip(values).for_each(|(cell, value)| *cell = value);
}

/// Strings seen so far.
struct Known {
    all: Vec<String>,
    next: usize,
}

impl Known {
    #[inline]
    fn get(&mut self, number: u64, budget: &Budget) -> Result<Option<String>, LinkError> {
        let place = match number {
            0 => return Ok(None),
            1 => {
                self.next += 1;
                self.next - 1
            }
            back => usize::try_from(back - 1).ok().and_then(|back| self.next.checked_sub(back)).ok_or(LinkError::Malformed)?,
        };
        let text = self.all.get(place).ok_or(LinkError::Malformed)?;
        hold(budget, text.len() + STRING_BYTES)?;
        Ok(Some(text.clone()))
    }
}

/// Columns being read.
struct Unpacking<'a> {
    input: In<'a>,
    texts: Known,
    ids: Known,
    budget: Budget,
}

impl Unpacking<'_> {
    #[inline]
    fn text(&mut self) -> Result<Option<String>, LinkError> {
        self.texts.get(self.input.number()?, &self.budget)
    }

    #[inline]
    fn texts(&mut self, count: usize) -> Result<Vec<Option<String>>, LinkError> {
        (0..count).map(|_| self.text()).collect()
    }

    #[inline]
    fn ids(&mut self, count: usize) -> Result<Vec<Option<String>>, LinkError> {
        (0..count).map(|_| self.ids.get(self.input.number()?, &self.budget)).collect()
    }

    #[inline]
    fn times(&mut self, count: usize) -> Result<Vec<Option<String>>, LinkError> {
        let forms = self.input.bytes(count)?;
        let mut before = 0_i64;
        let mut times = Vec::with_capacity(count);
        for form in forms {
            times.push(match (form, TimeForm::of_code(*form)) {
                (0, _) => None,
                (1, _) => self.text()?,
                (_, Some(form)) => {
                    before = before.wrapping_add(self.input.signed()?);
                    hold(&self.budget, TIME_BYTES)?;
                    Some(times::write(before, form))
                }
                _ => return Err(LinkError::Malformed),
            });
        }
        Ok(times)
    }
}

/// An id: 0 and a string; 1, the number of bytes, and the bytes; or 2 for the previous id of that length plus one.
fn write_ids(ids: &[&str], out: &mut Out) {
    let mut before = first_ids();
    for id in ids {
        let bytes = small_hex(id);
        match bytes.and_then(|bytes| Some((before.get_mut(bytes.len())?, bytes))) {
            None => {
                out.number(0);
                out.number(id.len() as u64);
                out.0.extend_from_slice(id.as_bytes());
            }
            Some((last, bytes)) => {
                if next_of(last) == bytes {
                    // The length says which earlier id is meant.
                    out.number(2);
                    out.number(bytes.len() as u64);
                } else {
                    out.number(1);
                    out.number(bytes.len() as u64);
                    out.0.extend_from_slice(&bytes);
                }
                *last = bytes;
            }
        }
    }
}

#[inline]
fn read_ids(count: usize, input: &mut In<'_>) -> Result<Vec<String>, LinkError> {
    let mut before = first_ids();
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let form = input.byte()?;
        let length = usize::try_from(input.number()?).map_err(|_| LinkError::Malformed)?;
        let bytes = match form {
            0 => {
                ids.push(input.text(length)?);
                continue;
            }
            1 => input.bytes(length)?.to_vec(),
            2 => next_of(before.get(length).ok_or(LinkError::Malformed)?),
            _ => return Err(LinkError::Malformed),
        };
        ids.push(hex(&bytes));
        if let Some(last) = before.get_mut(length) {
            *last = bytes;
        }
    }
    Ok(ids)
}

/// Longer ids are stored as strings.
const MAX_ID_BYTES: usize = 32;

/// What is before the first id of each length: zeros.
#[inline]
fn first_ids() -> Vec<Vec<u8>> {
    (0..=MAX_ID_BYTES).map(|length| vec![0; length]).collect()
}

/// The bytes of a hexadecimal id; `None` if they would not give the same string, or if it is too long.
fn small_hex(id: &str) -> Option<Vec<u8>> {
    if id.is_empty() || id.len() > MAX_ID_BYTES * 2 || id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    from_hex(id)
}

/// The big-endian number plus one.
#[inline]
fn next_of(bytes: &[u8]) -> Vec<u8> {
    let mut next = bytes.to_vec();
    for byte in next.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    next
}
