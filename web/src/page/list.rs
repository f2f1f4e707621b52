//! What every list has: filters with the current one marked, the next page by key, and the same rows as CSV. It knows no row.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::address::Address;
use crate::error::Problem;

/// Rows of a page when nobody says how many.
pub(crate) const ROWS: i64 = 50;
/// Rows of a CSV file at most; more is what reports and exports are for.
pub(crate) const CSV_ROWS: i64 = 10_000;

/// One way to narrow a list.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) current: bool,
    /// How many rows it has, where that is known for nothing.
    pub(crate) count: Option<String>,
}

impl Filter {
    /// `value` of `name`, none for all; it is current when the list is narrowed so.
    pub(crate) fn new(
        list: &Address,
        name: &'static str,
        value: Option<&str>,
        now: Option<&str>,
        label: impl Into<String>,
    ) -> Self {
        let href = list.with(name, value).with("after", None).to_string();
        Self { label: label.into(), href, current: value == now, count: None }
    }
}

/// Where a list goes on.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    pub(crate) first: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) csv: String,
}

impl Turns {
    /// `after`: the key that this page began behind; `next`: the one that the next begins behind.
    pub(crate) fn new(list: &Address, after: Option<&str>, next: Option<&str>) -> Self {
        let at = |key: Option<&str>| list.with("after", key).to_string();
        Self {
            first: after.map(|_| at(None)),
            next: next.map(|next| at(Some(next))),
            csv: list.with("format", Some("csv")).to_string(),
        }
    }
}

/// `page` or `csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Page,
    Csv,
}

impl Format {
    /// How many rows it holds.
    pub(crate) fn rows(self) -> i64 {
        match self {
            Self::Page => ROWS,
            Self::Csv => CSV_ROWS,
        }
    }
}

/// Rows as a CSV file (RFC 4180, UTF-8). No cell begins a formula where somebody opens it in a spreadsheet.
pub(crate) fn csv<const N: usize>(
    name: &str,
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Response, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer
        .write_record(head)
        .and_then(|()| rows.into_iter().try_for_each(|row| writer.write_record(row.map(harmless))));
    written.map_err(|error| Problem::internal(&error))?;
    let bytes = writer.into_inner().map_err(|error| Problem::internal(error.error()))?;
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], bytes).into_response();
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}.csv\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn harmless(cell: String) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_begins_no_formula() {
        assert_eq!(harmless("=HYPERLINK(\"x\")".into()), "'=HYPERLINK(\"x\")");
        assert_eq!(harmless("-1.5".into()), "-1.5");
        assert_eq!(harmless("KS-1".into()), "KS-1");
    }

    #[test]
    fn a_filter_begins_at_the_first_page() {
        let list = Address::new("/runs").with("after", Some("R9"));
        let filter = Filter::new(&list, "status", Some("failed"), Some("failed"), "Failed");
        assert_eq!((filter.href.as_str(), filter.current), ("/runs?status=failed", true));
    }
}
