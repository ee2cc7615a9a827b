//! `POST /v1/plugins`: how a component comes in. It is described, its signature
//! is verified where one is demanded, and a new version that asks for more than
//! the installed one is refused until somebody accepts it.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use shipway_core::grant::Grants;
use shipway_core::plugin::{Description, Enabled, Installed, Origin, Signer};
use shipway_core::update::Difference;

use super::plugin::forget;
use crate::access::{Admin, May};
use crate::audit::Note;
use crate::extract::{Component, QueryOf};
use crate::problem::{Kind, Problem};
use crate::signature::{self, Key};
use crate::state::ApiState;
use crate::wire::plugin::{InstallQuery, More, Plugin, SIGNATURE, SIGNATURE_KEY};

/// Describes a component without installing it.
#[utoipa::path(post, path = "/v1/plugins/inspect", tag = "plugins",
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, body = Description)))]
pub async fn inspect_plugin(
    State(state): State<ApiState>,
    _: May<Admin>,
    Component(bytes): Component,
) -> Result<Json<Description>, Problem> {
    Ok(Json(state.plugins.inspect(&bytes).await?))
}

/// Installs a component of at most 64 MiB, with nothing granted. One of the
/// same name is replaced and keeps its grants, settings and limits: the next
/// call uses the new one, and calls that run finish on the old. One that asks
/// for more than the installed one is a conflict that lists what, unless the
/// caller accepts it with `more=accept`.
#[utoipa::path(post, path = "/v1/plugins", tag = "plugins",
    params(InstallQuery,
        ("Shipway-Signature" = Option<String>, Header, description =
            "The text of a signature over the component's bytes, in base64: a .minisig file, or what `cosign sign-blob` writes. Needed where the engine demands signatures."),
        ("Shipway-Signature-Key" = Option<String>, Header, description =
            "The text of a public key file, in base64: the component must be signed with this key, and with one that the engine demands, if it demands any.")),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 201, body = Plugin), (status = 200, body = Plugin, description = "Replaced"),
        (status = 409, description = "It asks for more than the installed one: `/problems/asks-for-more`, with the `difference`",
            body = crate::wire::problem::Problem, content_type = "application/problem+json")))]
pub async fn install_plugin(
    State(state): State<ApiState>,
    _: May<Admin>,
    QueryOf(query): QueryOf<InstallQuery>,
    headers: HeaderMap,
    note: Note,
    Component(bytes): Component,
) -> Result<(StatusCode, Json<Plugin>), Problem> {
    // Before anything of it is run.
    let origin = Origin {
        source: query.source()?,
        signer: verify(&state, &headers, &bytes)?,
    };
    let description = state.plugins.inspect(&bytes).await?;
    let _editing = state.editing().await;
    let earlier = state.store.plugin(&description.name).await?;
    if let Some(earlier) = &earlier {
        accepted(earlier, &description, query.more)?;
    }
    let installed_at = state.clock.now();
    let status = match earlier {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    };
    let plugin = match earlier.clone() {
        Some(earlier) => Installed {
            description,
            origin,
            installed_at,
            ..earlier
        },
        None => Installed {
            description,
            grants: Grants::default(),
            settings: Default::default(),
            enabled: Enabled::Yes,
            limits: Default::default(),
            origin,
            installed_at,
        },
    };
    state.store.put_plugin(&plugin, Some(&bytes)).await?;
    note.name(plugin.name().as_str());
    if let Some(earlier) = earlier {
        forget(&state, &earlier).await?;
    }
    Ok((status, Json(plugin.into())))
}

/// What is asked for is granted by words that may be wide, so that a request
/// more is a right more at once.
fn accepted(earlier: &Installed, new: &Description, more: More) -> Result<(), Problem> {
    let difference = Difference::between(&earlier.description, new);
    if more == More::Accept || !difference.asks_for_more() {
        return Ok(());
    }
    let detail = format!(
        "{} {} wants more than the installed {}: {}",
        new.name,
        new.version,
        earlier.description.version,
        difference.must_accept.join("; ")
    );
    let hint = "nothing was changed; to accept it, install it with `more=accept` (on the command \
                line: `shipway plugin add --accept`)";
    Err(Problem {
        difference: Some(Box::new(difference)),
        ..Problem::new(Kind::AsksForMore, detail).with_hint(hint)
    })
}

/// The signer, if there is a signature. The keys that the engine demands come
/// first; a key of the caller's own is demanded as well.
fn verify(
    state: &ApiState,
    headers: &HeaderMap,
    component: &[u8],
) -> Result<Option<Signer>, Problem> {
    let signature = text(headers, SIGNATURE)?;
    let own = text(headers, SIGNATURE_KEY)?.map(|key| own_key(&key));
    let own = own.transpose()?;
    let Some(signature) = signature else {
        return match (&own, state.demanded_keys()) {
            (None, []) => Ok(None),
            (own, demanded) => Err(unsigned(own.iter().chain(demanded))),
        };
    };
    let mut signer = None;
    if !state.demanded_keys().is_empty() {
        signer = Some(signed_by(state.demanded_keys(), component, &signature)?);
    }
    if let Some(own) = own {
        let by_own = signed_by(&[own], component, &signature)?;
        signer.get_or_insert(by_own);
    }
    if signer.is_none() {
        let detail = "there is a signature, and no key to verify it with";
        return Err(Problem::new(Kind::SignatureInvalid, detail).with_hint(
            "give the signer's public key with it (`--key FILE`), or leave the signature out",
        ));
    }
    Ok(signer)
}

fn own_key(text: &str) -> Result<Key, Problem> {
    Key::read(text).map_err(|error| {
        let detail = format!("{SIGNATURE_KEY} holds no public key: {error}");
        Problem::new(Kind::InvalidHeader, detail)
    })
}

fn signed_by(keys: &[Key], component: &[u8], signature: &str) -> Result<Signer, Problem> {
    signature::signer(keys, component, signature).map_err(|errors| {
        let each: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let detail = format!("the signature does not hold: {}", each.join("; "));
        Problem::new(Kind::SignatureInvalid, detail).with_hint(
            "the component was changed after it was signed, or somebody else signed it; get both \
             from their author again",
        )
    })
}

fn unsigned<'a>(keys: impl Iterator<Item = &'a Key>) -> Problem {
    let keys: Vec<String> = keys.map(|key| key.signer().to_string()).collect();
    let detail = format!(
        "the component has no signature, and one of {} is demanded",
        keys.join(" or ")
    );
    Problem::new(Kind::SignatureMissing, detail).with_hint(
        "sign it (`minisign -Sm FILE`, or `cosign sign-blob FILE`), and give the signature with \
         it: shipway plugin add FILE --signature SIGNATURE",
    )
}

/// A header that holds a text in base64.
fn text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let decoded = STANDARD.decode(value).ok();
    let decoded = decoded.filter(|bytes| bytes.len() <= signature::LONGEST);
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        Some(text) => Ok(Some(text)),
        None => Err(Problem::new(
            Kind::InvalidHeader,
            format!("{name} is no text of at most 8 KiB in base64"),
        )),
    }
}
