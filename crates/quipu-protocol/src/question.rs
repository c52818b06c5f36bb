//! Questions about the open file. Each question is a type of its own that names the type of its answer; the list at the end of this file
//! generates the enums they travel in.
//!
//! To add a question: declare its struct in the file of its topic, add a line to the list, and implement [`Answers`] for the session.
//!
//! What is not here: the questions themselves (the topic files), and how they are answered (the session).

use crate::{
    AskSql, CallQueryApi, CheckFile, CompareInput, CopyDatabase, ExportConversation, Failure, FailureKind, FindIds, FindInSpan,
    GetCriticalPath, GetFile, GetRecorded, GetSheet, GetSpan, GetText, GetTrace, ListHits, ListMoments, ListTraces, MakeShare, NameSpans,
    PreviewShare, ReadFile, SetPrices, SetSearching, Suggest, SummarizeTraces,
};
use serde::{Deserialize, Serialize};

/// A question with one type of answer.
///
/// ```
/// use quipu_protocol::{GetFile, Question, Suggest, Suggestions};
/// let response = Suggest::into_response(Suggestions::default());
/// assert_eq!(Suggest::read(Ok(response.clone())), Ok(Suggestions::default()));
/// // The answer to another question is a failure, not a panic.
/// assert!(GetFile::read(Ok(response)).is_err());
/// ```
pub trait Question: Into<Request> {
    /// What answers it.
    type Answer;

    /// Wraps an answer for the wire.
    fn into_response(answer: Self::Answer) -> Response;

    /// Unwraps an answer from the wire; `None` if it belongs to another question.
    fn from_response(response: Response) -> Option<Self::Answer>;

    /// Reads what came over the wire in reply to this question.
    ///
    /// # Errors
    /// The failure that came instead of an answer, or one of kind [`FailureKind::Internal`] if the two sides disagree about the protocol.
    fn read(reply: Result<Response, Failure>) -> Result<Self::Answer, Failure> {
        Self::from_response(reply?).ok_or_else(mismatch)
    }
}

fn mismatch() -> Failure {
    let message = "The answer belongs to another question: the two sides of the protocol are of different builds. Reload the page.".into();
    Failure { kind: FailureKind::Internal, message }
}

fn wrong_program() -> Failure {
    let message = "This question is for the program that imports and shares, not for the one that reads. Reload the page.".into();
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
/// to the larger program which also imports and shares.
macro_rules! questions {
    (reading { $($reading:ident => $read:ty,)+ } transfer { $($transfer:ident => $transferred:ty,)+ }) => {
        questions! { $($reading => $read,)+ $($transfer => $transferred,)+ }

        impl Request {
            /// Like [`answer_by`](Request::answer_by), for a program that reads but neither imports nor shares: it is smaller, because the
            /// code behind the other questions is not part of it.
            ///
            /// # Errors
            /// Those of the handler; [`FailureKind::Internal`] for a question of the larger program.
            pub fn answer_reading_by<S>(self, answers: &mut S) -> Result<Response, Failure>
            where
                S: $(Answers<$reading> +)+
            {
                match self {
                    $(Request::$reading(question) => answers.answer(question).map(<$reading as Question>::into_response),)+
                    $(Request::$transfer(_) => Err(wrong_program()),)+
                }
            }
        }
    };
    ($($question:ident => $answer:ty,)+) => {
        /// Any question, as it travels. Each variant holds the question of the same name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each question documents itself")]
        pub enum Request {
            $($question($question),)+
        }

        /// Any answer, as it travels. Each variant answers the question of the same name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each question documents its answer")]
        pub enum Response {
            // Boxed, so that the enum does not have the size of the largest answer.
            $($question(Box<<$question as Question>::Answer>),)+
        }

        impl Request {
            /// Passes the question to its handler and wraps the answer.
            ///
            /// # Errors
            /// Those of the handler.
            pub fn answer_by<S>(self, answers: &mut S) -> Result<Response, Failure>
            where
                S: $(Answers<$question> +)+
            {
                match self {
                    $(Request::$question(question) => answers.answer(question).map(<$question as Question>::into_response),)+
                }
            }
        }

        $(
            impl Question for $question {
                type Answer = $answer;

                fn into_response(answer: $answer) -> Response {
                    Response::$question(Box::new(answer))
                }

                fn from_response(response: Response) -> Option<$answer> {
                    match response {
                        Response::$question(answer) => Some(*answer),
                        _ => None,
                    }
                }
            }

            impl From<$question> for Request {
                fn from(question: $question) -> Request {
                    Request::$question(question)
                }
            }
        )+
    };
}

questions! {
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
        AskSql => crate::SqlResponse,
    }
    transfer {
        PreviewShare => crate::RedactReport,
        MakeShare => crate::Shared,
        CallQueryApi => String,
    }
}
