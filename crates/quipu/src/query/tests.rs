//! Tests of the query API that need its insides: paths and comparisons against SQLite itself.
