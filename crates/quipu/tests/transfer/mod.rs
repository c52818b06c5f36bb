//! Imports and exports: recorded bodies against the databases of the same runs, and every variant of the formats.

mod dialects;
mod exports;
mod numbering;
mod own;
mod real;
mod round_trips;
mod series;
mod services;
mod shapes;
pub(crate) mod tools;
mod unattached;
mod variants;
mod whole;
