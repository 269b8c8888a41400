//! News, sent to addresses of their hearers'.

use retake_chain::problem::ProblemKind as No;
use serde_json::json;

use super::{id, uuid};
use crate::{
    api::{
        CallbackSecretView, DeliveryView, Page, WebhookView,
        operation::{Parameter, Tag, delete, get, patch, path, post, query},
        requests::{NewWebhook, WebhookChange},
    },
    routes::{Routes, webhooks},
};

pub fn fill(routes: &mut Routes) {
    subscriptions(routes);
    deliveries(routes);
    callbacks(routes);
}

fn delivery() -> Parameter {
    path("delivery", "The message's `webhook-id`.", uuid())
}

fn page_token() -> Parameter {
    query(
        "page_token",
        "`next_page_token` of the page before.",
        json!({"type": "string"}),
    )
}

fn subscriptions(routes: &mut Routes) {
    routes.on(
        post(
            "/api/v1/webhooks",
            "createWebhook",
            Tag::Webhooks,
            "Have events sent to an address",
        )
        .about(
            "Messages are signed by the Standard Webhooks specification; docs/webhooks.md says how they are \
             verified and when they are sent again. The secret is in this answer alone.",
        )
        .owner()
        .json::<NewWebhook>(
            true,
            json!({"url": "https://example.org/hooks/retake", "events": ["job.completed", "job.failed"]}),
        )
        .answers::<WebhookView>(201, "The webhook, with its secret this once.")
        .refuses(&[No::InvalidField, No::AddressRefused, No::TooManyWebhooks, No::TooLarge]),
        webhooks::create,
    );
    routes.on(
        get(
            "/api/v1/webhooks",
            "listWebhooks",
            Tag::Webhooks,
            "My webhooks",
        )
        .owner()
        .answers::<Page<WebhookView>>(200, "All of them, the oldest first.")
        .refuses(&[No::InvalidField]),
        webhooks::list,
    );
    routes.on(
        get(
            "/api/v1/webhooks/{id}",
            "getWebhook",
            Tag::Webhooks,
            "A webhook",
        )
        .owner()
        .takes(id())
        .answers::<WebhookView>(200, "The webhook.")
        .refuses(&[No::NotFound]),
        webhooks::get,
    );
    routes.on(
        patch(
            "/api/v1/webhooks/{id}",
            "changeWebhook",
            Tag::Webhooks,
            "Change a webhook: where to, what, or whether at all",
        )
        .owner()
        .takes(id())
        .json::<WebhookChange>(true, json!({"enabled": true}))
        .answers::<WebhookView>(200, "The webhook as it is now.")
        .refuses(&[
            No::NotFound,
            No::InvalidField,
            No::AddressRefused,
            No::TooLarge,
        ]),
        webhooks::change,
    );
    routes.on(
        delete(
            "/api/v1/webhooks/{id}",
            "deleteWebhook",
            Tag::Webhooks,
            "Remove a webhook with its deliveries",
        )
        .owner()
        .takes(id())
        .answers_nothing(204, "It hears nothing more.")
        .refuses(&[No::NotFound]),
        webhooks::remove,
    );
    routes.on(
        post(
            "/api/v1/webhooks/{id}/secret",
            "rotateWebhookSecret",
            Tag::Webhooks,
            "Another secret for a webhook",
        )
        .about(
            "For a day, unless configured otherwise, messages are signed with both: the header then holds two \
             signatures.",
        )
        .owner()
        .takes(id())
        .answers::<WebhookView>(200, "The webhook, with its new secret this once.")
        .refuses(&[No::NotFound]),
        webhooks::rotate,
    );
    routes.on(
        post(
            "/api/v1/webhooks/{id}/ping",
            "pingWebhook",
            Tag::Webhooks,
            "Send a test to a webhook, also to one that is disabled",
        )
        .about("It is tried once; its delivery says what came of it.")
        .owner()
        .takes(id())
        .answers::<DeliveryView>(202, "The delivery.")
        .refuses(&[No::NotFound]),
        webhooks::ping,
    );
}

fn deliveries(routes: &mut Routes) {
    routes.on(
        get(
            "/api/v1/webhooks/{id}/deliveries",
            "listDeliveries",
            Tag::Webhooks,
            "What was sent to a webhook, the newest first",
        )
        .owner()
        .takes(id())
        .takes(page_token())
        .answers::<Page<DeliveryView>>(200, "At most 50. What ended is kept for a week.")
        .refuses(&[No::NotFound, No::InvalidField]),
        webhooks::deliveries,
    );
    routes.on(
        get(
            "/api/v1/webhooks/{id}/deliveries/{delivery}",
            "getDelivery",
            Tag::Webhooks,
            "A message sent to a webhook, and what came of it",
        )
        .owner()
        .takes(id())
        .takes(delivery())
        .answers::<DeliveryView>(200, "The delivery.")
        .refuses(&[No::NotFound]),
        webhooks::delivery,
    );
    routes.on(
        post(
            "/api/v1/webhooks/{id}/deliveries/{delivery}/replay",
            "replayDelivery",
            Tag::Webhooks,
            "Send a message again, under the same `webhook-id`",
        )
        .owner()
        .takes(id())
        .takes(delivery())
        .answers::<DeliveryView>(202, "The delivery, which waits again.")
        .refuses(&[No::NotFound]),
        webhooks::replay,
    );
}

fn callbacks(routes: &mut Routes) {
    routes.on(
        post(
            "/api/v1/callback-secret",
            "createCallbackSecret",
            Tag::Webhooks,
            "The secret with which messages to my jobs' `callback_url`s are signed",
        )
        .about(
            "There must be one before a job takes a `callback_url`. Another takes its place; for a day, unless \
             configured otherwise, messages are signed with both.",
        )
        .owner()
        .answers::<CallbackSecretView>(201, "The new secret, this once."),
        webhooks::rotate_callback_secret,
    );
    routes.on(
        get(
            "/api/v1/jobs/{id}/callbacks",
            "listCallbacks",
            Tag::Webhooks,
            "What was sent to a job's `callback_url`, the newest first",
        )
        .owner()
        .takes(id())
        .takes(page_token())
        .answers::<Page<DeliveryView>>(200, "At most 50. What ended is kept for a week.")
        .refuses(&[No::NotFound, No::InvalidField]),
        webhooks::callbacks,
    );
    routes.on(
        post(
            "/api/v1/jobs/{id}/callbacks/{delivery}/replay",
            "replayCallback",
            Tag::Webhooks,
            "Send a message to a job's `callback_url` again",
        )
        .owner()
        .takes(id())
        .takes(delivery())
        .answers::<DeliveryView>(202, "The delivery, which waits again.")
        .refuses(&[No::NotFound]),
        webhooks::replay_callback,
    );
}
