//! The catalogue of plugins, and the way into it.

use retake_chain::problem::ProblemKind as No;

use super::{Routes, plugin, uuid, version};
use crate::{
    api::{
        Admin, History, Names, Page, PluginView, SubmissionView,
        operation::{Tag, delete, get, path, post},
    },
    routes::{plugins, submissions},
};

/// What a page or a list of all gives of a plugin, and what one that was asked for by its id.
type Plugin = PluginView<'static, Names<'static>>;
type PluginHistory = PluginView<'static, History<'static>>;

pub fn fill(routes: &mut Routes) {
    routes.on(
        get(
            "/api/v1/plugins",
            "listPlugins",
            Tag::Plugins,
            "The plugins a chain may use",
        )
        .answers::<Page<Plugin>>(
            200,
            "By id, of each the version that a chain gets which names none.",
        ),
        plugins::list,
    );
    routes.on_slow(
        post(
            "/api/v1/plugins",
            "submitPlugin",
            Tag::Plugins,
            "Submit a plugin: it is checked by a worker and then published or refused",
        )
        .about(
            "A component, or the core module that cargo builds; at most 64 MiB unless configured \
             otherwise.",
        )
        .admin()
        .bytes("application/wasm")
        .answers::<SubmissionView>(
            202,
            "Taken in, and never lost. The same bytes may be sent again.",
        )
        .with_header("Location", "The submission's address.")
        .refuses(&[
            No::InvalidRequest,
            No::RequestTimeout,
            No::TooLarge,
            No::StorageFull,
        ]),
        submissions::create,
    );
    routes.on(
        get(
            "/api/v1/plugins/{plugin}",
            "getPlugin",
            Tag::Plugins,
            "A plugin with all its versions",
        )
        .takes(plugin())
        .answers::<PluginHistory>(
            200,
            "The newest version; one that was removed where there is no other. `versions` are all \
             there is and was, the newest first.",
        )
        .refuses(&[No::NotFound]),
        plugins::get,
    );
    routes.on(
        get(
            "/api/v1/plugins/{plugin}/versions/{version}",
            "getPluginVersion",
            Tag::Plugins,
            "One version of a plugin, removed or not, with what its checks found",
        )
        .takes(plugin())
        .takes(version())
        .answers::<Plugin>(
            200,
            "The version. `check` is null where it came with the program.",
        )
        .refuses(&[No::NotFound]),
        plugins::version,
    );
    routes.on(
        delete(
            "/api/v1/plugins/{plugin}/versions/{version}",
            "removePluginVersion",
            Tag::Plugins,
            "Take a published version out: new jobs cannot name it",
        )
        .admin()
        .takes(plugin())
        .takes(version())
        .answers_nothing(204, "Taken out. What is known of it can still be read.")
        .refuses(&[No::NotFound, No::PluginBuiltIn, No::PreconditionFailed]),
        plugins::remove,
    );
    routes.on(
        get(
            "/api/v1/plugin-submissions/{submission}",
            "getSubmission",
            Tag::Plugins,
            "A submission and its verdict",
        )
        .admin()
        .takes(path("submission", "", uuid()))
        .answers::<SubmissionView>(200, "The submission.")
        .refuses(&[No::NotFound]),
        submissions::get,
    );
    routes.on(
        get(
            "/api/v1/admin",
            "checkAdminKey",
            Tag::Sessions,
            "Whether a key is an admin key",
        )
        .admin()
        .answers::<Admin>(200, "It is."),
        plugins::admin,
    );
}
