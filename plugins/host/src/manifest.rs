//! The contract's types and the manifest crate's are the same thing twice: the first is what a
//! plugin says, the second what the rest of the program works with.

use retake_plugin_manifest as plain;

use crate::bindings as wit;

pub fn from_contract(manifest: wit::Manifest) -> plain::Manifest {
    plain::Manifest {
        id: manifest.id,
        name: manifest.name,
        version: manifest.version,
        vendor: manifest.vendor,
        summary: manifest.summary,
        license: manifest.license,
        params: manifest.params.into_iter().map(param).collect(),
        passes: plain::Passes {
            analyze: manifest.passes.contains(wit::Passes::ANALYZE),
            process: manifest.passes.contains(wit::Passes::PROCESS),
        },
        channels: match manifest.channels {
            wit::ChannelUse::Independent => plain::ChannelUse::Independent,
            wit::ChannelUse::Linked => plain::ChannelUse::Linked,
        },
        max_channels: manifest.max_channels,
        sample_rates: manifest.sample_rates,
        block_quantum: manifest.block_quantum,
        extras: manifest.extras,
    }
}

fn param(param: wit::Param) -> plain::Param {
    plain::Param {
        id: param.id,
        label: param.label,
        help: param.help,
        unit: param.unit,
        group: param.group,
        kind: match param.kind {
            wit::ParamKind::Float(range) => plain::ParamKind::Float {
                min: range.min,
                max: range.max,
                default: range.default,
                step: range.step,
                scale: match range.scale {
                    wit::Scale::Linear => plain::Scale::Linear,
                    wit::Scale::Logarithmic => plain::Scale::Logarithmic,
                },
            },
            wit::ParamKind::Int(range) => plain::ParamKind::Int {
                min: range.min,
                max: range.max,
                default: range.default,
            },
            wit::ParamKind::Toggle(default) => plain::ParamKind::Toggle { default },
            wit::ParamKind::Choice(range) => plain::ParamKind::Choice {
                choices: range
                    .choices
                    .into_iter()
                    .map(|choice| plain::Choice {
                        id: choice.id,
                        label: choice.label,
                    })
                    .collect(),
                default: range.default,
            },
        },
    }
}

pub fn to_contract(settings: &plain::Settings) -> Vec<wit::Setting> {
    let value = |value: &plain::Value| match value {
        plain::Value::Toggle(value) => wit::Value::Toggle(*value),
        plain::Value::Int(value) => wit::Value::Int(*value),
        plain::Value::Float(value) => wit::Value::Float(*value),
        plain::Value::Text(value) => wit::Value::Text(value.clone()),
    };
    settings
        .iter()
        .map(|setting| wit::Setting {
            id: setting.id.clone(),
            value: value(&setting.value),
        })
        .collect()
}
