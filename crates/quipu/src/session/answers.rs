//! The answer to each question of the protocol.
//!
//! Not here: the work itself, which is in the module of its topic.

use super::{Session, attributes};
use quipu_model::llm::conversation_lines;
use quipu_protocol::markup::Node;
use quipu_protocol::{
    Answers, CallQueryApi, CheckFile, CompareInput, CompleteSql, CopyDatabase, DescribeSql, ExportConversation, ExportSql, Failure,
    FilePart, FileSummary, FindIds, FindInSpan, GetCriticalPath, GetFile, GetRecorded, GetSheet, GetSpan, GetSqlValue, GetText, GetTrace,
    HitPage, IdPlace, ListHits, ListMoments, ListSqlRows, ListTraces, MakeShare, NameSpans, NamedSpan, Packed, PathPart, PlanSql,
    PreviewShare, ReadFile, RecordedText, RedactReport, RunSql, SearchProgress, SetPrices, SetSearching, Shared, SpanDetail, SpanMatch,
    SpanMoments, SqlRan, SqlRows, SqlSchema, SqlText, SqlWholeValue, SqlWrong, Suggest, Suggestions, SummarizeTraces, TraceColumns,
    TracePage, TraceSummary,
};
use quipu_ui::view::{Times, critical_path};

impl Answers<GetFile> for Session {
    fn answer(&mut self, _: GetFile) -> Result<FileSummary, Failure> {
        Ok(self.file())
    }
}

impl Answers<CheckFile> for Session {
    fn answer(&mut self, _: CheckFile) -> Result<(), Failure> {
        Ok(self.database.check_unchanged()?)
    }
}

impl Answers<ReadFile> for Session {
    fn answer(&mut self, ReadFile { offset }: ReadFile) -> Result<FilePart, Failure> {
        self.read_file(offset)
    }
}

impl Answers<SetPrices> for Session {
    fn answer(&mut self, SetPrices(prices): SetPrices) -> Result<(), Failure> {
        self.prices = prices;
        self.apply_prices();
        Ok(())
    }
}

impl Answers<ListTraces> for Session {
    fn answer(&mut self, ListTraces(query): ListTraces) -> Result<TracePage, Failure> {
        self.begin_search(&query.filter);
        self.list_traces(&query)
    }
}

impl Answers<SummarizeTraces> for Session {
    fn answer(&mut self, SummarizeTraces(query): SummarizeTraces) -> Result<TraceSummary, Failure> {
        self.begin_search(&query.filter);
        self.summarize_traces(&query)
    }
}

impl Answers<GetTrace> for Session {
    fn answer(&mut self, GetTrace { trace_id, scope }: GetTrace) -> Result<TraceColumns, Failure> {
        self.require_index()?;
        self.trace(&trace_id, &scope)
    }
}

impl Answers<GetCriticalPath> for Session {
    fn answer(&mut self, GetCriticalPath { trace_id, scope }: GetCriticalPath) -> Result<Packed<PathPart>, Failure> {
        self.require_index()?;
        let columns = self.columns(self.trace_number(&trace_id)?, &scope)?;
        Ok(critical_path(Times::of(&columns)).into())
    }
}

impl Answers<ListMoments> for Session {
    fn answer(&mut self, ListMoments { trace_id, span_ids }: ListMoments) -> Result<Vec<SpanMoments>, Failure> {
        self.require_index()?;
        self.moments(&trace_id, &span_ids)
    }
}

impl Answers<GetSheet> for Session {
    fn answer(&mut self, GetSheet(query): GetSheet) -> Result<Vec<Node>, Failure> {
        self.require_index()?;
        self.sheet(&query)
    }
}

impl Answers<ExportConversation> for Session {
    fn answer(&mut self, question: ExportConversation) -> Result<String, Failure> {
        self.require_index()?;
        let page = self.conversation(&question.trace_id, question.whole_session)?;
        Ok(conversation_lines(&page.conversation))
    }
}

impl Answers<GetSpan> for Session {
    fn answer(&mut self, GetSpan { trace_id, span_id }: GetSpan) -> Result<SpanDetail, Failure> {
        self.require_index()?;
        self.span(self.find_row(&trace_id, &span_id)?)
    }
}

impl Answers<CompareInput> for Session {
    fn answer(&mut self, CompareInput { trace_id, span_id }: CompareInput) -> Result<Vec<Node>, Failure> {
        self.require_index()?;
        self.compare_input(self.find_row(&trace_id, &span_id)?)
    }
}

impl Answers<GetText> for Session {
    fn answer(&mut self, GetText(text): GetText) -> Result<String, Failure> {
        self.text(&text)
    }
}

impl Answers<GetRecorded> for Session {
    fn answer(&mut self, GetRecorded(text): GetRecorded) -> Result<RecordedText, Failure> {
        self.text(&text).map(attributes::recorded)
    }
}

/// Maximum number of spans named in one answer.
const MAX_NAMED: usize = 1_000;

impl Answers<NameSpans> for Session {
    fn answer(&mut self, NameSpans(rows): NameSpans) -> Result<Vec<NamedSpan>, Failure> {
        self.require_index()?;
        Ok(self.name_spans(rows.get(..MAX_NAMED).unwrap_or(&rows)))
    }
}

impl Answers<FindIds> for Session {
    fn answer(&mut self, FindIds(ids): FindIds) -> Result<Vec<Option<IdPlace>>, Failure> {
        self.require_index()?;
        Ok(self.find_ids(&ids))
    }
}

impl Answers<Suggest> for Session {
    fn answer(&mut self, Suggest { filter, cursor }: Suggest) -> Result<Suggestions, Failure> {
        Ok(self.suggest(&filter, cursor))
    }
}

impl Answers<ListHits> for Session {
    fn answer(&mut self, ListHits(query): ListHits) -> Result<HitPage, Failure> {
        self.list_hits(&query)
    }
}

impl Answers<FindInSpan> for Session {
    fn answer(&mut self, FindInSpan { trace_id, span_id, text }: FindInSpan) -> Result<Vec<SpanMatch>, Failure> {
        self.require_index()?;
        self.find_in_span(self.find_row(&trace_id, &span_id)?, &text)
    }
}

impl Answers<SetSearching> for Session {
    fn answer(&mut self, SetSearching(searching): SetSearching) -> Result<Option<SearchProgress>, Failure> {
        Ok(self.set_searching(searching))
    }
}

impl Answers<CopyDatabase> for Session {
    fn answer(&mut self, question: CopyDatabase) -> Result<Shared, Failure> {
        self.require_index()?;
        self.copy_database(&question.what, question.span_id)
    }
}

impl Answers<PreviewShare> for Session {
    fn answer(&mut self, question: PreviewShare) -> Result<RedactReport, Failure> {
        self.require_index()?;
        self.preview_share(&question.what, question.options)
    }
}

impl Answers<MakeShare> for Session {
    fn answer(&mut self, question: MakeShare) -> Result<Shared, Failure> {
        self.require_index()?;
        self.make_share(&question.what, question.options, question.form, question.span_id.as_deref())
    }
}

impl Answers<CallQueryApi> for Session {
    fn answer(&mut self, CallQueryApi { method, params, now_seconds }: CallQueryApi) -> Result<String, Failure> {
        self.require_index()?;
        Ok(self.try_query(&method, &params, now_seconds)?)
    }
}

impl Answers<DescribeSql> for Session {
    fn answer(&mut self, _: DescribeSql) -> Result<SqlSchema, Failure> {
        self.sql_schema()
    }
}

impl Answers<RunSql> for Session {
    fn answer(&mut self, RunSql(query): RunSql) -> Result<Result<SqlRan, SqlWrong>, Failure> {
        self.run_sql(&query)
    }
}

impl Answers<PlanSql> for Session {
    fn answer(&mut self, PlanSql(query): PlanSql) -> Result<Result<Vec<Node>, SqlWrong>, Failure> {
        self.plan_sql(&query)
    }
}

impl Answers<ListSqlRows> for Session {
    fn answer(&mut self, ListSqlRows { from, count }: ListSqlRows) -> Result<SqlRows, Failure> {
        Ok(self.sql_rows(from, count))
    }
}

impl Answers<GetSqlValue> for Session {
    fn answer(&mut self, GetSqlValue { row, column }: GetSqlValue) -> Result<SqlWholeValue, Failure> {
        self.sql_value(row, column)
    }
}

impl Answers<ExportSql> for Session {
    fn answer(&mut self, ExportSql { format, from }: ExportSql) -> Result<SqlText, Failure> {
        self.export_sql(format, from)
    }
}

impl Answers<CompleteSql> for Session {
    fn answer(&mut self, CompleteSql { query, cursor }: CompleteSql) -> Result<Suggestions, Failure> {
        self.complete_sql(&query, cursor)
    }
}
