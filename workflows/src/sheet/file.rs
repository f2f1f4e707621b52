//! Files that a sheet names, for whoever can look at the disk, and what to say about those that are not there.

use std::io::ErrorKind;

use crate::diagnostic::Diagnostic;
use crate::plan::Specimen;
use crate::plan::words::{Wrong, shown};
use crate::sheet::place::Place;
use crate::value::Value;

/// A file and the cell that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetFile {
    /// Absolute.
    pub path: String,
    /// Id of its specimen.
    pub specimen: String,
    /// 1-based; the header is row 1.
    pub row: usize,
    /// Name of the column.
    pub column: String,
    /// 1-based.
    pub column_number: usize,
}

/// Why a file that a sheet names cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing has this path.
    NotFound,
    /// It is a directory, a device or the like.
    NotAFile,
    /// It has no content.
    Empty,
    /// We may not read it.
    Denied,
    /// Looking at it failed otherwise.
    Unreadable,
}

impl From<ErrorKind> for Reason {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Reason::NotFound,
            ErrorKind::PermissionDenied => Reason::Denied,
            _ => Reason::Unreadable,
        }
    }
}

/// The S110 mistake at the cell of the sheet `sheet` that names `file`.
#[must_use]
pub fn missing_file(sheet: &str, file: &SheetFile, reason: Reason) -> Diagnostic {
    let path = shown_path(&file.path);
    let (en, ja) = match reason {
        Reason::NotFound => ("does not exist", "がありません"),
        Reason::NotAFile => ("is not a file", "はファイルではありません"),
        Reason::Empty => ("is empty", "は空です"),
        Reason::Denied => ("may not be read", "の読み取りが許可されていません"),
        Reason::Unreadable => ("cannot be read", "を読み取れません"),
    };
    let wrong = Wrong::new(format!("the file {path} {en}"), format!("ファイル {path} {ja}"));
    Place::row(sheet, file.row).in_column(file.column_number, &file.column).error("S110", &wrong)
}

/// The S123 mistake at the cell of the sheet `sheet` that names `file`: its checksum (`real`) is not the `promised` one.
#[must_use]
pub fn wrong_checksum(sheet: &str, file: &SheetFile, algorithm: &str, promised: &str, real: &str) -> Diagnostic {
    let path = shown_path(&file.path);
    let wrong = Wrong::new(
        format!("the {algorithm} of {path} is {real}, the sheet promises {promised}"),
        format!("{path} の {algorithm} は {real} ですが、シートには {promised} とあります"),
    );
    Place::row(sheet, file.row).in_column(file.column_number, &file.column).error("S123", &wrong).help(
        "it was cut or changed on its way, or the sheet belongs to another file: send it again, or correct the sheet",
        "途中で切れたか変わったか、シートが別のファイルのものです。送り直すか、シートを直してください",
    )
}

/// Long paths are told apart by their ends, so it is the front that is left out.
fn shown_path(path: &str) -> String {
    let excess = path.chars().count().saturating_sub(50);
    if excess == 0 { shown(path) } else { format!("…{}", shown(&path.chars().skip(excess).collect::<String>())) }
}

/// Fills in the size in bytes of every file of `specimen` that lies at `path`.
pub fn set_size(specimen: &mut Specimen, path: &str, size: u64) {
    specimen.values.values_mut().for_each(|value| set_size_within(value, path, size));
}

fn set_size_within(value: &mut Value, path: &str, size: u64) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set_size_within(item, path, size)),
        Value::Object(fields) => {
            if fields.get("path").and_then(Value::as_str) == Some(path) && fields.contains_key("name") {
                fields.insert("size".into(), size.into());
            }
            fields.values_mut().for_each(|field| set_size_within(field, path, size));
        }
        _ => {}
    }
}
