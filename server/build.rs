//! Has the server built anew when the page was: the files of the page are in the binary, and cargo does not know them.

fn main() {
    println!("cargo::rerun-if-changed=../dist");
}
