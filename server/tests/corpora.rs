//! Runs the corpora of the fuzz targets without libFuzzer: each input that a target once found worth keeping, prefixes
//! of it, and copies with one byte changed.

#[path = "../../fuzz/targets/mod.rs"]
#[expect(unreachable_pub, reason = "the fuzz workspace has it as a library")]
mod targets;

use std::path::PathBuf;

/// The inputs of a target, by name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let bytes = std::fs::read(&file).expect("a file that can be read");
        (file, bytes)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn every_target_takes_its_corpus_and_what_is_near_it() {
    for (name, target) in targets::TARGETS {
        let corpus = corpus(name);
        assert!(!corpus.is_empty(), "{name} has no corpus");
        for (file, bytes) in corpus {
            println!("{}", file.display());
            target(&bytes);
            // A step that makes some hundred inputs from each file, whatever its length.
            let step = bytes.len() / 100 + 1;
            for at in (0..bytes.len()).step_by(step) {
                target(&bytes[..at]);
                let mut changed = bytes.clone();
                changed[at] = changed[at].wrapping_mul(31).wrapping_add(at.to_le_bytes()[0]) ^ 0x80;
                target(&changed);
                changed[at] = b'"';
                target(&changed);
            }
        }
    }
}

#[test]
fn every_target_has_a_program_and_every_corpus_a_target() {
    let fuzz = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("the manifest of the fuzz targets");
    let mut folders: Vec<String> = std::fs::read_dir(fuzz.join("corpus"))
        .expect("the corpora")
        .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(folders, names);
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no {name}");
        let program = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).expect("its program");
        assert!(program.contains(&format!("run(\"{name}\", bytes)")), "{name}: {program}");
    }
}
