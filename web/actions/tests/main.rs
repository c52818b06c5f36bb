//! What the page does when files are opened, change, and when the worker exits, with a worker that answers when the test says so.

mod changes;
mod exit;
mod fake;
mod files;
mod opening;
