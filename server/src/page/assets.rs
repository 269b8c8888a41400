//! The static web app, from our own binary or from a folder.
//!
//! Read into memory once, at start: a request only looks a name up, so no path of a request ever
//! reaches a file system. A page's inline scripts are named by their hashes in its
//! Content-Security-Policy; they change with every build of the page, hence computed here. Under a
//! path (`Config::public_url`) the files' own addresses get that path before all this.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    io::{Read, Write},
    path::Path,
};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use retake_jobs::digest::hex;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use warp::reply::Response;

use super::{addresses::is_page, csp, rebase};
use crate::{
    config::WebApp,
    http::{
        conditions::{self, Verdict, judge},
        respond::{Answer, Refusal, empty},
    },
};

/// Debug builds read the folder when they start; release builds have it inside.
#[derive(RustEmbed)]
#[folder = "../web/out"]
#[allow_missing = true]
struct Embedded;

/// Below this gzip saves nothing worth a header.
const GZIP_BYTES_MIN: usize = 1024;

const BROTLI: &str = ".br";
const INDEX: &str = "index.html";
const MISSING: &str = "404.html";

/// The reference of the HTTP interface: swagger-ui, which reads `/api/v1/openapi.json`.
const REFERENCE: &str = "/docs";
const REFERENCE_PAGE: &str = "docs/index.html";

#[derive(Debug, Default)]
pub struct WebAssets(BTreeMap<String, Asset>);

#[derive(Debug)]
struct Asset {
    /// Empty where only the packed form is kept.
    bytes: Bytes,
    gzip: Option<Bytes>,
    /// Packed when the page was built.
    brotli: Option<Bytes>,
    content_type: &'static str,
    etag: String,
    /// Of pages only.
    csp: Option<HeaderValue>,
    cache: &'static str,
}

impl WebAssets {
    /// `base` is what stands before every path of ours, empty at the root.
    pub fn load(web: &WebApp, base: &str) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        match web {
            WebApp::Embedded => {
                for name in Embedded::iter() {
                    if let Some(file) = Embedded::get(&name) {
                        let bytes = match file.data {
                            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                            Cow::Owned(bytes) => bytes.into(),
                        };
                        files.insert(name.to_string(), bytes);
                    }
                }
            }
            WebApp::Folder(folder) => read_folder(folder, "", &mut files)?,
        }
        Ok(Self::new(files, base))
    }

    fn new(mut files: BTreeMap<String, Bytes>, base: &str) -> Self {
        let roots = roots(&files);
        let brotli: BTreeMap<String, Bytes> = files
            .extract_if(.., |name, _| name.ends_with(BROTLI))
            .collect();
        let asset = |(name, bytes): (String, Bytes)| {
            // A large file that comes packed stays so, in the program and in memory.
            if let Some(name) = name.strip_suffix(".gz") {
                return (name.to_owned(), Asset::packed(name, bytes));
            }
            let (bytes, packed) = match str::from_utf8(&bytes) {
                Ok(text) if !base.is_empty() && has_addresses(&name) => {
                    (rebase::rebase(text, base, &roots).into(), None)
                }
                _ => (bytes, brotli.get(&format!("{name}{BROTLI}")).cloned()),
            };
            let mut asset = Asset::new(&name, bytes);
            asset.brotli = packed;
            (name, asset)
        };
        Self(files.into_iter().map(asset).collect())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the address is a page's or a file's.
    pub fn has(&self, path: &str) -> bool {
        is_page(path) || self.find(path).is_some()
    }

    /// The start page at the page's addresses, and the files by their whole names.
    fn find(&self, path: &str) -> Option<&Asset> {
        if is_page(path) {
            return self.0.get(INDEX);
        }
        if path.strip_suffix('/').unwrap_or(path) == REFERENCE {
            return self.0.get(REFERENCE_PAGE);
        }
        let decoded = percent_encoding::percent_decode_str(path)
            .decode_utf8()
            .ok()?;
        self.0.get(decoded.strip_prefix('/')?)
    }

    pub fn answer(&self, path: &str, method: &Method, headers: &HeaderMap) -> Answer {
        if self.0.is_empty() {
            return Ok(not_built());
        }
        let asset = self.find(path).ok_or_else(Refusal::not_found)?;
        match judge(method, headers, &asset.etag) {
            Verdict::Go => Ok(asset.answer(Some(headers))),
            Verdict::NotModified => {
                let mut response = empty(StatusCode::NOT_MODIFIED);
                asset.describe(&mut response);
                Ok(response)
            }
            Verdict::Failed => Err(conditions::failed(&asset.etag)),
        }
    }

    /// For a person who asked for what is not there.
    pub fn missing(&self) -> Option<Response> {
        let mut response = self.0.get(MISSING)?.answer(None);
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().remove(header::ETAG);
        Some(response)
    }
}

/// What addresses of the export's files begin with, behind the slash.
fn roots(files: &BTreeMap<String, Bytes>) -> Vec<String> {
    let root = |name: &String| match name.split_once('/') {
        Some((folder, _)) => format!("{folder}/"),
        None => name.clone(),
    };
    let mut roots: Vec<String> = files.keys().map(root).collect();
    roots.dedup();
    roots
}

/// `Embedded` and folders give the same names, so that this is about both.
fn has_addresses(name: &str) -> bool {
    [".html", ".txt", ".js", ".css", ".webmanifest"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn read_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Bytes>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{prefix}{name}");
        // Links are not followed: what is served lies in the folder.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.insert(name, std::fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

impl Asset {
    fn new(name: &str, bytes: Bytes) -> Self {
        let content_type = content_type(name);
        let page = content_type.starts_with("text/html");
        let digest = Sha256::digest(&bytes);
        let etag = hex(&digest[..16]);
        Self {
            gzip: compressible(content_type).then(|| gzip(&bytes)).flatten(),
            brotli: None,
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

    fn packed(name: &str, gzip: Bytes) -> Self {
        Self {
            bytes: Bytes::new(),
            gzip: Some(gzip.clone()),
            ..Self::new(name, gzip)
        }
    }

    /// For whoever takes nothing packed.
    fn plain(&self) -> Bytes {
        match &self.gzip {
            Some(gzip) if self.bytes.is_empty() => {
                let mut bytes = Vec::new();
                let read = GzDecoder::new(gzip.as_ref()).read_to_end(&mut bytes);
                read.expect("packed when the page was built");
                bytes.into()
            }
            _ => self.bytes.clone(),
        }
    }

    /// The whole of it, packed for whoever takes that.
    fn answer(&self, request: Option<&HeaderMap>) -> Response {
        let taken = |coding: &str| request.is_some_and(|request| takes(request, coding));
        let packed = [("br", &self.brotli), ("gzip", &self.gzip)]
            .into_iter()
            .find_map(|(coding, packed)| {
                Some((coding, packed.as_ref().filter(|_| taken(coding))?))
            });
        let mut response = match packed {
            Some((coding, packed)) => {
                let mut response = Response::new(packed.clone().into());
                let coding = HeaderValue::from_static(coding);
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, coding);
                response
            }
            None => Response::new(self.plain().into()),
        };
        self.describe(&mut response);
        response
    }

    fn describe(&self, response: &mut Response) {
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
        if self.gzip.is_some() || self.brotli.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Some(csp) = &self.csp {
            headers.insert(header::CONTENT_SECURITY_POLICY, csp.clone());
            let permissions =
                HeaderValue::from_static("microphone=(self), camera=(), geolocation=()");
            headers.insert("permissions-policy", permissions);
        }
    }
}

/// A browser that is to show something says so; `*/*` says nothing.
pub fn takes_html(request: &HeaderMap) -> bool {
    let accepted = request.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/html"))
}

fn takes(request: &HeaderMap, wanted: &str) -> bool {
    let accepted = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(wanted));
        let refused = parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        named && !refused
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
        <code>/api/v1/openapi.json</code>.</p></html>";
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
        let file = |name: &&str| {
            let bytes = Bytes::from(format!("{name} {}", "x".repeat(GZIP_BYTES_MIN)));
            ((*name).to_owned(), bytes)
        };
        WebAssets::new(names.iter().map(file).collect(), "")
    }

    #[test]
    fn the_pages_addresses_are_a_list_and_files_have_their_own() {
        let web = assets(&[
            "index.html",
            "404.html",
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
            ("/plugins", Some("index.html")),
            ("/plugins/", Some("index.html")),
            ("/index.html", Some("index.html")),
            ("/help/index.html", Some("help/index.html")),
            (
                "/_next/static/a%20%5Bx%5D.js",
                Some("_next/static/a [x].js"),
            ),
            ("//", None),
            ("//plugins", None),
            ("/plugins//", None),
            ("/plugins/org.retake.gain", Some("index.html")),
            ("//api", None),
            ("/health", None),
            ("/docs", None),
            ("/help", None),
            ("/help/", None),
            ("/jobs/0192-abc", None),
            ("//index.html", None),
            ("/_next/static/gone.js", None),
            ("/../Cargo.toml", None),
            ("/%2e%2e/%2e%2e/etc/shadow.txt", None),
            ("/%ff", None),
            ("", None),
        ] {
            assert_eq!(found(path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn under_a_path_the_hashes_are_of_what_is_sent() {
        let page = "<script src=\"/_next/a.js\"></script><script>load(\"/_next/b.js\")</script>";
        let files = [
            ("index.html", page),
            ("_next/a.js", "import(\"/_next/b.js\")"),
            ("_next/a.woff2", "\"/_next/b.js\""),
        ];
        let files: BTreeMap<_, _> = files
            .into_iter()
            .map(|(name, text)| (name.to_owned(), Bytes::from_static(text.as_bytes())))
            .collect();
        let (root, under) = (
            WebAssets::new(files.clone(), ""),
            WebAssets::new(files, "/retake"),
        );
        let text =
            |web: &WebAssets, name: &str| String::from_utf8(web.0[name].bytes.to_vec()).unwrap();
        assert_eq!(text(&root, INDEX), page);
        assert_eq!(text(&under, INDEX), page.replace("/_next", "/retake/_next"));
        assert_eq!(text(&under, "_next/a.js"), "import(\"/retake/_next/b.js\")");
        assert_eq!(text(&under, "_next/a.woff2"), "\"/_next/b.js\"");
        let sent = csp::policy(&text(&under, INDEX));
        assert_eq!(under.0[INDEX].csp.as_ref(), Some(&sent));
        assert_ne!(root.0[INDEX].csp, under.0[INDEX].csp);
        assert_ne!(root.0[INDEX].etag, under.0[INDEX].etag);
    }

    #[tokio::test]
    async fn gzip_goes_to_those_who_take_it_and_unpacks_to_the_same_bytes() {
        let web = assets(&["index.html"]);
        let ask = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            web.answer("/", &Method::GET, &headers).unwrap()
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
    fn brotli_goes_first_and_only_where_the_bytes_are_as_they_were_built() {
        let files = BTreeMap::from([
            (
                "a.js".to_owned(),
                Bytes::from("import '/a.js'; ".repeat(100)),
            ),
            ("a.js.br".to_owned(), Bytes::from_static(b"packed")),
        ]);
        let (root, under) = (
            WebAssets::new(files.clone(), ""),
            WebAssets::new(files, "/retake"),
        );
        assert!(!root.has("/a.js.br"));
        let coding = |web: &WebAssets, accepted: &'static str| {
            let accepted = HeaderValue::from_static(accepted);
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted)]);
            let answer = web.answer("/a.js", &Method::GET, &headers).unwrap();
            assert_eq!(answer.headers()[header::VARY], "accept-encoding");
            let coding = answer.headers().get(header::CONTENT_ENCODING);
            coding.map(|coding| coding.to_str().unwrap().to_owned())
        };
        for (web, accepted, expected) in [
            (&root, "gzip, deflate, br", Some("br")),
            (&root, "gzip, br;q=0", Some("gzip")),
            (&root, "identity", None),
            (&under, "gzip, br", Some("gzip")),
        ] {
            assert_eq!(coding(web, accepted).as_deref(), expected, "{accepted}");
        }
    }

    #[tokio::test]
    async fn what_comes_packed_is_kept_so_and_unpacked_for_those_who_take_nothing_else() {
        let text = "swagger ".repeat(1000);
        let page = Bytes::from_static(b"<script src=\"/docs/ui.js\"></script>");
        let files = BTreeMap::from([
            ("docs/index.html".to_owned(), page),
            ("docs/ui.js.gz".to_owned(), gzip(text.as_bytes()).unwrap()),
        ]);
        let assets = WebAssets::new(files, "/base");
        assert!(assets.0["docs/ui.js"].bytes.is_empty());
        for (coding, packed) in [("gzip", true), ("identity", false)] {
            let coding = (header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
            let headers = HeaderMap::from_iter([coding]);
            let answer = assets
                .answer("/docs/ui.js", &Method::GET, &headers)
                .unwrap();
            let (head, body) = answer.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            assert_eq!(head.headers.contains_key(header::CONTENT_ENCODING), packed);
            assert!(
                head.headers["content-type"]
                    .to_str()
                    .unwrap()
                    .contains("javascript")
            );
            assert_eq!(body.len() < text.len(), packed);
            assert!(packed || body == text.as_bytes());
        }
        for path in ["/docs", "/docs/"] {
            let answer = assets
                .answer(path, &Method::GET, &HeaderMap::new())
                .unwrap();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(
                body.ends_with(b"\"/base/docs/ui.js\"></script>"),
                "{body:?}"
            );
        }
    }

    #[test]
    fn a_folder_is_read_without_following_links_out_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("index.html"), "hi").unwrap();
        std::fs::write(folder.path().join("sub/a.js"), "1").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("leak.txt")).unwrap();
        let web = WebAssets::load(&WebApp::Folder(folder.path().to_owned()), "").unwrap();
        let names: Vec<_> = web.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["index.html", "sub/a.js"]);
        assert!(WebAssets::load(&WebApp::Folder(folder.path().join("none")), "").is_err());
    }

    #[test]
    fn without_a_page_the_answer_says_how_to_get_one() {
        let response = WebAssets::default()
            .answer("/", &Method::GET, &HeaderMap::new())
            .unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
