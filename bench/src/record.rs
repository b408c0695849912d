//! Writes measurements into a document whose other parts are written by hand.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;

/// Where what was measured goes, beside standard output.
#[derive(Args, Clone)]
pub(crate) struct Record {
    /// Also write it into this document, in place of what the same measurement wrote before
    #[arg(long)]
    record: Option<PathBuf>,
}

impl Record {
    /// Prints the part of this name, and writes it between `<!-- name -->` and `<!-- end of name -->` in the
    /// document, which must have both.
    pub(crate) fn write(&self, name: &str, part: &str) -> anyhow::Result<()> {
        println!("{part}");
        let Some(document) = &self.record else { return Ok(()) };
        let text = std::fs::read_to_string(document).with_context(|| format!("cannot read {}", document.display()))?;
        let text = replace(&text, name, part)
            .with_context(|| format!("{} has no place for {name}: <!-- {name} -->", document.display()))?;
        Ok(std::fs::write(document, text)?)
    }
}

fn replace(text: &str, name: &str, part: &str) -> Option<String> {
    let (before, rest) = text.split_once(&format!("<!-- {name} -->\n"))?;
    let end = format!("<!-- end of {name} -->");
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}<!-- {name} -->\n{}\n{end}{after}", part.trim_end()))
}

/// Describes the machine and its software as a list.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once([':', '='])?.1.trim().trim_matches('"').to_owned())
    };
    let unknown = || "unknown".to_owned();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let model = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown);
    let memory = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|memory| memory.split(' ').next()?.parse::<u64>().ok())
        .map_or_else(unknown, |kib| format!("{} GiB", (kib + (1 << 19)) >> 20));
    let system = field(&read("/etc/os-release"), "PRETTY_NAME").unwrap_or_else(unknown);
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(", ");
    let mut list = format!(
        "- {processors} processors ({model}), {memory}; the load comes from the same machine, over loopback\n\
         - {system}, Linux {}\n- load average before the run: {load}\n",
        read("/proc/sys/kernel/osrelease").trim()
    );
    for (name, package) in
        [("nginx", "nginx"), ("Nchan", "libnginx-mod-nchan"), ("VictoriaMetrics", "victoria-metrics")]
    {
        let version = Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]).output();
        let version = version.ok().filter(|output| output.status.success());
        let version =
            version.map_or("not installed".into(), |output| String::from_utf8_lossy(&output.stdout).into_owned());
        let _written = writeln!(list, "- {name} {version}");
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_takes_the_place_of_the_one_before_and_leaves_the_rest() {
        let document = "# Title\n<!-- a -->\nold\n<!-- end of a -->\nby hand\n<!-- b -->\n<!-- end of b -->\n";
        let once = replace(document, "a", "new\n").unwrap();
        assert_eq!(once, document.replace("old", "new"));
        assert_eq!(replace(&once, "a", "new").unwrap(), once, "twice is as once");
        assert!(replace(document, "b", "x").unwrap().contains("<!-- b -->\nx\n<!-- end of b -->"));
        assert_eq!(replace(document, "c", "x"), None);
    }
}
