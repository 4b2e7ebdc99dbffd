//! Statements whose number of placeholders varies: `$n` written out by us, in few different shapes so that prepared ones are used again.
//!
//! A limit that is bound stands in a `CAST`: for the sake of a bare `LIMIT $n` SQLite 3.51 makes a new plan each time (measured: 0.15 ms).

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use super::pool::Engine;

/// A query over a text made here. Every such text is put together from constants and `$n` alone; values are always bound.
///
/// `sqlx::QueryBuilder<Any>` writes `?`, which PostgreSQL refuses.
pub(crate) fn made(sql: String) -> Query<'static, Any, AnyArguments> {
    sqlx::query(AssertSqlSafe(sql))
}

/// `$4,$5,$6` for three placeholders from the fourth.
pub(crate) fn list(first: usize, count: usize) -> String {
    let mut text = String::new();
    for n in first..first.saturating_add(count) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push('$');
        text.push_str(&n.to_string());
    }
    text
}

/// `($1,$2),($3,$4)` for two rows of two columns.
pub(crate) fn rows(columns: usize, rows: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        if row > 0 {
            text.push(',');
        }
        text.push('(');
        text.push_str(&list(
            row.saturating_mul(columns).saturating_add(1),
            columns,
        ));
        text.push(')');
    }
    text
}

/// Rows for `FROM (VALUES …)`, a column of each of these types. PostgreSQL takes an untyped place there for text; SQLite keeps what is bound.
pub(crate) fn typed_rows(engine: Engine, types: &[&str], rows: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        text.push_str(if row > 0 { ",(" } else { "(" });
        for (column, name) in types.iter().enumerate() {
            let place = row
                .saturating_mul(types.len())
                .saturating_add(column)
                .saturating_add(1);
            if column > 0 {
                text.push(',');
            }
            text.push_str(&match engine {
                Engine::Sqlite => format!("${place}"),
                Engine::Postgres => format!("CAST(${place} AS {name})"),
            });
        }
        text.push(')');
    }
    text
}

/// How many of `left` rows the next statement takes: few sizes, at most 32.
pub(crate) fn portion(left: usize) -> usize {
    [32, 16, 8, 4, 3, 2]
        .into_iter()
        .find(|size| left >= *size)
        .unwrap_or(1)
}

/// Cuts a slice into portions.
pub(crate) fn portions<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let (now, later) = items.split_at_checked(portion(items.len()).min(items.len()))?;
        items = later;
        (!now.is_empty()).then_some(now)
    })
}

/// Cuts a slice into at most `at_most` at a time and says how many places an `IN` list for the piece has: 1, 4, 16, 64 or 256. The places
/// left over are filled with the piece's last value.
pub(crate) fn padded<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    items.chunks(256).map(|piece| {
        let places = [1, 4, 16, 64]
            .into_iter()
            .find(|size| piece.len() <= *size)
            .unwrap_or(256);
        let mut piece = piece.to_vec();
        if let Some(last) = piece.last().cloned() {
            piece.resize(places, last);
        }
        piece
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on_through_the_rows() {
        assert_eq!(list(4, 3), "$4,$5,$6");
        assert_eq!(rows(2, 2), "($1,$2),($3,$4)");
    }

    #[test]
    fn portions_cover_everything_once() {
        let all: Vec<u32> = (0..103).collect();
        let sizes: Vec<usize> = portions(&all).map(<[u32]>::len).collect();
        assert_eq!(sizes, [32, 32, 32, 4, 3]);
        assert_eq!(portions(&all).flatten().copied().collect::<Vec<_>>(), all);
        assert_eq!(portions::<u32>(&[]).count(), 0);
    }

    #[test]
    fn a_list_is_padded_with_its_last_value() {
        assert_eq!(padded(&[1, 2]).collect::<Vec<_>>(), [vec![1, 2, 2, 2]]);
        assert_eq!(padded::<i32>(&[]).count(), 0);
        assert_eq!(padded(&[7; 300]).map(|p| p.len()).sum::<usize>(), 256 + 64);
    }
}
