//! `label_replace` and `label_join`.

use super::{Context, MAX_LABEL_BYTES, Outcome, Row, Value};
use crate::ast::Expr;
use crate::error::{PromqlError, TextRange};
use crate::labels::Labels;
use crate::matcher::Pattern;

impl Context<'_> {
    pub(super) fn label_replace(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [vector, target, replacement, source, pattern] = arguments else { return Err(lacking("label_replace", location)) };
        let rows = self.vector(vector)?;
        let (target, replacement) = (self.label(target)?, self.text(replacement)?);
        let (source, text) = (self.text(source)?, self.text(pattern)?);
        let matching = Pattern::whole(&text)
            .ok_or_else(|| PromqlError::eval(format!("{text:?} is not a supported regular expression."), pattern.location))?;
        let groups = replacement.matches('$').count();
        let relabel = |mut row: Row| -> Outcome<Row> {
            let value = row.labels.get(&source).to_owned();
            self.work(matching.cost(&value), location)?;
            if let Some(found) = matching.regex.captures(&value) {
                let longest = found.get(0).map_or(0, |whole| whole.len());
                check_length(replacement.len().saturating_add(groups.saturating_mul(longest)), 16 * MAX_LABEL_BYTES, &target, location)?;
                let mut made = String::new();
                found.expand(&replacement, &mut made);
                row.labels = self.with_label(&row, &target, &made, location)?;
            }
            Ok(row)
        };
        let rows = rows.into_iter().map(relabel).collect::<Outcome<Vec<_>>>()?;
        Ok(Value::Vector(self.merge(rows, location)?))
    }

    pub(super) fn label_join(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [vector, target, separator, sources @ ..] = arguments else { return Err(lacking("label_join", location)) };
        let rows = self.vector(vector)?;
        let (target, separator) = (self.label(target)?, self.text(separator)?);
        let sources = sources.iter().map(|source| self.label(source)).collect::<Outcome<Vec<_>>>()?;
        let relabel = |mut row: Row| -> Outcome<Row> {
            let values: Vec<&str> = sources.iter().map(|source| row.labels.get(source)).collect();
            let length = values.iter().map(|value| value.len()).sum::<usize>() + separator.len() * values.len().saturating_sub(1);
            check_length(length, MAX_LABEL_BYTES, &target, location)?;
            row.labels = self.with_label(&row, &target, &values.join(&separator), location)?;
            Ok(row)
        };
        let rows = rows.into_iter().map(relabel).collect::<Outcome<Vec<_>>>()?;
        Ok(Value::Vector(self.merge(rows, location)?))
    }

    /// The labels of a row with one that a query makes, which is counted as held.
    pub(super) fn with_label(&self, row: &Row, name: &str, value: &str, location: TextRange) -> Outcome<Labels> {
        check_length(value.len(), MAX_LABEL_BYTES, name, location)?;
        self.hold(value.len(), location)?;
        Ok(row.labels.with(name, value))
    }

    /// Evaluates a label name, which may be any non-empty string.
    fn label(&self, expr: &Expr) -> Outcome<String> {
        let name = self.text(expr)?;
        if name.is_empty() || name.contains('\u{fffd}') {
            return Err(PromqlError::eval(format!("{name:?} is not a valid label name."), expr.location));
        }
        Ok(name)
    }
}

/// Checks the length of a label value before it is made.
fn check_length(length: usize, most: usize, name: &str, location: TextRange) -> Outcome<()> {
    if length <= most {
        return Ok(());
    }
    let most = quipu_model::format::bytes(MAX_LABEL_BYTES as u64);
    Err(PromqlError::eval(format!("The label {name:?} would be longer than {most}."), location))
}

fn lacking(name: &str, location: TextRange) -> PromqlError {
    PromqlError::parse(format!("{name} is missing an argument."), location)
}
