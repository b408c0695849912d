//! Starts the page.

fn main() {
    pulseboard_client::start();
}
