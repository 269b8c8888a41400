//! How fast it is natively: `retake plugin bench --native` runs this.

fn main() {
    retake_plugin_sdk::bench::run::<retake_gain::Gain>();
}
