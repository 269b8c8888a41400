//! Chains that have a name.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::Routes;
use crate::{
    api::{
        Page, PresetView,
        operation::{Operation, Parameter, Tag, delete, get, header, path, put, query},
        requests::NewPreset,
    },
    routes::presets,
};

fn name() -> Parameter {
    path(
        "preset",
        "Its name: 1 to 50 small letters, digits and hyphens.",
        json!({"type": "string"}),
    )
    .example("speech")
}

fn conditional(operation: Operation) -> Operation {
    let text = || json!({"type": "string"});
    operation
        .takes(header(
            "If-Match",
            "The ETag of the version that is meant to be the newest, or `*` for any; 412 unless it is.",
            text(),
        ))
        .takes(header(
            "If-None-Match",
            "`*`: only where there is none yet.",
            text(),
        ))
        .refuses(&[No::PreconditionFailed])
}

pub fn fill(routes: &mut Routes) {
    routes.on(
        get(
            "/api/v1/presets",
            "listPresets",
            Tag::Presets,
            "The chains that have a name: the built-in ones, and mine",
        )
        .about("Needs no session; with one, its owner's stand behind the built-in ones.")
        .answers::<Page<PresetView>>(200, "The presets.")
        .refuses(&[No::InvalidField, No::Unauthenticated, No::InsufficientScope]),
        presets::list,
    );
    routes.on(
        get(
            "/api/v1/presets/{preset}",
            "getPreset",
            Tag::Presets,
            "A preset; as what is answered it can be saved elsewhere",
        )
        .about("A built-in one needs no session.")
        .owner()
        .takes(name())
        .takes(query(
            "version",
            "A certain version of it; the newest without it. The newest 100 are remembered.",
            json!({"type": "integer", "minimum": 1}),
        ))
        .takes(header("If-None-Match", "", json!({"type": "string"})))
        .takes(header("If-Match", "", json!({"type": "string"})))
        .answers::<PresetView>(200, "The preset.")
        .with_header("ETag", "Its version; of a built-in one, its digest.")
        .answers_nothing(304, "The client has it already.")
        .with_header("ETag", "Its version.")
        .refuses(&[No::NotFound, No::InvalidField, No::PreconditionFailed]),
        presets::get,
    );
    routes.on(
        conditional(
            put(
                "/api/v1/presets/{preset}",
                "savePreset",
                Tag::Presets,
                "Save a chain under a name: a new version, or the first",
            )
            .about("Jobs that were accepted before keep the chain that they have.")
            .owner()
            .takes(name())
            .json::<NewPreset>(
                true,
                json!({"summary": "for talks", "chain": {"steps": [{"plugin": "denoise"}]}}),
            )
            .answers::<PresetView>(201, "The first version.")
            .with_header("ETag", "Its version.")
            .answers::<PresetView>(200, "A new version.")
            .with_header("ETag", "Its version.")
            .refuses(&[No::InvalidChain, No::TooManyKeys, No::StorageFull]),
        ),
        presets::save,
    );
    routes.on(
        conditional(
            delete(
                "/api/v1/presets/{preset}",
                "removePreset",
                Tag::Presets,
                "Remove a preset, all its versions",
            )
            .owner()
            .takes(name())
            .answers_nothing(204, "There is no such name any more.")
            .refuses(&[No::NotFound, No::InvalidField]),
        ),
        presets::remove,
    );
}
