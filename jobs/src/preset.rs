//! The built-in presets: chains with a name.
