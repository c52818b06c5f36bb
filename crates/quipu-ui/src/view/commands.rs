//! The command palette: which commands are available on a screen, and the search by name.
//!
//! Running a command is up to the page.

use quipu_protocol::TraceTab;
use quipu_protocol::address::{Screen, ViewState};

/// The screens on which a command is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Everywhere,
    /// The list of traces, and every other screen but a trace and SQL.
    List,
    /// A trace, on any tab.
    Trace,
    /// The timeline tab of a trace.
    Timeline,
    Sql,
    /// Any screen while a file is open.
    File,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAction {
    /// Does what pressing this key does on the current screen.
    Key(&'static str),
    /// Opens a tab of the current trace.
    Tab(TraceTab),
    /// Changes how times are shown.
    Times(quipu_model::format::TimeStyle),
    /// Clicks the element with this id.
    Press(&'static str),
    /// Opens the list of keyboard shortcuts.
    Help,
}

/// An entry of the command palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewCommand {
    /// The label shown to the user; unique.
    pub name: &'static str,
    /// What choosing the entry does.
    pub action: CommandAction,
    at: Where,
}

const fn command(name: &'static str, action: CommandAction, at: Where) -> ViewCommand {
    ViewCommand { name, action, at }
}

/// The id of the button that opens a file.
pub const OPEN_BUTTON: &str = "open-file";
/// The id of the button that opens the share dialog.
pub const SHARE_BUTTON: &str = "share";
/// The id of the button that changes the colour scheme.
pub const THEME_BUTTON: &str = "theme";

/// The id of the link to the SQL page.
pub const SQL_LINK: &str = "to-sql";
/// The id of the button that runs a query.
pub const RUN_BUTTON: &str = "sql-run";
/// The id of the button that shows SQLite's query plan.
pub const PLAN_BUTTON: &str = "sql-plan";

/// All commands but those that open a tab of a trace.
const COMMANDS: [ViewCommand; 25] = [
    command("Filter the traces", CommandAction::Key("/"), Where::List),
    command("Find in this trace", CommandAction::Key("/"), Where::Trace),
    command("Go to the slowest span", CommandAction::Key("t"), Where::Timeline),
    command("Go to the next failure", CommandAction::Key("e"), Where::Timeline),
    command("Go to the next inference request", CommandAction::Key("i"), Where::Timeline),
    command("Hide or show framework spans", CommandAction::Key("p"), Where::Timeline),
    command("Mark the critical path", CommandAction::Key("x"), Where::Timeline),
    command("Set a measuring point, or stop measuring", CommandAction::Key("m"), Where::Timeline),
    command("Zoom to the selected span", CommandAction::Key("f"), Where::Timeline),
    command("Show the whole trace", CommandAction::Key("0"), Where::Timeline),
    command("Copy the id", CommandAction::Key("c"), Where::Trace),
    command("Copy the trace id", CommandAction::Key("c"), Where::List),
    command("Go back", CommandAction::Key("Escape"), Where::Trace),
    command("Share this trace", CommandAction::Press(SHARE_BUTTON), Where::Trace),
    command("Share the file", CommandAction::Press(SHARE_BUTTON), Where::List),
    command("Run the query", CommandAction::Press(RUN_BUTTON), Where::Sql),
    command("Show the query plan", CommandAction::Press(PLAN_BUTTON), Where::Sql),
    command("Edit the query", CommandAction::Key("/"), Where::Sql),
    command("Open the SQL page", CommandAction::Press(SQL_LINK), Where::File),
    command("Open a file", CommandAction::Press(OPEN_BUTTON), Where::Everywhere),
    command("Times in UTC", CommandAction::Times(quipu_model::format::TimeStyle::Utc), Where::Everywhere),
    command("Times in this computer’s time zone", CommandAction::Times(quipu_model::format::TimeStyle::Local), Where::Everywhere),
    command("Times relative to the start", CommandAction::Times(quipu_model::format::TimeStyle::Relative), Where::Everywhere),
    command("Change the colour scheme", CommandAction::Press(THEME_BUTTON), Where::Everywhere),
    command("Show keyboard shortcuts", CommandAction::Help, Where::Everywhere),
];

fn all() -> impl Iterator<Item = ViewCommand> {
    let tabs = TraceTab::ALL.map(|tab| command(tab.command(), CommandAction::Tab(tab), Where::Trace));
    tabs.into_iter().chain(COMMANDS)
}

/// The commands available at `view` whose names contain every word of `typed`, ignoring case. Commands with a word that starts with the
/// first word typed come first. `has_file` says whether a file is open.
pub fn commands(view: &ViewState, has_file: bool, typed: &str) -> Vec<ViewCommand> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_ascii_lowercase).collect();
    let fits = |at: Where| match (&view.screen, at) {
        (_, Where::Everywhere) => true,
        _ if !has_file => false,
        (Screen::Trace(_), Where::Trace) => true,
        (Screen::Trace(trace), Where::Timeline) => trace.tab == TraceTab::Timeline,
        (_, Where::File) => true,
        (screen, Where::Sql) => matches!(screen, Screen::Sql(_)),
        (Screen::Trace(_) | Screen::Sql(_), Where::List) => false,
        (_, at) => at == Where::List,
    };
    let begins = |command: &ViewCommand| {
        let name = command.name.to_ascii_lowercase();
        words.first().is_some_and(|first| name.split(' ').any(|word| word.starts_with(first.as_str())))
    };
    let holds = |command: &ViewCommand| words.iter().all(|word| command.name.to_ascii_lowercase().contains(word.as_str()));
    let found = all().filter(|command| fits(command.at) && holds(command));
    let (mut first, rest): (Vec<_>, Vec<_>) = found.partition(begins);
    first.extend(rest);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_protocol::address::TraceView;

    fn names(screen: Screen, has_file: bool, typed: &str) -> Vec<&'static str> {
        let view = ViewState { screen, ..ViewState::default() };
        commands(&view, has_file, typed).into_iter().map(|command| command.name).collect()
    }

    #[test]
    fn only_commands_available_on_the_screen_are_offered() {
        assert!(names(Screen::Open, false, "").iter().all(|name| !name.contains("trace")));
        assert!(names(Screen::Traces, true, "").contains(&"Filter the traces"));
        let logs = Screen::Trace(TraceView { trace_id: "t".into(), tab: TraceTab::Logs, ..TraceView::default() });
        let found = names(logs, true, "");
        assert!(found.contains(&"Show the timeline") && !found.contains(&"Mark the critical path"));
    }

    #[test]
    fn every_word_must_match_and_prefixes_come_first() {
        let found = names(Screen::trace("t"), true, "sh the");
        assert_eq!(found.first(), Some(&"Show the timeline"));
        assert_eq!(names(Screen::trace("t"), true, "NEXT fail"), ["Go to the next failure"]);
        assert_eq!(names(Screen::trace("t"), true, "no such thing"), [] as [&str; 0]);
    }

    #[test]
    fn names_of_commands_are_unique() {
        for command in all() {
            assert_eq!(all().filter(|other| other.name == command.name).count(), 1, "{}", command.name);
        }
    }
}
