//! The contract, as wit-bindgen reads it. Nothing outside this crate should need these types.

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_raw",
    default_bindings_module: "retake_plugin_sdk::bindings",
});
