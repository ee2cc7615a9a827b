//! The stylesheet, the script and the icon: part of the program, served under
//! names that change with what is in them, and kept by browsers for good.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use sha2::{Digest, Sha256};

use crate::bearer::hex;
use crate::problem::{Kind, Problem};

/// One of the files.
#[derive(Debug)]
pub struct Asset {
    /// Where pages find it.
    pub path: String,
    kind: &'static str,
    body: &'static str,
}

pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console.css", "text/css", include_str!("asset/console.css")));
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console.js",
        "text/javascript",
        include_str!("asset/console.js"),
    )
});
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_str!("asset/icon.svg")));

impl Asset {
    fn new(name: &str, kind: &'static str, body: &'static str) -> Self {
        let digest = hex(&Sha256::digest(body.as_bytes()));
        let short: String = digest.chars().take(16).collect();
        Self {
            path: format!("/assets/{short}-{name}"),
            kind,
            body,
        }
    }
}

pub(super) async fn get(Path(file): Path<String>) -> Response {
    let path = format!("/assets/{file}");
    let all = [&*STYLE, &*SCRIPT, &*ICON];
    let Some(asset) = all.into_iter().find(|asset| asset.path == path) else {
        let detail = "there is no such file, or it is one of another version of the engine";
        return Problem::new(Kind::UnknownRoute, detail)
            .with_hint("load the page again")
            .into_response();
    };
    let kind = format!("{}; charset=utf-8", asset.kind);
    let headers = [
        (CONTENT_TYPE, kind.as_str()),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.body).into_response()
}
