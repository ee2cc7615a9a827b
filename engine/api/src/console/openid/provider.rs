//! The provider itself, asked over HTTP: every call has a bound in time and in
//! size, and follows no redirect.

use std::error::Error;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AsyncHttpClient, AuthenticationFlow, AuthorizationCode,
    Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shipway_core::secret::Secret;
use tokio::sync::Mutex;

use super::rule::Claims;
use super::{CALLBACK, InvalidOpenId, OpenIdSettings};
use crate::problem::{Kind, Problem};

/// Each call; signing in makes four at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// Discovery documents and key sets are some KiB.
const MOST: usize = 1 << 20;
/// Keys change seldom. A signature that does not fit drops them at once.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// Whatever else a provider says of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Others(Claims);

impl AdditionalClaims for Others {}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type OpenIdClient = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[derive(Debug)]
pub struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<Secret>,
    redirect: RedirectUrl,
    scopes: Vec<String>,
    http: Http,
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

/// Why a call was no answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("the call failed")]
    Failed(#[from] reqwest::Error),
    #[error("the answer is longer than {MOST} bytes")]
    TooLong,
    #[error("the answer is none")]
    Odd(#[from] http::Error),
}

/// The calls to the provider, with their bounds.
#[derive(Debug)]
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = CallError;
    type Future = BoxFuture<'c, Result<HttpResponse, CallError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.execute(request))
    }
}

impl Http {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let request = reqwest::Request::try_from(request)?;
        let mut response = self.0.execute(request).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MOST {
                return Err(CallError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        Ok(answer.body(body)?)
    }
}

impl Provider {
    pub fn new(settings: OpenIdSettings, public_url: &Url) -> Result<Self, InvalidOpenId> {
        let issuer =
            IssuerUrl::new(settings.issuer.clone()).map_err(|source| InvalidOpenId::Issuer {
                issuer: settings.issuer.clone(),
                source,
            })?;
        if !is_safe(issuer.url()) {
            return Err(InvalidOpenId::Plain(settings.issuer));
        }
        let redirect = public_url
            .join(CALLBACK)
            .map_err(|_| InvalidOpenId::Redirect(public_url.clone()))?;
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(InvalidOpenId::Client)?;
        Ok(Self {
            issuer,
            client_id: ClientId::new(settings.client_id),
            client_secret: settings.client_secret,
            redirect: RedirectUrl::from_url(redirect),
            scopes: settings.scopes,
            http: Http(http),
            known: Mutex::default(),
        })
    }

    pub fn host(&self) -> &str {
        self.issuer.url().host_str().unwrap_or("OpenID Connect")
    }

    pub async fn authorize(
        &self,
        state: String,
        nonce: String,
        verifier: String,
    ) -> Result<Url, Problem> {
        let client = self.client().await?;
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let (url, _, _) = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        Ok(url)
    }

    /// What the provider says of whoever has this code.
    pub async fn exchange(
        &self,
        code: &str,
        nonce: String,
        verifier: String,
    ) -> Result<Claims, Problem> {
        let client = self.client().await?;
        let tokens: Tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| self.failed("it has no token endpoint", &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| self.failed("the code was not taken", &error))?;
        let mut claims = match self.verified(&client, &tokens, &Nonce::new(nonce)) {
            Ok(claims) => claims,
            Err(problem) => {
                // Its keys may have changed.
                *self.known.lock().await = None;
                return Err(problem);
            }
        };
        for (name, value) in self.user_info(&client, &tokens, &claims).await? {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }

    /// The claims of the ID token: signature, issuer, audience, time, nonce
    /// and the access token's hash all fit.
    fn verified(
        &self,
        client: &OpenIdClient,
        tokens: &Tokens,
        nonce: &Nonce,
    ) -> Result<Claims, Problem> {
        let none = || self.problem("it gave no ID token");
        let id_token = tokens.id_token().ok_or_else(none)?;
        let verifier = client.id_token_verifier();
        let bad = |error: &(dyn Error + 'static)| self.failed("its ID token does not hold", error);
        let claims = id_token
            .claims(&verifier, nonce)
            .map_err(|error| bad(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| bad(&error))?;
            let key = id_token
                .signing_key(&verifier)
                .map_err(|error| bad(&error))?;
            let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(|error| bad(&error))?;
            if hash != *expected {
                return Err(self.problem("its access token belongs to another ID token"));
            }
        }
        self.as_map(claims)
    }

    /// Many providers say little in the ID token and the rest here.
    async fn user_info(
        &self,
        client: &OpenIdClient,
        tokens: &Tokens,
        known: &Claims,
    ) -> Result<Claims, Problem> {
        let subject = known.get("sub").and_then(Value::as_str).map(str::to_owned);
        let subject = subject.map(openidconnect::SubjectIdentifier::new);
        let Ok(request) = client.user_info(tokens.access_token().clone(), subject) else {
            return Ok(Claims::new());
        };
        let told: UserInfoClaims<Others, CoreGenderClaim> = request
            .request_async(&self.http)
            .await
            .map_err(|error| self.failed("it says nothing of the person", &error))?;
        self.as_map(&told)
    }

    fn as_map(&self, claims: &impl Serialize) -> Result<Claims, Problem> {
        match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => Ok(claims),
            _ => Err(self.problem("what it says of the person is not understood")),
        }
    }

    async fn client(&self) -> Result<OpenIdClient, Problem> {
        let metadata = self.metadata().await?;
        let secret = self.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.reveal().to_owned()));
        let client = OpenIdClient::from_provider_metadata(metadata, self.client_id.clone(), secret);
        Ok(client.set_redirect_uri(self.redirect.clone()))
    }

    async fn metadata(&self) -> Result<CoreProviderMetadata, Problem> {
        let mut known = self.known.lock().await;
        if let Some((since, metadata)) = known.as_ref()
            && since.elapsed() < KNOWN_FOR
        {
            return Ok(metadata.clone());
        }
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http)
            .await
            .map_err(|error| self.failed("it could not be discovered", &error))?;
        *known = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    /// The causes are for the engine's log: they may name what only its
    /// operator should know.
    fn failed(&self, what: &str, error: &(dyn Error + 'static)) -> Problem {
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            causes = format!("{causes}: {cause}");
            source = cause.source();
        }
        let issuer = self.issuer.as_str();
        tracing::warn!(issuer, error = %causes, "OpenID Connect: {what}");
        self.problem(what)
    }

    fn problem(&self, what: &str) -> Problem {
        let detail = format!("{}: {what}", self.host());
        Problem::new(Kind::ProviderFailed, detail).with_hint(
            "try again at /sign-in, or sign in with a token; the engine's own log says more",
        )
    }
}

/// Tokens and keys are not fetched over a network in the clear.
fn is_safe(issuer: &Url) -> bool {
    let here = ["localhost", "127.0.0.1", "[::1]"];
    issuer.scheme() == "https" || issuer.host_str().is_some_and(|host| here.contains(&host))
}
