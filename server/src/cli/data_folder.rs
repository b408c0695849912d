//! `pulseboard check`, `backup` and `restore`: work on a data folder, with or without a running server.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::plain_text::Plain;
use crate::store::check::{self, CheckError, Report};
use crate::store::copy::{self, CopyError, IfDamaged};

/// The name of a file that means standard input or output.
const STANDARD: &str = "-";

/// Prints what is damaged and what can be read. Returns true if nothing is damaged.
///
/// # Errors
/// [`CheckError`] if nothing can be read.
pub fn check(path: &Path, out: &mut impl Write) -> Result<bool, CheckError> {
    let report = check::check(path)?;
    // If the reader of the output is gone, the exit code still has the result.
    _ = print(&report, out);
    Ok(report.is_sound())
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for damaged in &report.described {
        writeln!(out, "damaged: {}", Plain(damaged))?;
    }
    let more = report.damaged - report.described.len() as u64;
    if more > 0 {
        writeln!(out, "damaged: {more} more parts")?;
    }
    let readable: Vec<String> = report.readable.iter().map(|(what, count)| format!("{count} {what}")).collect();
    writeln!(out, "readable: {}", readable.join(", "))?;
    if report.is_sound() {
        return writeln!(out, "nothing is damaged");
    }
    writeln!(
        out,
        "the server skips damaged parts, and keeps them; to get them back, restore a backup (pulseboard restore)"
    )
}

/// Copies the database of a data folder to a file, or to standard output, and prints the result on standard error.
/// Returns true if the copy is sound.
///
/// # Errors
/// [`CopyError`].
pub fn backup(data: &Path, file: &Path) -> Result<bool, CopyError> {
    let report = if file.as_os_str() == STANDARD {
        copy::backup_to(data, &std::env::temp_dir(), &mut io::stdout().lock())?
    } else {
        copy::backup(data, file)?
    };
    _ = print(&report, &mut io::stderr().lock());
    Ok(report.is_sound())
}

/// Makes the database of a data folder of a file, or of standard input, and prints the result.
///
/// # Errors
/// [`CopyError`].
pub fn restore(file: &Path, folder: &Path, if_damaged: IfDamaged, out: &mut impl Write) -> Result<(), CopyError> {
    let report = if file.as_os_str() == STANDARD {
        copy::restore(&mut io::stdin().lock(), folder, if_damaged)?
    } else {
        let read = File::open(file).map_err(|source| CopyError::Read { file: file.to_owned(), source })?;
        copy::restore(&mut io::BufReader::new(read), folder, if_damaged)?
    };
    _ = print(&report, out);
    Ok(())
}
