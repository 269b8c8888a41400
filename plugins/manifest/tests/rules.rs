//! What a manifest must be, and what values it lets through.

#![allow(clippy::unwrap_used)]

use retake_plugin_manifest::{
    ChannelUse, Choice, Manifest, Param, ParamKind, Passes, Scale, Settings, Targets, Value,
};
use serde_json::json;

fn param(id: &str, kind: ParamKind) -> Param {
    Param {
        id: id.into(),
        label: "A label".into(),
        help: String::new(),
        unit: "dB".into(),
        group: String::new(),
        kind,
    }
}

fn float(min: f64, max: f64, default: f64) -> ParamKind {
    ParamKind::Float {
        min,
        max,
        default,
        step: None,
        scale: Scale::Linear,
    }
}

fn choices(ids: &[&str], default: &str) -> ParamKind {
    let choice = |id: &&str| Choice {
        id: (*id).into(),
        label: "A label".into(),
    };
    ParamKind::Choice {
        choices: ids.iter().map(choice).collect(),
        default: default.into(),
    }
}

fn manifest() -> Manifest {
    Manifest {
        id: "org.example.thing".into(),
        name: "Thing".into(),
        version: "1.2.3".into(),
        vendor: String::new(),
        summary: String::new(),
        license: "MIT".into(),
        params: vec![
            param("level", float(-60.0, 24.0, 0.0)),
            param(
                "count",
                ParamKind::Int {
                    min: 1,
                    max: 9,
                    default: 3,
                },
            ),
            param("on", ParamKind::Toggle { default: true }),
            param("mode", choices(&["soft", "hard"], "soft")),
        ],
        passes: Passes {
            analyze: false,
            process: true,
        },
        channels: ChannelUse::Independent,
        max_channels: 0,
        sample_rates: vec![8_000, 192_000],
        block_quantum: 1,
        extras: vec![("homepage".into(), "https://example.org".into())],
    }
}

/// With this change exactly one rule is broken: that of `field`.
fn check(field: &str, change: impl FnOnce(&mut Manifest)) {
    let mut changed = manifest();
    change(&mut changed);
    let errors = changed.validate().unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].field, field, "{errors:?}");
}

#[test]
fn a_sound_manifest_is_taken() {
    assert_eq!(manifest().validate(), Ok(()));
}

#[test]
fn texts_are_well_formed_and_bounded() {
    for id in [
        "thing",
        "org.Example",
        "org..x",
        ".org.x",
        "org.x.",
        "org.-x",
        "org.exämple",
    ] {
        check("id", |m| m.id = id.into());
    }
    check("name", |m| m.name.clear());
    check("name", |m| m.name = "n".repeat(101));
    check("name", |m| m.name = "bell \u{7}".into());
    for hidden in [
        "\u{1b}[2J",
        "a\nb",
        "\u{85}",
        "\u{202e}",
        "\u{2067}",
        "\u{200f}",
        "\u{61c}",
        "\u{2028}",
        "\u{200b}",
        "\u{feff}",
        "\u{e0041}",
    ] {
        let text = format!("Gain {hidden} it");
        check("name", |m| m.name.clone_from(&text));
        check("vendor", |m| m.vendor.clone_from(&text));
        check("params[0].label", |m| m.params[0].label.clone_from(&text));
        check("params[0].group", |m| m.params[0].group.clone_from(&text));
        check("params[3].choices", |m| {
            let ParamKind::Choice { choices, .. } = &mut m.params[3].kind else {
                panic!("the fourth is a choice");
            };
            choices[0].label.clone_from(&text);
        });
        if hidden != "a\nb" {
            check("summary", |m| m.summary.clone_from(&text));
            check("params[0].help", |m| m.params[0].help.clone_from(&text));
            check("extras", |m| m.extras[0].1.clone_from(&text));
        }
    }
    // Languages that run the other way need none of these, and markup is text like any.
    let mut other = manifest();
    other.name = "مكبّر <b>الصوت</b>".into();
    other.summary = "Line\nby line, می\u{200c}خواهم & <script>".into();
    assert_eq!(other.validate(), Ok(()));
    check("vendor", |m| m.vendor = "v".repeat(101));
    check("summary", |m| m.summary = "s".repeat(2001));
    check("license", |m| m.license = "l".repeat(101));
    check("extras", |m| m.extras[0].0.clear());
    check("extras", |m| m.extras = vec![("k".into(), "v".into()); 65]);
    check("params[0].label", |m| m.params[0].label.clear());
    check("params[0].help", |m| m.params[0].help = "h".repeat(2001));
    check("params[0].unit", |m| m.params[0].unit = "u".repeat(17));
    check("params[0].group", |m| m.params[0].group = "g".repeat(101));
}

#[test]
fn versions_are_semantic() {
    for version in [
        "1.0.0",
        "0.0.0",
        "10.20.30",
        "1.0.0-rc.1",
        "1.0.0+b7",
        "1.0.0-a-b+c.d",
    ] {
        let mut m = manifest();
        m.version = version.into();
        assert_eq!(m.validate(), Ok(()), "{version}");
    }
    for version in [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "v1.0.0",
        "1.0.x",
        "1.0.0-",
        "1.0.0+",
        "1.0.0-a..b",
    ] {
        check("version", |m| m.version = version.into());
    }
}

#[test]
fn parameters_are_unique_and_their_defaults_within_range() {
    check("params[1].id", |m| m.params[1].id = "level".into());
    for id in ["", "Level", "le vel", "-level", "level-", "lével"] {
        check("params[0].id", |m| m.params[0].id = id.into());
    }
    let kind = |kind: ParamKind| |m: &mut Manifest| m.params[0].kind = kind;
    check("params[0].default", kind(float(0.0, 1.0, 1.1)));
    check("params[0].default", kind(float(1.0, 0.0, 0.5)));
    check("params[0]", kind(float(f64::NEG_INFINITY, 1.0, 0.0)));
    check("params[0]", kind(float(0.0, 1.0, f64::NAN)));
    check(
        "params[0].default",
        kind(ParamKind::Int {
            min: 0,
            max: 5,
            default: 6,
        }),
    );
    check("params[0].default", kind(choices(&["a"], "b")));
    check("params[0].default", kind(choices(&[], "")));
    check("params[0].choices", kind(choices(&["a", "a"], "a")));
    check("params[0].choices", kind(choices(&["a", "B"], "a")));
    for step in [0.0, -1.0, f64::NAN] {
        let scale = Scale::Linear;
        let bad = ParamKind::Float {
            min: 0.0,
            max: 1.0,
            default: 0.0,
            step: Some(step),
            scale,
        };
        check("params[0].step", kind(bad));
    }
    let scale = Scale::Logarithmic;
    let from_zero = ParamKind::Float {
        min: 0.0,
        max: 1.0,
        default: 0.5,
        step: None,
        scale,
    };
    check("params[0].min", kind(from_zero));
}

#[test]
fn rates_quanta_and_passes_are_ones_the_host_can_serve() {
    check("sample_rates", |m| m.sample_rates = vec![7_999]);
    check("sample_rates", |m| m.sample_rates = vec![192_001]);
    check("sample_rates", |m| m.sample_rates = vec![48_000; 33]);
    check("block_quantum", |m| m.block_quantum = 0);
    check("block_quantum", |m| m.block_quantum = 65_537);
    check("passes", |m| {
        m.passes = Passes {
            analyze: false,
            process: false,
        }
    });
    check("params", |m| {
        m.params = (0..257)
            .map(|n| param(&format!("p{n}"), float(0.0, 1.0, 0.0)))
            .collect();
    });
}

#[test]
fn all_broken_rules_are_named_at_once() {
    let mut m = manifest();
    m.name.clear();
    m.version = "one".into();
    m.block_quantum = 0;
    let fields: Vec<_> = m
        .validate()
        .unwrap_err()
        .into_iter()
        .map(|e| e.field)
        .collect();
    assert_eq!(fields, ["name", "version", "block_quantum"]);
}

#[test]
fn a_manifest_survives_json() {
    let text = serde_json::to_string(&manifest()).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest());
    assert_eq!(
        serde_json::to_value(&manifest().params[0]).unwrap(),
        json!({
            "id": "level", "label": "A label", "help": "", "unit": "dB", "group": "",
            "type": "float", "min": -60.0, "max": 24.0, "default": 0.0, "scale": "linear",
        })
    );
}

fn resolve(given: serde_json::Value) -> Result<Vec<Value>, Vec<String>> {
    Settings::resolve(&manifest(), given.as_object().unwrap())
        .map(|settings| {
            settings
                .iter()
                .map(|setting| setting.value.clone())
                .collect()
        })
        .map_err(|errors| errors.into_iter().map(|error| error.detail).collect())
}

#[test]
fn settings_are_complete_and_in_declared_order() {
    let soft = Value::Text("soft".into());
    assert_eq!(
        resolve(json!({})).unwrap(),
        [Value::Float(0.0), Value::Int(3), Value::Toggle(true), soft]
    );
    assert_eq!(
        resolve(json!({ "mode": "hard", "on": false, "count": 9, "level": -60 })).unwrap(),
        [
            Value::Float(-60.0),
            Value::Int(9),
            Value::Toggle(false),
            Value::Text("hard".into())
        ]
    );
}

#[test]
fn wrong_values_are_refused_with_the_allowed_range() {
    let check = |given: serde_json::Value, words: &str| {
        let errors = resolve(given).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(words), "{errors:?}");
    };
    check(
        json!({ "level": 24.1 }),
        "must be a number from -60 to 24 dB",
    );
    check(
        json!({ "level": "loud" }),
        "must be a number from -60 to 24 dB",
    );
    check(
        json!({ "level": null }),
        "must be a number from -60 to 24 dB",
    );
    check(
        json!({ "count": 2.5 }),
        "must be a whole number from 1 to 9",
    );
    check(json!({ "count": 10 }), "must be a whole number from 1 to 9");
    check(json!({ "on": 1 }), "must be true or false");
    check(json!({ "mode": "Soft" }), "must be one of: soft, hard");
    check(json!({ "loudness": 3 }), "it has: level, count, on, mode");
    assert_eq!(
        resolve(json!({ "level": 99, "count": 0, "x": 1 }))
            .unwrap_err()
            .len(),
        3
    );
}

#[test]
fn names_are_the_id_or_its_last_part() {
    let m = manifest();
    assert_eq!(m.short_name(), "thing");
    assert!(m.answers_to("thing") && m.answers_to("org.example.thing"));
    assert!(!m.answers_to("example.thing") && !m.answers_to(""));
}

#[test]
fn a_promise_that_cannot_be_held_to_is_refused() {
    let promising = |value: &str| ("level-change-db".to_owned(), value.to_owned());
    for value in ["", "6", "6..-6", "-6..1000", "quiet..loud"] {
        check("extras", |m| m.extras.push(promising(value)));
    }
    check("extras", |m| {
        m.extras.extend([promising("-6..6"), promising("-9..9")])
    });

    let mut sound = manifest();
    assert_eq!(sound.level_promise(), None);
    sound.extras.push(promising("-6..0.5"));
    assert_eq!(sound.validate(), Ok(()));
    let promise = sound.level_promise().unwrap();
    assert_eq!((promise.min_db, promise.max_db), (-6.0, 0.5));
}

#[test]
fn a_target_is_a_parameter_that_can_state_it() {
    let extra = |key: &str, id: &str| (key.to_owned(), id.to_owned());
    let with_params = |m: &mut Manifest| {
        m.params = vec![
            param("aim", float(-40.0, 0.0, -16.0)),
            param("twice", ParamKind::Toggle { default: false }),
        ];
    };
    for (key, id) in [
        ("target-lufs", "nowhere"),
        ("target-lufs", ""),
        ("target-lufs", "twice"),
        ("ceiling-dbtp", "twice"),
        ("dual-mono", "aim"),
    ] {
        check("extras", |m| {
            with_params(m);
            m.extras.push(extra(key, id));
        });
    }
    check("extras", |m| {
        with_params(m);
        m.extras
            .extend([extra("target-lufs", "aim"), extra("target-lufs", "aim")]);
    });

    let mut sound = manifest();
    with_params(&mut sound);
    let targets = |m: &Manifest, params: serde_json::Value| {
        let settings = Settings::resolve(m, params.as_object().unwrap()).unwrap();
        m.targets(&settings)
    };
    assert_eq!(targets(&sound, json!({})), Targets::default());
    sound
        .extras
        .extend([extra("target-lufs", "aim"), extra("dual-mono", "twice")]);
    assert_eq!(sound.validate(), Ok(()));
    let expected = Targets {
        loudness_lufs: Some(-20.0),
        ceiling_dbtp: None,
        dual_mono: true,
    };
    let given = json!({"aim": -20, "twice": true});
    assert_eq!(targets(&sound, given), expected);
}

#[test]
fn a_plugin_that_may_shorten_processes_linked_channels() {
    let shortening = |manifest: &mut Manifest| {
        manifest.channels = ChannelUse::Linked;
        manifest.extras = vec![("length".into(), "may-shorten".into())];
    };
    let mut good = manifest();
    assert!(!good.may_shorten());
    shortening(&mut good);
    assert_eq!(good.validate(), Ok(()));
    assert!(good.may_shorten());
    check("extras", |manifest| {
        shortening(manifest);
        manifest.channels = ChannelUse::Independent;
    });
    check("extras", |manifest| {
        shortening(manifest);
        manifest.passes = Passes {
            analyze: true,
            process: false,
        };
    });
    check("extras", |manifest| {
        shortening(manifest);
        manifest.extras[0].1 = "may-lengthen".into();
    });
}

#[test]
fn equal_channels_are_run_once_only_where_each_has_a_session() {
    let once = |manifest: &mut Manifest| {
        manifest.channels = ChannelUse::Independent;
        manifest.extras = vec![("equal-channels".into(), "once".into())];
    };
    let mut good = manifest();
    assert!(!good.runs_equal_channels_once());
    once(&mut good);
    assert_eq!(good.validate(), Ok(()));
    assert!(good.runs_equal_channels_once());
    check("extras", |manifest| {
        once(manifest);
        manifest.channels = ChannelUse::Linked;
    });
    check("extras", |manifest| {
        once(manifest);
        manifest.extras[0].1 = "twice".into();
    });
}

#[test]
fn resolved_settings_are_what_a_chain_could_give() {
    let given = json!({"level": -6.5, "on": false});
    let settings = Settings::resolve(&manifest(), given.as_object().unwrap()).unwrap();
    let json = settings.to_json();
    assert_eq!(
        json!(json),
        json!({"level": -6.5, "count": 3, "on": false, "mode": "soft"})
    );
    assert_eq!(Settings::resolve(&manifest(), &json), Ok(settings));
}

#[test]
fn what_is_quoted_of_a_broken_manifest_is_short_and_drives_no_terminal() {
    let mut broken = manifest();
    broken.id = format!("\u{1b}[31m\u{202e}{}", "x".repeat(5_000));
    broken.version = "\u{7}1".into();
    for error in broken.validate().unwrap_err() {
        let told = error.to_string();
        assert!(told.len() < 400, "{told}");
        assert!(!told.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{told:?}");
    }
}
