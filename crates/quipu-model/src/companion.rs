//! Names of the files that SQLite keeps next to a database.

/// Whether this is the name of a database's companion file: it ends in `-journal`, `-wal` or `-shm`.
pub fn is_companion(name: &str) -> bool {
    ["-journal", "-wal", "-shm"].iter().any(|suffix| name.ends_with(suffix))
}
