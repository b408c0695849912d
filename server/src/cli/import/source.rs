//! Opens a file, and decompresses it if its content is gzip. Derives the format from the name.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

use crate::ingest::{self, influx};

/// The first bytes of a gzip file (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The byte order marks of UTF-16, which no UTF-8 begins with.
const UTF_16: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;

/// The lines of a file.
pub(super) type Input = Box<dyn BufRead>;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Line protocol of `InfluxDB`.
    Lines,
    /// A JSON object a line, as for `POST /in`.
    Ndjson,
    /// A table with a head.
    Csv,
}

impl Format {
    /// Derives the format from the extension of a name, such as `.csv` or `.csv.gz`.
    #[must_use]
    pub fn of(file: &Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "lp" | "line" | "lines" | "influx" | "txt" => Some(Self::Lines),
            _ => None,
        }
    }

    /// Returns the most bytes that one push may have.
    pub(super) fn most_bytes(self) -> usize {
        match self {
            Self::Lines => influx::MAX_BODY,
            Self::Ndjson | Self::Csv => ingest::MAX_BODY,
        }
    }

    /// Parses the word of `--format`.
    ///
    /// # Errors
    /// A message with the formats that there are.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word {
            "lines" => Ok(Self::Lines),
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err("there are lines, ndjson and csv".to_owned()),
        }
    }
}

/// Opens `file`, or standard input if it is `-`. `progress` counts the bytes that are read.
pub(super) fn open(file: &Path, progress: &ProgressBar) -> io::Result<Input> {
    if file == Path::new("-") {
        return unpack(BufReader::with_capacity(BUFFER, io::stdin()));
    }
    let file = progress.wrap_read(File::open(file)?);
    unpack(BufReader::with_capacity(BUFFER, file))
}

fn unpack(mut input: BufReader<impl io::Read + 'static>) -> io::Result<Input> {
    let start = input.fill_buf()?;
    if UTF_16.iter().any(|mark| start.starts_with(mark)) {
        let message = "it is UTF-16; write it as UTF-8 first, such as with iconv -f UTF-16 -t UTF-8";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    if start.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(input))));
    }
    Ok(Box::new(input))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_follows_from_the_name() {
        for (name, wanted) in [
            ("a.csv", Some(Format::Csv)),
            ("b/2024.CSV.GZ", Some(Format::Csv)),
            ("a.ndjson", Some(Format::Ndjson)),
            ("export.lp.gz", Some(Format::Lines)),
            ("csv", None),
            ("-", None),
            ("a.gz", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), wanted, "{name}");
        }
    }
}
