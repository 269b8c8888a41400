//! Configuration in layers: defaults, then a TOML file, then the environment, then flags.
//!
//! The defaults, written out as TOML, are the list of known keys and their types; a layer may only
//! set what is there. All problems of all layers come back at once, as sentences that name the key.

use toml::{Table, Value};

/// Lays `over` onto `base`. Both are known by dotted key in what is reported.
pub fn merge_file(base: &mut Table, over: Table, problems: &mut Vec<String>) {
    merge(base, over, "", problems);
}

fn merge(base: &mut Table, over: Table, path: &str, problems: &mut Vec<String>) {
    for (key, value) in over {
        let dotted = join(path, &key);
        match (base.get_mut(&key), value) {
            (None, _) => problems.push(unknown(&dotted, base)),
            (Some(Value::Table(inner)), Value::Table(over)) => {
                merge(inner, over, &dotted, problems);
            }
            (Some(slot), value) => match coerce(slot, value) {
                Ok(value) => *slot = value,
                Err(value) => {
                    problems.push(format!(
                        "{dotted} is {}; it must be {}",
                        told(slot, &value),
                        kind(slot)
                    ));
                }
            },
        }
    }
}

/// What is there instead: the value, or only its kind where it may hold a secret that was written as
/// the wrong thing, which any text may.
fn told(slot: &Value, value: &Value) -> String {
    match slot {
        Value::String(_) | Value::Array(_) => kind(value).to_owned(),
        _ => value.to_string(),
    }
}

/// Where a file is no TOML, and why. The parser's own words quote the line, which may hold a secret.
pub fn place(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => {
            let line = before.matches('\n').count() + 1;
            format!(", line {line}: it is no TOML: {}", reason(error))
        }
        None => format!(": it is no TOML: {}", reason(error)),
    }
}

/// The parser's words, but for those that are the file's: they stand within backticks or quotes.
fn reason(error: &toml::de::Error) -> String {
    let mut parts = error.message().split(['`', '"']);
    parts.next().unwrap_or_default().trim().to_owned()
}

/// TOML tells 5 from 5.0; people do not.
fn coerce(slot: &Value, value: Value) -> Result<Value, Value> {
    match (slot, value) {
        (Value::Float(_), Value::Integer(n)) => Ok(Value::Float(n as f64)),
        (slot, value) if slot.same_type(&value) => Ok(value),
        (_, value) => Err(value),
    }
}

/// `RETAKE_SERVER_UPLOAD_BYTES_MAX` sets `server.upload_bytes_max`. Variables of ours that set
/// nothing are problems: a misspelt limit must not pass for a set one.
pub fn merge_environment(
    base: &mut Table,
    variables: impl Iterator<Item = (String, String)>,
    problems: &mut Vec<String>,
) {
    for (name, text) in variables {
        let Some(rest) = name.strip_prefix("RETAKE_") else {
            continue;
        };
        if rest.starts_with("TEST_") || matches!(rest, "CONFIG" | "LOG" | "ADMIN_KEY") {
            continue;
        }
        match slot_of_variable(base, rest) {
            None => problems.push(format!(
                "the environment sets {name}, which is not a setting"
            )),
            Some(slot) => set_text(slot, &name, &text, problems),
        }
    }
}

/// `--set server.upload_bytes_max=1000000`.
pub fn merge_flag(base: &mut Table, flag: &str, problems: &mut Vec<String>) {
    let Some((dotted, text)) = flag.split_once('=') else {
        let is_of_a_key = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
        let key: String = flag.chars().take_while(is_of_a_key).collect();
        problems.push(format!("--set {key}…: it must look like key=value"));
        return;
    };
    let mut table = base;
    let mut parts = dotted.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            match table.get_mut(part) {
                Some(slot) if !slot.is_table() => return set_text(slot, dotted, text, problems),
                _ => return problems.push(unknown(dotted, table)),
            }
        }
        match table.get_mut(part) {
            Some(Value::Table(inner)) => table = inner,
            _ => return problems.push(format!("{dotted} is not a setting")),
        }
    }
}

fn slot_of_variable<'t>(table: &'t mut Table, rest: &str) -> Option<&'t mut Value> {
    for (key, value) in table.iter_mut() {
        let upper = key.to_uppercase();
        match value {
            Value::Table(inner) => {
                if let Some(rest) = rest.strip_prefix(&upper).and_then(|r| r.strip_prefix('_')) {
                    // Another table's name may begin alike: go on looking if it is not in this one.
                    if let Some(slot) = slot_of_variable(inner, rest) {
                        return Some(slot);
                    }
                }
            }
            value if upper == rest => return Some(value),
            _ => {}
        }
    }
    None
}

fn set_text(slot: &mut Value, name: &str, text: &str, problems: &mut Vec<String>) {
    let parsed = match slot {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Float(_) => text
            .parse()
            .ok()
            .filter(|x: &f64| x.is_finite())
            .map(Value::Float),
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Array(before) => {
            // Of what it holds by default; of texts, where it holds nothing.
            let numbers = before.first().is_some_and(Value::is_integer);
            let parts = text.split(',').map(str::trim);
            let parts = parts.filter(|part| !part.is_empty());
            let parts = parts.map(|part| match numbers {
                true => part.parse().ok().map(Value::Integer),
                false => Some(Value::String(part.to_owned())),
            });
            parts.collect::<Option<_>>().map(Value::Array)
        }
        _ => None,
    };
    match parsed {
        Some(value) => *slot = value,
        None => problems.push(format!("{name} is \"{text}\"; it must be {}", kind(slot))),
    }
}

fn unknown(dotted: &str, table: &Table) -> String {
    let known: Vec<_> = table.keys().map(String::as_str).collect();
    format!("{dotted} is not a setting; here are: {}", known.join(", "))
}

fn kind(slot: &Value) -> &'static str {
    match slot {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
        Value::Datetime(_) => "a date and time",
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn defaults() -> Table {
        "listen = '127.0.0.1:8080'\n[server]\nupload_bytes_max = 1\nrate = 1.5\nopen = false\nnames = []\npauses = [1, 2]"
            .parse()
            .unwrap()
    }

    #[test]
    fn a_file_sets_what_is_known_and_reports_all_the_rest_at_once() {
        let mut base = defaults();
        let mut problems = Vec::new();
        let file = "listne = 1\n[server]\nupload_bytes_max = 'big'\nrate = 2\nsize = 3";
        merge_file(&mut base, file.parse().unwrap(), &mut problems);
        assert_eq!(base["server"]["rate"], Value::Float(2.0));
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(
            problems
                .iter()
                .any(|p| p.starts_with("listne is not a setting"))
        );
        assert!(
            problems.iter().any(
                |p| p.contains("server.upload_bytes_max is \"big\"; it must be a whole number")
            )
        );
    }

    #[test]
    fn the_environment_reaches_sections_and_refuses_what_it_does_not_know() {
        let mut base = defaults();
        let mut problems = Vec::new();
        let vars = [
            ("RETAKE_SERVER_UPLOAD_BYTES_MAX", "77"),
            ("RETAKE_SERVER_NAMES", "a, b"),
            ("RETAKE_TEST_ANYTHING", "x"),
            ("HOME", "x"),
            ("RETAKE_SERVER_OPEN", "maybe"),
            ("RETAKE_UPLOAD", "x"),
        ];
        let vars = vars.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()));
        merge_environment(&mut base, vars, &mut problems);
        assert_eq!(base["server"]["upload_bytes_max"], Value::Integer(77));
        assert_eq!(base["server"]["names"].as_array().unwrap().len(), 2);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn flags_set_dotted_keys() {
        let mut base = defaults();
        let mut problems = Vec::new();
        merge_flag(&mut base, "server.open=true", &mut problems);
        merge_flag(&mut base, "listen=127.0.0.1:0", &mut problems);
        assert!(problems.is_empty());
        assert_eq!(base["server"]["open"], Value::Boolean(true));
        merge_flag(&mut base, "server.pauses=5, 7", &mut problems);
        assert_eq!(base["server"]["pauses"], Value::from(vec![5, 7]));
        merge_flag(&mut base, "server.pauses=5,soon", &mut problems);
        assert_eq!(problems.len(), 1, "{problems:?}");
        for bad in ["server=1", "server.nothing=1", "x.y=1", "listen"] {
            let mut problems = Vec::new();
            merge_flag(&mut base, bad, &mut problems);
            assert_eq!(problems.len(), 1, "{bad}");
        }
    }
}
