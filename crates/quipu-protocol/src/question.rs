//! Questions about the open file, and about its metrics. Each question is a type of its own that names the type of its answer; the two lists
//! at the end of this file generate the enums they travel in.
//!
//! To add a question: declare its struct in the file of its topic, add a line to the list, and implement [`Answers`] for the session or the
//! metrics engine.
//!
//! Not here: the questions themselves (the topic files), and how they are answered (the session, the metrics engine).

use crate::{
    CallQueryApi, CheckFile, CompareInput, CompletePromql, CompleteSql, CopyDatabase, DescribeSql, ExportConversation, ExportSql, Failure,
    FailureKind, FindIds, FindInSpan, GetCriticalPath, GetFile, GetLog, GetOverview, GetRecorded, GetSheet, GetSpan, GetSqlValue, GetText,
    GetTrace, ListHits, ListLogs, ListMoments, ListPointAmounts, ListSqlRows, ListTraces, LoadMetricsInput, MakeShare, NameSpans, PlanSql,
    PreviewShare, ReadFile, RunPromql, RunSql, SetPrices, SetSearching, Suggest, SummarizeTraces,
};
use serde::{Deserialize, Serialize};

/// The questions that one program answers, and the enums they travel in.
pub trait QuestionList {
    /// Any question of the list.
    type Request;
    /// Any answer to one.
    type Response;
}

/// A question with one type of answer.
///
/// ```
/// use quipu_protocol::{GetFile, Question, Suggest, Suggestions};
/// let response = Suggest::into_response(Suggestions::default());
/// assert_eq!(Suggest::read(Ok(response.clone())), Ok(Suggestions::default()));
/// // The answer to another question is a failure, not a panic.
/// assert!(GetFile::read(Ok(response)).is_err());
/// ```
pub trait Question: Into<<Self::List as QuestionList>::Request> {
    /// The list it is in.
    type List: QuestionList;

    /// What answers it.
    type Answer;

    /// Wraps an answer for the wire.
    fn into_response(answer: Self::Answer) -> <Self::List as QuestionList>::Response;

    /// Unwraps an answer from the wire; `None` if it belongs to another question.
    fn from_response(response: <Self::List as QuestionList>::Response) -> Option<Self::Answer>;

    /// Reads what came over the wire in reply to this question.
    ///
    /// # Errors
    /// The failure that came instead of an answer, or one of kind [`FailureKind::Internal`] if the two sides disagree about the protocol.
    fn read(reply: Result<<Self::List as QuestionList>::Response, Failure>) -> Result<Self::Answer, Failure> {
        Self::from_response(reply?).ok_or_else(mismatch)
    }
}

fn mismatch() -> Failure {
    let message = "The answer belongs to another question: the two sides of the protocol are of different builds. Reload the page.".into();
    Failure { kind: FailureKind::Internal, message }
}

fn wrong_program() -> Failure {
    let message = "This question is for the program that imports, shares and runs SQL, not for the one that reads. Reload the page.".into();
    Failure { kind: FailureKind::Internal, message }
}

/// Implemented by whoever answers `Q`.
pub trait Answers<Q: Question> {
    /// Answers in bounded time.
    ///
    /// # Errors
    /// A sentence for the user. [`FailureKind::NotIndexedYet`] if the answer needs more of the file than has been indexed.
    fn answer(&mut self, question: Q) -> Result<Q::Answer, Failure>;
}

/// Generates the wire enums and the conversions from two lists of `question => answer`: those about reading the file, and those that belong
/// to the larger program which also imports, shares and runs SQL.
macro_rules! questions {
    (
        $(#[$about:meta])* $list:ident($request:ident, $response:ident):
        reading { $($reading:ident => $read:ty,)+ }
        transfer { $($transfer:ident => $transferred:ty,)+ }
    ) => {
        questions! { $(#[$about])* $list($request, $response): $($reading => $read,)+ $($transfer => $transferred,)+ }

        impl $request {
            /// Like [`answer_by`](Request::answer_by), for a program that reads but neither imports, shares nor runs SQL: it is smaller, because the
            /// code behind the other questions is not part of it.
            ///
            /// # Errors
            /// Those of the handler; [`FailureKind::Internal`] for a question of the larger program.
            pub fn answer_reading_by<S>(self, answers: &mut S) -> Result<$response, Failure>
            where
                S: $(Answers<$reading> +)+
            {
                match self {
                    $($request::$reading(question) => answers.answer(question).map(<$reading as Question>::into_response),)+
                    $($request::$transfer(_) => Err(wrong_program()),)+
                }
            }
        }
    };
    ($(#[$about:meta])* $list:ident($request:ident, $response:ident): $($question:ident => $answer:ty,)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub enum $list {}

        impl QuestionList for $list {
            type Request = $request;
            type Response = $response;
        }

        /// Any question of the list, as it travels. Each variant holds the question of the same name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each question documents itself")]
        pub enum $request {
            $($question($question),)+
        }

        /// Any answer to the list, as it travels. Each variant answers the question of the same name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each question documents its answer")]
        pub enum $response {
            // Boxed, so that the enum does not have the size of the largest answer.
            $($question(Box<<$question as Question>::Answer>),)+
        }

        impl $request {
            /// Passes the question to its handler and wraps the answer.
            ///
            /// # Errors
            /// Those of the handler.
            pub fn answer_by<S>(self, answers: &mut S) -> Result<$response, Failure>
            where
                S: $(Answers<$question> +)+
            {
                match self {
                    $($request::$question(question) => answers.answer(question).map(<$question as Question>::into_response),)+
                }
            }
        }

        $(
            impl Question for $question {
                type List = $list;
                type Answer = $answer;

                fn into_response(answer: $answer) -> $response {
                    $response::$question(Box::new(answer))
                }

                fn from_response(response: $response) -> Option<$answer> {
                    match response {
                        $response::$question(answer) => Some(*answer),
                        _ => None,
                    }
                }
            }

            impl From<$question> for $request {
                fn from(question: $question) -> $request {
                    $request::$question(question)
                }
            }
        )+
    };
}

questions! {
    /// The questions about a file, answered by its session.
    FileQuestions(Request, Response):
    reading {
        GetFile => crate::FileSummary,
        CheckFile => (),
        ReadFile => crate::FilePart,
        SetPrices => (),
        ListTraces => crate::TracePage,
        SummarizeTraces => crate::TraceSummary,
        GetTrace => crate::TraceColumns,
        GetCriticalPath => crate::Packed<crate::PathPart>,
        ListMoments => Vec<crate::SpanMoments>,
        GetSheet => Vec<crate::markup::Node>,
        ExportConversation => String,
        GetSpan => crate::SpanDetail,
        CompareInput => Vec<crate::markup::Node>,
        GetText => String,
        GetRecorded => crate::RecordedText,
        NameSpans => Vec<crate::NamedSpan>,
        FindIds => Vec<Option<crate::IdPlace>>,
        Suggest => crate::Suggestions,
        ListHits => crate::HitPage,
        FindInSpan => Vec<crate::SpanMatch>,
        SetSearching => Option<crate::SearchProgress>,
        CopyDatabase => crate::Shared,
        ListLogs => crate::LogPage,
        GetLog => crate::LogDetail,
    }
    transfer {
        PreviewShare => crate::RedactReport,
        MakeShare => crate::Shared,
        CallQueryApi => String,
        DescribeSql => crate::SqlSchema,
        RunSql => Result<crate::SqlRan, crate::SqlWrong>,
        PlanSql => Result<Vec<crate::markup::Node>, crate::SqlWrong>,
        ListSqlRows => crate::SqlRows,
        GetSqlValue => crate::SqlWholeValue,
        ExportSql => crate::SqlText,
        CompleteSql => crate::Suggestions,
    }
}

questions! {
    /// The questions about the metrics of a file, answered by the metrics engine, which has neither the file nor a session.
    MetricsQuestions(MetricsRequest, MetricsResponse):
    LoadMetricsInput => (),
    GetOverview => crate::OverviewPage,
    RunPromql => Result<crate::AnswerPage, crate::PromqlError>,
    ListPointAmounts => Result<crate::PointAmounts, crate::PromqlError>,
    CompletePromql => crate::Suggestions,
}
