//! Links to corrections.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{Routes, columns_per_second, id, on_demand, peaks_side, rendition, side, tile};
use crate::{
    api::{
        Page, ReportView, ShareView, SharedView,
        operation::{Operation, Parameter, Tag, delete, get, path, post, query},
        requests::NewShare,
    },
    routes::{shared, shares},
};

pub fn fill(routes: &mut Routes) {
    owners(routes);
    about(routes);
    pictures(routes);
    files(routes);
}

fn owners(routes: &mut Routes) {
    routes.on(
        post(
            "/api/v1/jobs/{id}/shares",
            "createShare",
            Tag::Shares,
            "Make a link that opens the correction and its recording",
        )
        .about(
            "Whoever has the link may listen, without a session, and take the files away where it says so. \
             The answer is the only one that holds it.",
        )
        .owner()
        .takes(id())
        .json::<NewShare>(false, json!({"may_download": true, "expires_in_s": 604_800}))
        .answers::<ShareView>(201, "The link.")
        .with_header("Location", "The share's address, to revoke it.")
        .refuses(&[No::NotFound, No::NotReady, No::TooManyKeys, No::StorageFull]),
        shares::create,
    );
    routes.on(
        get(
            "/api/v1/shares",
            "listShares",
            Tag::Shares,
            "My links, the newest first",
        )
        .owner()
        .takes(query(
            "page_token",
            "`next_page_token` of the page before.",
            json!({"type": "string"}),
        ))
        .answers::<Page<ShareView>>(200, "At most 100.")
        .refuses(&[No::InvalidField]),
        shares::list,
    );
    routes.on(
        delete(
            "/api/v1/shares/{id}",
            "revokeShare",
            Tag::Shares,
            "Revoke a link",
        )
        .owner()
        .takes(id())
        .answers_nothing(204, "It opens nothing any more.")
        .refuses(&[No::NotFound]),
        shares::revoke,
    );
}

fn token() -> Parameter {
    path(
        "token",
        "What the link holds. One that was revoked or has expired answers 404.",
        json!({"type": "string"}),
    )
}

fn by_link(address: &'static str, id: &'static str, summary: &'static str) -> Operation {
    get(address, id, Tag::Shares, summary)
        .takes(token())
        .refuses(&[No::NotFound])
}

fn about(routes: &mut Routes) {
    routes.on(
        by_link(
            "/api/v1/shared/{token}",
            "getShared",
            "What a link opens; needs no session",
        )
        .answers::<SharedView>(200, "What there is to listen to."),
        shared::get,
    );
    routes.on(
        by_link(
            "/api/v1/shared/{token}/report",
            "getSharedReport",
            "What was measured and done",
        )
        .answers::<ReportView>(200, "The report.")
        .refuses(&[No::NotReady]),
        shared::report,
    );
}

fn pictures(routes: &mut Routes) {
    routes.on(
        on_demand(
            by_link(
                "/api/v1/shared/{token}/compare",
                "getSharedCompareStream",
                "One stream to compare by, as getCompareStream",
            ),
            &["video/webm", "audio/webm"],
        ),
        shared::compare,
    );
    routes.on(
        on_demand(
            by_link(
                "/api/v1/shared/{token}/compare.m4a",
                "getSharedCompareTracks",
                "The same as two tracks, as getCompareTracks",
            ),
            &["audio/mp4"],
        ),
        shared::compare_tracks,
    );
    routes.on(
        on_demand(
            by_link(
                "/api/v1/shared/{token}/peaks/{side}",
                "getSharedPeaks",
                "The waveform, as getPeaksPyramid",
            )
            .takes(peaks_side()),
            &["application/octet-stream", "application/json"],
        ),
        shared::peaks,
    );
    routes.on(
        on_demand(
            by_link(
                "/api/v1/shared/{token}/spectrograms/{side}/{columns_per_second}/{tile}",
                "getSharedSpectrogramTile",
                "A piece of the spectrogram, as getSpectrogramTile",
            )
            .takes(side())
            .takes(columns_per_second())
            .takes(tile()),
            &["image/png"],
        ),
        shared::spectrogram,
    );
}

/// Where they may be taken away; else they are not there.
fn files(routes: &mut Routes) {
    routes.on(
        by_link(
            "/api/v1/shared/{token}/original",
            "getSharedRecording",
            "The recording, where it may be taken away",
        )
        .file(&["audio/*", "video/*", "application/octet-stream"]),
        shared::original,
    );
    routes.on(
        by_link(
            "/api/v1/shared/{token}/audio",
            "getSharedAudio",
            "The corrected audio, where it may be taken away",
        )
        .file(&["audio/*"])
        .refuses(&[No::NotReady]),
        shared::audio,
    );
    routes.on(
        on_demand(
            by_link(
                "/api/v1/shared/{token}/renditions/{rendition}",
                "getSharedRendition",
                "The correction in another format, where it may be taken away",
            )
            .takes(rendition()),
            &["audio/*"],
        ),
        shared::rendition,
    );
}
