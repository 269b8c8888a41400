//! What is the same for everybody, and what is for whoever runs the server.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::Routes;
use crate::{
    api::{
        Alive, ExternalView, LimitsView, Page, Readiness, Version,
        operation::{Tag, get, path},
    },
    routes::{catalogue, health},
};

pub fn fill(routes: &mut Routes) {
    routes.on(
        get(
            "/api/v1/openapi.json",
            "getOpenApi",
            Tag::Catalogue,
            "This description",
        )
        .answers_object("OpenAPI 3.1."),
        catalogue::openapi,
    );
    routes.on(
        get(
            "/api/v1/externals",
            "listExternals",
            Tag::Catalogue,
            "External services that a chain's steps may send the recording to",
        )
        .answers::<Page<ExternalView>>(200, "All of them. Every other step runs here."),
        catalogue::externals,
    );
    routes.on(
        get(
            "/api/v1/limits",
            "getLimits",
            Tag::Catalogue,
            "How much this server takes",
        )
        .answers::<LimitsView>(200, "Its settings, as far as they concern clients."),
        catalogue::limits,
    );
    routes.on(
        get(
            "/api/v1/version",
            "getVersion",
            Tag::Catalogue,
            "Which version of the program and of this interface answers",
        )
        .answers::<Version>(200, "The version."),
        catalogue::version,
    );
    routes.on(
        get(
            "/problems/{kind}",
            "getProblem",
            Tag::Catalogue,
            "What a problem's type means",
        )
        .takes(
            path("kind", "The end of its `type`.", json!({"type": "string"})).example("not-audio"),
        )
        .answers_text("text/markdown", "Its section of docs/problems.md.")
        .refuses(&[No::NotFound]),
        catalogue::problem,
    );
    routes.on(
        get(
            "/healthz",
            "getHealth",
            Tag::Operations,
            "Whether the process is alive",
        )
        .answers::<Alive>(200, "It is."),
        health::alive,
    );
    routes.on(
        get(
            "/readyz",
            "getReadiness",
            Tag::Operations,
            "Whether store and queue are within reach",
        )
        .answers::<Readiness>(200, "They are.")
        .answers::<Readiness>(503, "Something is missing, or the server stops."),
        health::ready,
    );
    routes.on(
        get(
            "/metrics",
            "getMetrics",
            Tag::Operations,
            "Counters, in the Prometheus text format",
        )
        .answers_text("text/plain", "Totals only."),
        health::metrics,
    );
}
