//! A growable column in fixed-size chunks: growing never copies, so memory use stays close to the size of the values.

const CHUNK: usize = 1 << 15;

/// Values of one column, by row.
#[derive(Clone)]
pub(super) struct Column<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Column<T> {
    fn default() -> Column<T> {
        Column { chunks: Vec::new(), len: 0 }
    }
}

impl<T> Column<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, value: T) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(if self.chunks.is_empty() { 64 } else { CHUNK }));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(value);
            self.len += 1;
        }
    }

    /// The value in `row`, which must exist: rows come only from this index.
    #[expect(clippy::indexing_slicing, reason = "a row is below `len`, and every chunk but the last is full")]
    pub(super) fn at(&self, row: u32) -> &T {
        &self.chunks[row as usize / CHUNK][row as usize % CHUNK]
    }

    #[expect(clippy::indexing_slicing, reason = "as in `at`")]
    pub(super) fn at_mut(&mut self, row: u32) -> &mut T {
        &mut self.chunks[row as usize / CHUNK][row as usize % CHUNK]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// Iterates over two columns in parallel, chunk by chunk.
    pub(super) fn zip<'a, U>(&'a self, other: &'a Column<U>) -> impl Iterator<Item = (&'a T, &'a U)> {
        self.chunks.iter().zip(&other.chunks).flat_map(|(one, other)| one.iter().zip(other))
    }
}

/// Rowids by row, as runs of consecutive rowids, since tables are append-only.
#[derive(Clone, Default)]
pub(super) struct RowIds {
    /// Row and rowid where each run begins.
    runs: Vec<(u32, i64)>,
    len: u32,
}

impl RowIds {
    /// Appends the rowid of the next row; rowids must ascend.
    pub(super) fn push(&mut self, row: u32, rowid: i64) {
        let next = self.runs.last().map(|(first, start)| start + i64::from(row - first));
        if next != Some(rowid) {
            self.runs.push((row, rowid));
        }
        self.len = row + 1;
    }

    /// The row with this rowid, if it was pushed.
    pub(super) fn row_of(&self, rowid: i64) -> Option<u32> {
        let run = self.runs.partition_point(|(_, start)| *start <= rowid).checked_sub(1)?;
        let (first, start) = self.runs.get(run)?;
        let row = first.checked_add(u32::try_from(rowid - start).ok()?)?;
        let end = self.runs.get(run + 1).map_or(self.len, |(next, _)| *next);
        (row < end).then_some(row)
    }

    pub(super) fn of(&self, row: u32) -> i64 {
        let run = self.runs.partition_point(|(first, _)| *first <= row);
        match run.checked_sub(1).and_then(|run| self.runs.get(run)) {
            Some((first, start)) => start + i64::from(row - first),
            None => i64::from(row),
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;

    #[test]
    fn rowids_with_gaps_come_back() {
        let rowids = [1, 2, 3, 7, 8, 20, 21, 22, 1_000_000_000_000];
        let mut kept = RowIds::default();
        for (row, rowid) in rowids.iter().enumerate() {
            kept.push(row as u32, *rowid);
        }
        let back: Vec<i64> = (0..rowids.len() as u32).map(|row| kept.of(row)).collect();
        assert_eq!(back, rowids);
        assert_eq!(kept.runs.len(), 4);
        let rows: Vec<Option<u32>> = [0, 3, 4, 7, 22, 23, 1_000_000_000_001].map(|rowid| kept.row_of(rowid)).into();
        assert_eq!(rows, [None, Some(2), None, Some(3), Some(7), None, None]);
    }

    #[test]
    fn columns_keep_values_across_chunks() {
        let mut column = Column::default();
        for value in 0..CHUNK as u32 * 2 + 3 {
            column.push(value);
        }
        *column.at_mut(CHUNK as u32) = 5;
        assert_eq!((*column.at(CHUNK as u32), *column.at(CHUNK as u32 * 2 + 2)), (5, CHUNK as u32 * 2 + 2));
        assert_eq!(column.iter().count(), column.len());
    }
}
