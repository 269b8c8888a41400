//! The correction as native code, for `retake plugin bench --native`.

fn main() {
    retake_plugin_sdk::bench::run::<@CRATE@::@TYPE@>();
}
