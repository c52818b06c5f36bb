//! `label_replace` and `label_join`.

use super::{Context, Outcome, Row, Value};
use crate::ast::Expr;
use crate::error::{PromqlError, TextRange};
use crate::matcher::whole;

impl Context<'_> {
    pub(super) fn label_replace(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [vector, target, replacement, source, pattern] = arguments else { return Err(lacking("label_replace", location)) };
        let rows = self.vector(vector)?;
        let (target, replacement) = (self.label(target)?, self.text(replacement)?);
        let (source, text) = (self.text(source)?, self.text(pattern)?);
        let matching =
            whole(&text).ok_or_else(|| PromqlError::eval(format!("{text:?} is not a supported regular expression."), pattern.location))?;
        let relabel = |mut row: Row| {
            let value = row.labels.get(&source).to_owned();
            if let Some(found) = matching.captures(&value) {
                let mut made = String::new();
                found.expand(&replacement, &mut made);
                row.labels = row.labels.with(&target, &made);
            }
            row
        };
        Ok(Value::Vector(self.merge(rows.into_iter().map(relabel).collect(), location)?))
    }

    pub(super) fn label_join(&self, arguments: &[Expr], location: TextRange) -> Outcome<Value> {
        let [vector, target, separator, sources @ ..] = arguments else { return Err(lacking("label_join", location)) };
        let rows = self.vector(vector)?;
        let (target, separator) = (self.label(target)?, self.text(separator)?);
        let sources = sources.iter().map(|source| self.label(source)).collect::<Outcome<Vec<_>>>()?;
        let relabel = |mut row: Row| {
            let values: Vec<&str> = sources.iter().map(|source| row.labels.get(source)).collect();
            row.labels = row.labels.with(&target, &values.join(&separator));
            row
        };
        Ok(Value::Vector(self.merge(rows.into_iter().map(relabel).collect(), location)?))
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

fn lacking(name: &str, location: TextRange) -> PromqlError {
    PromqlError::parse(format!("{name} is missing an argument."), location)
}
