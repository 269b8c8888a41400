//! Webhooks: made, changed, tested and removed by whoever hears through them; what was sent, and sent again.

use std::sync::Arc;

use http::StatusCode;
use retake_chain::problem::ProblemKind;
use retake_jobs::{
    event::EventKind,
    id::{DeliveryId, JobId, OwnerId, WebhookId},
    webhook::{Change, Disabled, DisabledWhy, Receiver, Secrets, Webhook, may_be_told},
};
use retake_secrets::SecretUrl;
use serde::Deserialize;
use warp::reply::Response;

use crate::{
    api::{CallbackSecretView, DeliveryView, WebhookView, told},
    app::App,
    call::Call,
    http::respond::{self, Refusal, shorten},
    routes::{
        order::{Fault, refuse_all},
        paging,
    },
    session::auth,
    webhooks::new_secret,
};

const PAGE: usize = 50;
const DESCRIPTION_CHARS_MAX: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    url: Option<String>,
    events: Option<Vec<String>>,
    description: Option<String>,
    enabled: Option<bool>,
}

impl Wanted {
    /// Every fault at once.
    fn check(self, app: &App) -> Result<Change, Refusal> {
        let mut faults = Vec::new();
        let url = self.url.as_deref();
        let url = url.map(|text| check_url(app, "url", text));
        let url = url.transpose().map_err(|fault| faults.push(fault));
        let events = self.events.map(|names| check_events(&names));
        let events = events.transpose().map_err(|fault| faults.push(fault));
        if let Some(text) = &self.description
            && (text.chars().count() > DESCRIPTION_CHARS_MAX || text.chars().any(char::is_control))
        {
            let given = shorten(text);
            let detail = format!(
                "description is \"{given}\"; it must be one line of at most {DESCRIPTION_CHARS_MAX} characters"
            );
            let fault = Fault::new(ProblemKind::InvalidField, "/description", detail);
            faults.push(fault);
        }
        match (url, events, faults.is_empty()) {
            (Ok(url), Ok(events), true) => Ok(Change {
                url,
                events,
                description: self.description,
                enabled: self.enabled,
                secret: None,
            }),
            _ => Err(refuse_all(faults)),
        }
    }
}

/// An address that we are to send to, or that a job's end is to be sent to.
pub fn check_url(app: &App, field: &str, text: &str) -> Result<SecretUrl, Fault> {
    match app.parts.outgoing.judge(text) {
        Ok(_) => Ok(SecretUrl::from(text)),
        Err(refused) => {
            let shown = SecretUrl::from(text);
            let detail = format!("{field} is \"{shown}\"; {refused}");
            let pointer = format!("/{field}");
            Err(Fault::new(ProblemKind::AddressRefused, &pointer, detail))
        }
    }
}

/// Signed it must be, so that its receiver need not believe everybody.
pub async fn check_callback(
    app: &App,
    owner: OwnerId,
    text: Option<&str>,
) -> Result<Result<Option<SecretUrl>, Fault>, Refusal> {
    let Some(text) = text else {
        return Ok(Ok(None));
    };
    let url = match check_url(app, "callback_url", text) {
        Ok(url) => url,
        Err(fault) => return Ok(Err(fault)),
    };
    if app.parts.store.callback_secrets(owner).await?.is_some() {
        return Ok(Ok(Some(url)));
    }
    let detail = "callback_url is given, and there is no secret yet with which what is sent there is signed: \
                  POST /api/v1/callback-secret makes one";
    let fault = Fault::new(ProblemKind::InvalidField, "/callback_url", detail);
    Ok(Err(fault))
}

fn check_events(names: &[String]) -> Result<Vec<EventKind>, Fault> {
    let mut kinds: Vec<EventKind> = Vec::new();
    for name in names {
        let kind = EventKind::parse(name).filter(|kind| may_be_told(*kind));
        kinds.extend(kind.filter(|kind| !kinds.contains(kind)));
    }
    if !kinds.is_empty() && kinds.len() == names.len() {
        return Ok(kinds);
    }
    let known: Vec<_> = told().map(EventKind::name).collect();
    let (given, known) = (shorten(&names.join(", ")), known.join(", "));
    let detail = format!("events is [{given}]; it must hold at least one, each once, of: {known}");
    Err(Fault::new(ProblemKind::InvalidField, "/events", detail))
}

pub async fn create(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    let change = wanted.check(&app)?;
    let Some(url) = change.url else {
        let detail = "url is missing; it must say where to send what happens";
        return Err(Refusal::field(ProblemKind::InvalidField, "/url", detail));
    };
    let now = app.parts.clock.now();
    let disabled = Disabled {
        why: DisabledWhy::Owner,
        at: now,
    };
    let secret = new_secret();
    let webhook = Webhook {
        id: WebhookId::new(now),
        owner,
        url,
        events: change.events.unwrap_or_else(|| told().collect()),
        description: change.description.unwrap_or_default(),
        secrets: Secrets::new(secret.clone()),
        created_at: now,
        disabled: (change.enabled == Some(false)).then_some(disabled),
        delivered_at: None,
    };
    let most = app.config.webhooks.per_owner_max;
    if !app.parts.store.add_webhook(&webhook, most).await? {
        return Err(Refusal::new(
            ProblemKind::TooManyWebhooks,
            format!("there are {most} webhooks, which is the limit; remove one that is not used"),
        ));
    }
    tracing::info!(webhook.id = %webhook.id, webhook.to = %webhook.url, "webhook made");
    let view = WebhookView::new(&webhook).with_secret(&secret);
    Ok(respond::json(StatusCode::CREATED, &view))
}

pub async fn list(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    call.only_query(&[])?;
    let webhooks = app.parts.store.webhooks(owner).await?;
    let page = crate::api::Page {
        items: webhooks.iter().map(WebhookView::new).collect(),
        next_page_token: None,
    };
    Ok(respond::json(StatusCode::OK, &page))
}

pub async fn get(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let webhook = app.parts.store.webhook(owner, call.id()?).await?;
    let webhook = webhook.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(StatusCode::OK, &WebhookView::new(&webhook)))
}

pub async fn change(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: WebhookId = call.id()?;
    // What is not there is 404, whatever else is wrong.
    let there = app.parts.store.webhook(owner, id).await?;
    there.ok_or_else(Refusal::not_found)?;
    let wanted: Wanted = call.json(app.config.json_bytes_max).await?;
    let change = wanted.check(&app)?;
    let changed = app.parts.store.change_webhook(owner, id, change).await?;
    let changed = changed.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(StatusCode::OK, &WebhookView::new(&changed)))
}

pub async fn remove(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id: WebhookId = call.id()?;
    if !app.parts.store.remove_webhook(owner, id).await? {
        return Err(Refusal::not_found());
    }
    tracing::info!(webhook.id = %id, "webhook removed");
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

pub async fn rotate(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let secret = new_secret();
    let until = app.parts.clock.now() + app.config.webhooks.overlap();
    let change = Change {
        secret: Some((secret.clone(), until)),
        ..Change::default()
    };
    let id: WebhookId = call.id()?;
    let rotated = app.parts.store.change_webhook(owner, id, change).await?;
    let rotated = rotated.ok_or_else(Refusal::not_found)?;
    tracing::info!(webhook.id = %id, "webhook's secret changed");
    let view = WebhookView::new(&rotated).with_secret(&secret);
    Ok(respond::json(StatusCode::OK, &view))
}

pub async fn rotate_callback_secret(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let secret = new_secret();
    let until = app.parts.clock.now() + app.config.webhooks.overlap();
    let store = &app.parts.store;
    let before = store.callback_secrets(owner).await?;
    store
        .rotate_callback_secret(owner, secret.clone(), until)
        .await?;
    let view = CallbackSecretView::new(&secret, before.map(|_| until));
    Ok(respond::json(StatusCode::CREATED, &view))
}

pub async fn ping(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let ping = app.parts.store.ping(owner, call.id()?).await?;
    let ping = ping.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(
        StatusCode::ACCEPTED,
        &DeliveryView::new(&ping),
    ))
}

pub async fn deliveries(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let to = Receiver::Webhook(call.id()?);
    page(app, call, to).await
}

pub async fn callbacks(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let to = Receiver::Callback(call.id()?);
    page(app, call, to).await
}

async fn page(app: Arc<App>, call: Call, to: Receiver) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let before = paging::before(&call)?;
    let store = &app.parts.store;
    let found = store.deliveries(owner, to, before, PAGE + 1).await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    let page = paging::page(&found, PAGE, |it| it.id, DeliveryView::new);
    Ok(respond::json(StatusCode::OK, &page))
}

pub async fn delivery(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let (to, id) = (Receiver::Webhook(call.id()?), delivery_id(&call)?);
    let found = app.parts.store.delivery(owner, to, id).await?;
    let found = found.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(StatusCode::OK, &DeliveryView::new(&found)))
}

pub async fn replay(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let to = Receiver::Webhook(call.id()?);
    again(app, call, to).await
}

pub async fn replay_callback(app: Arc<App>, call: Call) -> Result<Response, Refusal> {
    let job: JobId = call.id()?;
    again(app, call, Receiver::Callback(job)).await
}

async fn again(app: Arc<App>, call: Call, to: Receiver) -> Result<Response, Refusal> {
    let owner = auth::owner(&app, &call).await?;
    let id = delivery_id(&call)?;
    let replayed = app.parts.store.replay(owner, to, id).await?;
    let replayed = replayed.ok_or_else(Refusal::not_found)?;
    Ok(respond::json(
        StatusCode::ACCEPTED,
        &DeliveryView::new(&replayed),
    ))
}

fn delivery_id(call: &Call) -> Result<DeliveryId, Refusal> {
    call.segment(1).parse().map_err(|_| Refusal::not_found())
}
