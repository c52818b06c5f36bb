//! Lists of log records, and single ones in full.
//!
//! Every question reads a bounded part of the file; whoever asks repeats it until everything was read. Not here: the records in memory and
//! which of them a filter matches (`logs`), the events of one trace (`trace_logs`).

use super::asked::one_line;
use super::attributes::{read_attributes, recorded};
use super::beyond::{dropped, source_attributes};
use super::listing::parse;
use super::{Session, bad_request, not_found};
use crate::index::NO_SPAN;
use quipu_model::recorded::entries;
use quipu_model::{LogRecord, LogSeverity, RecordedTime, Timestamp};
use quipu_protocol::{Answers, Failure, GetLog, ListLogs, LogDetail, LogId, LogItem, LogListQuery, LogPage, TextRef};
use quipu_store::{EventRow, StoreError, event_columns, event_row, log_record, logs_of_trace, source};

/// Maximum number of records on a page.
const MAX_PAGE: usize = 1_000;
/// Longer messages and lists of attributes are cut in a list.
const MAX_MESSAGE: usize = 500;
const MAX_REST: usize = 300;
/// Bytes of a value that are shown in a list.
const MAX_VALUE: usize = 80;

/// A record with all that the file has of it.
struct Found {
    item: LogItem,
    time_text: Option<String>,
    attributes: Option<String>,
    record: Option<LogRecord>,
}

impl Answers<ListLogs> for Session {
    fn answer(&mut self, ListLogs(query): ListLogs) -> Result<LogPage, Failure> {
        self.require_index()?;
        self.list_logs(&query)
    }
}

impl Answers<GetLog> for Session {
    fn answer(&mut self, GetLog(id): GetLog) -> Result<LogDetail, Failure> {
        self.require_index()?;
        self.log(id)
    }
}

impl Session {
    fn list_logs(&mut self, query: &LogListQuery) -> Result<LogPage, Failure> {
        let filter = parse(&query.filter)?;
        let (index, database) = (&*self.index, &self.database);
        let records = &mut self.records;
        if !records.is_complete() {
            self.log_lists = Default::default();
            database.bounded(|| records.step(index, database))?;
        }
        let mut page = LogPage {
            query: query.clone(),
            reading: records.reading(),
            total: 0,
            of_all: u32::try_from(records.len()).unwrap_or(u32::MAX),
            by_severity: [0; 7],
            chart: None,
            items: Vec::new(),
            notes: records.note().into_iter().collect(),
        };
        if !records.is_complete() {
            return Ok(page);
        }
        let selected = self.log_lists.select(query, &filter, records, index).map_err(bad_request)?;
        database.bounded(|| selected.step(records, index, database))?;
        page.reading = selected.reading();
        if page.reading.done {
            // The file must not have changed while it was read.
            database.check_unchanged()?;
        }
        page.total = selected.total();
        page.by_severity = selected.by_severity();
        page.chart = if query.bars > 0 { selected.chart(query.bars, records) } else { None };
        let listed: Vec<(LogId, u32)> =
            selected.page(query, MAX_PAGE, records).into_iter().map(|entry| (entry.log_id(), entry.row)).collect();
        for (id, row) in listed {
            page.items.extend(self.find_log(id, (row != NO_SPAN).then_some(row))?.map(|found| found.item));
        }
        Ok(page)
    }

    /// Reads log records until the list of a query is complete.
    ///
    /// # Errors
    /// Those of the question.
    pub fn list_all_logs(&mut self, query: &LogListQuery) -> Result<LogPage, Failure> {
        loop {
            let page = self.ask(ListLogs(query.clone()))?;
            if page.reading.done {
                return Ok(page);
            }
        }
    }

    /// The log records that name a trace, and no span of the file, by time, at most `most`. For a complete index only.
    ///
    /// # Errors
    /// When the trace does not exist; when the records can't be read.
    pub fn list_trace_logs(&self, trace_id: &str, most: usize) -> Result<Vec<LogItem>, Failure> {
        let trace_id = self.index.trace_id(self.trace_number(trace_id)?);
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let ids = self.database.bounded(|| logs_of_trace(connection, schema, &trace_id, most))?.unwrap_or_default();
        let mut items = Vec::new();
        for id in ids {
            items.extend(self.find_log(LogId::Record(id), None)?.map(|found| found.item));
        }
        quipu_model::ordered::sort_by_key(&mut items, |item| (item.time.is_none(), item.time));
        Ok(items)
    }

    fn log(&self, id: LogId) -> Result<LogDetail, Failure> {
        let gone = || not_found("There is no such log record in this file.".into());
        let found = self.find_log(id, None)?.ok_or_else(gone)?;
        let text_ref = |key| match id {
            LogId::Event(id) => TextRef::EventAttribute { id, key },
            LogId::Record(id) => TextRef::LogAttribute { id, key },
        };
        let (attributes, attributes_text) = read_attributes(found.attributes.as_deref(), text_ref);
        let attributes = attributes.into_iter().map(|read| read.shown);
        let (known, attributes): (Vec<_>, Vec<_>) =
            attributes.partition(|attribute| matches!(attribute.key.as_str(), "message" | "severity"));
        let message = known.iter().find(|attribute| attribute.key == "message").map(|attribute| attribute.text.clone());
        let record = found.record.unwrap_or_default();
        let more = record.more.unwrap_or_default();
        let said = |key: &str| {
            let value = entries(more.as_bytes()).flatten().find(|(name, _)| name.as_ref() == key)?.1;
            Some(value.as_str().unwrap_or_else(|| value.as_written()).into_owned())
        };
        let (resource, scope) = self.database.bounded(|| source_attributes(&self.database, record.source))?;
        let severity_text = match (said("severity_text"), said("severity_number")) {
            (Some(text), Some(number)) => Some(format!("{text} ({number})")),
            (Some(text), None) | (None, Some(text)) => Some(text),
            (None, None) => known.iter().find(|attribute| attribute.key == "severity").map(|attribute| attribute.text.raw.clone()),
        };
        Ok(LogDetail {
            item: found.item,
            time_text: found.time_text,
            observed: said("observed_time_unix_nano").and_then(|nanos| nanos.parse().ok()).map(Timestamp),
            severity_text,
            message: message.or_else(|| said("body").map(recorded)),
            attributes,
            attributes_text,
            resource,
            scope,
            notes: dropped(Some(&more), "log record"),
        })
    }

    /// Reads a record; `row` is that of its span, if it is known already.
    fn find_log(&self, id: LogId, row: Option<u32>) -> Result<Option<Found>, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        Ok(self.database.bounded(|| match id {
            LogId::Event(id) => {
                let Some(event) = event_row(connection, schema, id)? else { return Ok(None) };
                let row = match row {
                    Some(row) => Some(row),
                    None => self.row_of_event(id)?,
                };
                self.event(event, row).map(Some)
            }
            LogId::Record(id) => {
                let Some(record) = log_record(connection, schema, id)? else { return Ok(None) };
                self.record(id, record, row).map(Some)
            }
        })?)
    }

    fn row_of_event(&self, id: i64) -> Result<Option<u32>, StoreError> {
        let span_id = |event: quipu_store::EventColumns<'_>| event.span_id.map(|id| id.into_owned());
        let found = event_columns(self.database.connection(), self.database.schema(), id, span_id)?;
        // Several traces may have a span of this id; the one that has the event is its span.
        let rows = found.flatten().into_iter().flat_map(|span_id| self.index.rows_with_id(&span_id));
        Ok(rows.into_iter().find(|row| self.index.event_ids(*row).any(|event| event == id)))
    }

    fn event(&self, event: EventRow, row: Option<u32>) -> Result<Found, StoreError> {
        let offset = row.map_or(0, |row| self.index.offset_minutes(self.index.trace_of(row)));
        let time = event.timestamp.as_deref().and_then(|text| RecordedTime::parse(text).ok()).map(|time| time.instant(offset));
        let item = self.item(LogId::Event(event.id), time, event.name.unwrap_or_default(), event.attributes.as_deref(), row);
        Ok(Found { item, time_text: event.timestamp, attributes: event.attributes, record: None })
    }

    fn record(&self, id: i64, record: LogRecord, row: Option<u32>) -> Result<Found, StoreError> {
        let time = record.time_nanos.and_then(|nanos| i64::try_from(nanos).ok()).map(Timestamp);
        let in_trace = || self.index.find_span_in(self.index.find_trace(record.trace_id.as_deref()?)?, record.span_id.as_deref()?);
        let row = row.or_else(in_trace);
        let name = record.name.clone().unwrap_or_default();
        let mut item = self.item(LogId::Record(id), time, name, record.attributes.as_deref(), row);
        if let Some(number) = record.source
            && let Some((resource, _)) = source(self.database.connection(), self.database.schema(), number)?
        {
            let service = entries(resource.as_bytes()).flatten().filter(|(key, _)| key == "service.name").last();
            item.service = service.and_then(|(_, name)| name.as_str().map(|name| name.into_owned())).or(item.service);
        }
        item.trace_id = item.trace_id.or_else(|| record.trace_id.clone());
        item.span_id = item.span_id.or_else(|| record.span_id.clone());
        Ok(Found { item, time_text: record.timestamp.clone(), attributes: record.attributes.clone(), record: Some(record) })
    }

    fn item(&self, id: LogId, time: Option<Timestamp>, name: String, attributes: Option<&str>, row: Option<u32>) -> LogItem {
        let index = &self.index;
        let (mut message, mut severity, mut rest) = (String::new(), None, [String::new(), String::new()]);
        for (key, value) in entries(attributes.unwrap_or_default().as_bytes()).flatten() {
            let text = || value.as_str().unwrap_or_else(|| value.as_written());
            match key.as_ref() {
                "message" => message = one_line(&text(), MAX_MESSAGE),
                "severity" => severity = LogSeverity::from_name(&text()),
                key => {
                    let [facts, ids] = &mut rest;
                    let line = if is_bookkeeping(key) { ids } else { facts };
                    if line.len() < MAX_REST {
                        line.push_str(&format!(" {key}={}", one_line(&text(), MAX_VALUE)));
                    }
                }
            }
        }
        LogItem {
            id,
            time,
            severity,
            name: if name == UNNAMED { String::new() } else { name },
            message,
            rest: one_line(&rest.concat(), MAX_REST),
            service: row.and_then(|row| index.service_of(row)).map(|number| index.services().text(number).to_owned()),
            trace_id: row.map(|row| index.trace_id_of(row)),
            span_id: row.map(|row| index.span_id_of(row)),
            span_name: row.map(|row| index.span_name(row).to_owned()),
        }
    }
}

/// Whether an attribute tells records apart rather than what happened: such come last on a line.
fn is_bookkeeping(key: &str) -> bool {
    key.starts_with("event.") || key.ends_with(".id") || key.ends_with("_id")
}

/// The name of Llama Stack's log events, and of records that have none.
const UNNAMED: &str = "unstructured_log";
