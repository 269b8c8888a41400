//! The static web app, from our own binary or from a folder.
//!
//! Read into memory once, at start: a request only looks a name up, so no path of a request ever
//! reaches a file system. A page's inline scripts are named by their hashes in its
//! Content-Security-Policy; they change with every build of the page, hence computed here.

mod csp;

use std::{borrow::Cow, collections::HashMap, io, io::Write, path::Path};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use retake_chain::problem::ProblemKind;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use warp::reply::Response;

use crate::{
    config::WebApp,
    range::{Portion, portion},
    respond::{Refusal, empty},
};

/// Debug builds read the folder when they start; release builds have it inside.
#[derive(RustEmbed)]
#[folder = "../web/out"]
#[allow_missing = true]
struct Embedded;

/// Below this gzip saves nothing worth a header.
const GZIP_BYTES_MIN: usize = 1024;

const INDEX: &str = "index.html";

#[derive(Debug, Default)]
pub struct WebAssets(HashMap<String, Asset>);

#[derive(Debug)]
struct Asset {
    bytes: Bytes,
    gzip: Option<Bytes>,
    content_type: &'static str,
    etag: String,
    /// Of pages only.
    csp: Option<HeaderValue>,
    cache: &'static str,
}

impl WebAssets {
    pub fn load(web: &WebApp) -> io::Result<Self> {
        let mut assets = HashMap::new();
        match web {
            WebApp::Embedded => {
                for name in Embedded::iter() {
                    if let Some(file) = Embedded::get(&name) {
                        let bytes = match file.data {
                            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                            Cow::Owned(bytes) => bytes.into(),
                        };
                        assets.insert(name.to_string(), Asset::new(&name, bytes));
                    }
                }
            }
            WebApp::Folder(folder) => read_folder(folder, "", &mut assets)?,
        }
        Ok(Self(assets))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The file of that name, the page of that name, or, for an address the page itself makes sense
    /// of (no dot in its last part), the start page.
    fn find(&self, path: &str) -> Option<&Asset> {
        let decoded = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .ok()?;
        let name = decoded.trim_matches('/');
        if name.is_empty() {
            return self.0.get(INDEX);
        }
        let deep_link = !name.rsplit('/').next().unwrap_or_default().contains('.');
        self.0
            .get(name)
            .or_else(|| self.0.get(&format!("{name}.html")))
            .or_else(|| self.0.get(&format!("{name}/{INDEX}")))
            .or_else(|| deep_link.then(|| self.0.get(INDEX)).flatten())
    }

    pub fn answer(&self, path: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
        if self.0.is_empty() {
            return Ok(not_built());
        }
        let asset = self
            .find(path)
            .ok_or_else(|| Refusal::new(ProblemKind::NotFound, "there is no such page or file"))?;
        Ok(asset.answer(headers))
    }
}

fn read_folder(folder: &Path, prefix: &str, assets: &mut HashMap<String, Asset>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{prefix}{name}");
        // Links are not followed: what is served lies in the folder.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), assets)?;
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path())?.into();
            assets.insert(name.clone(), Asset::new(&name, bytes));
        }
    }
    Ok(())
}

impl Asset {
    fn new(name: &str, bytes: Bytes) -> Self {
        let content_type = content_type(name);
        let page = content_type.starts_with("text/html");
        let digest = Sha256::digest(&bytes);
        let etag: String = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            gzip: compressible(content_type).then(|| gzip(&bytes)).flatten(),
            csp: page.then(|| csp::policy(&String::from_utf8_lossy(&bytes))),
            etag: format!("\"{etag}\""),
            // Next names these by their content.
            cache: if name.starts_with("_next/static/") {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
            content_type,
            bytes,
        }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let size = self.bytes.len() as u64;
        let mut response = match (portion(request, &self.etag, size), &self.gzip) {
            (Portion::NotModified, _) => empty(StatusCode::NOT_MODIFIED),
            (_, Some(gzip)) if takes_gzip(request) => {
                let mut response = Response::new(gzip.clone().into());
                let encoding = HeaderValue::from_static("gzip");
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, encoding);
                response
            }
            _ => Response::new(self.bytes.clone().into()),
        };
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache));
        headers.insert(
            header::ETAG,
            HeaderValue::from_str(&self.etag).expect("quoted hex"),
        );
        if self.gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Some(csp) = &self.csp {
            headers.insert(header::CONTENT_SECURITY_POLICY, csp.clone());
            let permissions =
                HeaderValue::from_static("microphone=(self), camera=(), geolocation=()");
            headers.insert("permissions-policy", permissions);
        }
        response
    }
}

fn takes_gzip(request: &HeaderMap) -> bool {
    let accepted = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        gzip && !refused
    })
}

fn gzip(bytes: &[u8]) -> Option<Bytes> {
    if bytes.len() < GZIP_BYTES_MIN {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    (packed.len() < bytes.len()).then(|| packed.into())
}

fn compressible(content_type: &str) -> bool {
    content_type.starts_with("text/")
        || [
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "image/svg+xml",
        ]
        .contains(&content_type)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        _ => "application/octet-stream",
    }
}

/// The program was built without the page; the API works.
fn not_built() -> Response {
    let page = "<!doctype html><html lang=\"en\"><title>Retake</title><h1>The page is not here</h1>\
        <p>This server was built without its web app. Run <code>make run</code>, or build it in \
        <code>web/</code> and build the program again. The API works: see \
        <a href=\"/api/v1/openapi.json\">its description</a>.</p></html>";
    let mut response = Response::new(Bytes::from_static(page.as_bytes()).into());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, csp::policy(page));
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http_body_util::BodyExt;

    use super::*;

    fn assets(names: &[&str]) -> WebAssets {
        let asset = |name: &&str| {
            let bytes = Bytes::from(format!("{name} {}", "x".repeat(GZIP_BYTES_MIN)));
            ((*name).to_owned(), Asset::new(name, bytes))
        };
        WebAssets(names.iter().map(asset).collect())
    }

    #[test]
    fn deep_links_get_the_start_page_and_missing_files_do_not() {
        let web = assets(&[
            "index.html",
            "about.html",
            "help/index.html",
            "_next/static/a [x].js",
        ]);
        let found = |path: &str| {
            let asset = web.find(path)?;
            String::from_utf8_lossy(&asset.bytes)
                .split(" x")
                .next()
                .map(str::to_owned)
        };
        for (path, name) in [
            ("/", Some("index.html")),
            ("/index.html", Some("index.html")),
            ("/about", Some("about.html")),
            ("/help/", Some("help/index.html")),
            ("/jobs/0192-abc", Some("index.html")),
            (
                "/_next/static/a%20%5Bx%5D.js",
                Some("_next/static/a [x].js"),
            ),
            ("/_next/static/gone.js", None),
            ("/../Cargo.toml", None),
            ("/%2e%2e/%2e%2e/etc/shadow.txt", None),
            ("/%ff", None),
        ] {
            assert_eq!(found(path).as_deref(), name, "{path}");
        }
    }

    #[tokio::test]
    async fn gzip_goes_to_those_who_take_it_and_unpacks_to_the_same_bytes() {
        let web = assets(&["index.html"]);
        let ask = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            web.answer("/", &headers).unwrap()
        };
        let packed = ask("br, gzip");
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let packed = packed.into_body().collect().await.unwrap().to_bytes();
        let mut unpacked = Vec::new();
        io::Read::read_to_end(
            &mut flate2::read::GzDecoder::new(&packed[..]),
            &mut unpacked,
        )
        .unwrap();
        assert_eq!(unpacked, web.0[INDEX].bytes);
        assert!(
            !ask("br, gzip;q=0")
                .headers()
                .contains_key(header::CONTENT_ENCODING)
        );
    }

    #[test]
    fn a_folder_is_read_without_following_links_out_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("index.html"), "hi").unwrap();
        std::fs::write(folder.path().join("sub/a.js"), "1").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("leak.txt")).unwrap();
        let web = WebAssets::load(&WebApp::Folder(folder.path().to_owned())).unwrap();
        let mut names: Vec<_> = web.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["index.html", "sub/a.js"]);
        assert!(WebAssets::load(&WebApp::Folder(folder.path().join("none"))).is_err());
    }

    #[test]
    fn without_a_page_the_answer_says_how_to_get_one() {
        let response = WebAssets::default().answer("/", &HeaderMap::new()).unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
