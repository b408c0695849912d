//! Ends the process at a panic of any thread.
//!
//! A server that lost a thread would show old numbers as if they were new, and streams that were handed to that thread
//! would hang. A supervisor starts the server again, and readers resume.
//!
//! Release builds abort by themselves (`panic = "abort"`). This makes every build do the same, so that tests see it.

/// Makes each panic from now on end the process, after its message is printed.
pub fn end_the_process() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::abort();
    }));
}
