//! What can be done from where one is, found by typing a part of its name.
//!
//! What is not here: doing it, which is the page's.

use quipu_protocol::TraceTab;
use quipu_protocol::address::{Place, ViewState};

/// Where a command has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Everywhere,
    /// In the list of traces.
    List,
    /// In a trace, whatever is shown of it.
    Trace,
    /// In the timeline of a trace.
    Timeline,
    /// Where questions are asked in SQL.
    Sql,
    /// Wherever a file is open.
    File,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAction {
    /// What this key does on the screen.
    Key(&'static str),
    /// Shows a tab of the trace.
    Tab(TraceTab),
    /// Shows times by UTC, this computer's clock, or relative.
    Times(quipu_model::format::TimeStyle),
    /// Presses the button with this id.
    Press(&'static str),
    /// Lists the keys.
    Help,
}

/// Something that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewCommand {
    /// What it is called.
    pub name: &'static str,
    /// What it does.
    pub action: CommandAction,
    at: Where,
}

const fn command(name: &'static str, action: CommandAction, at: Where) -> ViewCommand {
    ViewCommand { name, action, at }
}

/// The id of the button that opens a file.
pub const OPEN_BUTTON: &str = "open-file";
/// The id of the button that shares.
pub const SHARE_BUTTON: &str = "share";
/// The id of the button that changes the colour scheme.
pub const THEME_BUTTON: &str = "theme";

/// The id of the link to the questions in SQL.
pub const SQL_LINK: &str = "to-sql";
/// The id of the button that runs a query.
pub const RUN_BUTTON: &str = "sql-run";
/// The id of the button that shows how SQLite would go about a query.
pub const PLAN_BUTTON: &str = "sql-plan";

const COMMANDS: [ViewCommand; 30] = [
    command("Filter the traces", CommandAction::Key("/"), Where::List),
    command("Find in this trace", CommandAction::Key("/"), Where::Trace),
    command("Show the timeline", CommandAction::Tab(TraceTab::Timeline), Where::Trace),
    command("Show the flame graph", CommandAction::Tab(TraceTab::Flame), Where::Trace),
    command("Show the conversation", CommandAction::Tab(TraceTab::Conversation), Where::Trace),
    command("Show the logs", CommandAction::Tab(TraceTab::Logs), Where::Trace),
    command("Show statistics by name", CommandAction::Tab(TraceTab::Statistics), Where::Trace),
    command("Go to the slowest span", CommandAction::Key("t"), Where::Timeline),
    command("Go to the next failure", CommandAction::Key("e"), Where::Timeline),
    command("Go to the next inference request", CommandAction::Key("i"), Where::Timeline),
    command("Fold or show plumbing", CommandAction::Key("p"), Where::Timeline),
    command("Mark the critical path", CommandAction::Key("x"), Where::Timeline),
    command("Measure from here, to here, or no more", CommandAction::Key("m"), Where::Timeline),
    command("Zoom to the selected span", CommandAction::Key("f"), Where::Timeline),
    command("Show the whole trace", CommandAction::Key("0"), Where::Timeline),
    command("Copy the id", CommandAction::Key("c"), Where::Trace),
    command("Copy the id of the trace", CommandAction::Key("c"), Where::List),
    command("Back to where this was opened from", CommandAction::Key("Escape"), Where::Trace),
    command("Share this trace", CommandAction::Press(SHARE_BUTTON), Where::Trace),
    command("Share the file", CommandAction::Press(SHARE_BUTTON), Where::List),
    command("Run the query", CommandAction::Press(RUN_BUTTON), Where::Sql),
    command("Show the plan of the query", CommandAction::Press(PLAN_BUTTON), Where::Sql),
    command("Write the query", CommandAction::Key("/"), Where::Sql),
    command("Ask in SQL", CommandAction::Press(SQL_LINK), Where::File),
    command("Open a file", CommandAction::Press(OPEN_BUTTON), Where::Everywhere),
    command("Times by UTC", CommandAction::Times(quipu_model::format::TimeStyle::Utc), Where::Everywhere),
    command("Times by this computer’s clock", CommandAction::Times(quipu_model::format::TimeStyle::Local), Where::Everywhere),
    command("Times since the start", CommandAction::Times(quipu_model::format::TimeStyle::Relative), Where::Everywhere),
    command("Change the colour scheme", CommandAction::Press(THEME_BUTTON), Where::Everywhere),
    command("List the keys", CommandAction::Help, Where::Everywhere),
];

/// The commands that have a meaning at `view` and whose names hold every word of `typed`, in any letter case; those first in which a word
/// begins with the first one typed. `has_file` tells whether a file is open.
pub fn commands(view: &ViewState, has_file: bool, typed: &str) -> Vec<ViewCommand> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let fits = |at: Where| match (&view.place, at) {
        (_, Where::Everywhere) => true,
        _ if !has_file => false,
        (Place::Trace(_), Where::Trace) => true,
        (Place::Trace(trace), Where::Timeline) => trace.tab == TraceTab::Timeline,
        (_, Where::File) => true,
        (place, Where::Sql) => matches!(place, Place::Sql(_)),
        (Place::Trace(_) | Place::Sql(_), Where::List) => false,
        (_, at) => at == Where::List,
    };
    let begins = |command: &ViewCommand| {
        let name = command.name.to_lowercase();
        words.first().is_some_and(|first| name.split(' ').any(|word| word.starts_with(first.as_str())))
    };
    let holds = |command: &ViewCommand| words.iter().all(|word| command.name.to_lowercase().contains(word.as_str()));
    let found = COMMANDS.into_iter().filter(|command| fits(command.at) && holds(command));
    let (mut first, rest): (Vec<_>, Vec<_>) = found.partition(begins);
    first.extend(rest);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_protocol::address::TraceView;

    fn names(place: Place, has_file: bool, typed: &str) -> Vec<&'static str> {
        let view = ViewState { place, ..ViewState::default() };
        commands(&view, has_file, typed).into_iter().map(|command| command.name).collect()
    }

    #[test]
    fn only_what_has_a_meaning_here_is_offered() {
        assert!(names(Place::Open, false, "").iter().all(|name| !name.contains("trace")));
        assert!(names(Place::Traces, true, "").contains(&"Filter the traces"));
        let logs = Place::Trace(TraceView { trace_id: "t".into(), tab: TraceTab::Logs, ..TraceView::default() });
        let found = names(logs, true, "");
        assert!(found.contains(&"Show the timeline") && !found.contains(&"Mark the critical path"));
    }

    #[test]
    fn every_word_must_be_held_and_beginnings_come_first() {
        let found = names(Place::trace("t"), true, "sh the");
        assert_eq!(found.first(), Some(&"Show the timeline"));
        assert_eq!(names(Place::trace("t"), true, "NEXT fail"), ["Go to the next failure"]);
        assert_eq!(names(Place::trace("t"), true, "no such thing"), [] as [&str; 0]);
    }

    #[test]
    fn no_two_commands_of_one_place_have_one_name() {
        for command in COMMANDS {
            assert_eq!(COMMANDS.iter().filter(|other| other.name == command.name).count(), 1, "{}", command.name);
        }
    }
}
