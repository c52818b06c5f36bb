//! The files SQLite keeps beside a database, told by their names.

/// Whether a file of this name belongs beside a database: `telemetry.db-journal`, `-wal`, `-shm`.
pub fn is_companion(name: &str) -> bool {
    ["-journal", "-wal", "-shm"].iter().any(|suffix| name.ends_with(suffix))
}
