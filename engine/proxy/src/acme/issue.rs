//! One certificate, from the order to the chain.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use tokio::time::timeout;

use crate::acme::AcmeConfig;
use crate::acme::challenges::{Challenges, Offered};
use crate::acme::store::{Issued, Store, StoreError};

/// For everything about one certificate.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// How long the authority may look at what it asked for.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(2 * 60));

#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("the authority could not be reached or refused: {what}")]
    Authority {
        what: &'static str,
        source: instant_acme::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the authority did not find its text at http://{host}/.well-known/acme-challenge/; \
         the name must lead to this proxy, on port 80"
    )]
    NotProven { host: String },
    #[error("the authority does not offer HTTP-01 for {host}")]
    NoChallenge { host: String },
    #[error("it was not done within {} s", LIMIT.as_secs())]
    TimedOut,
}

fn refused(what: &'static str) -> impl FnOnce(instant_acme::Error) -> IssueError {
    move |source| IssueError::Authority { what, source }
}

pub(crate) struct Authority {
    config: AcmeConfig,
    store: Arc<Store>,
    /// Opened when first needed.
    account: Option<Account>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Authority {
    pub fn new(config: AcmeConfig, store: Arc<Store>) -> Self {
        Self {
            config,
            store,
            account: None,
        }
    }

    pub async fn issue(
        &mut self,
        host: &str,
        challenges: &Arc<Challenges>,
    ) -> Result<Issued, IssueError> {
        let issuing = async {
            let account = self.account().await?;
            let names = [Identifier::Dns(host.to_owned())];
            let order = account.new_order(&NewOrder::new(&names)).await;
            let mut order = order.map_err(refused("an order"))?;
            let _offered = prove(&mut order, host, challenges).await?;
            let status = order.poll_ready(&PATIENCE).await;
            let status = status.map_err(refused("the proof that the name is ours"))?;
            if status != OrderStatus::Ready {
                let host = host.to_owned();
                return Err(IssueError::NotProven { host });
            }
            let key = order.finalize().await.map_err(refused("the request"))?;
            let chain = order.poll_certificate(&PATIENCE).await;
            let chain = chain.map_err(refused("the certificate"))?;
            Ok(Issued { chain, key })
        };
        let issued = timeout(LIMIT, issuing).await;
        issued.unwrap_or(Err(IssueError::TimedOut))
    }

    async fn account(&mut self) -> Result<Account, IssueError> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let builder = match &self.config.authority_roots {
            Some(roots) => Account::builder_with_root(roots),
            None => Account::builder(),
        };
        let builder = builder.map_err(refused("a connection"))?;
        let directory = &self.config.directory;
        let account = match self.store.account(directory)? {
            Some(credentials) => {
                let account = builder.from_credentials(credentials).await;
                account.map_err(refused("the account"))?
            }
            None => {
                let contact = format!("mailto:{}", self.config.contact);
                let wish = NewAccount {
                    contact: &[&contact],
                    terms_of_service_agreed: true,
                    only_return_existing: false,
                };
                let opened = builder.create(&wish, directory.clone(), None).await;
                let (account, credentials) = opened.map_err(refused("a new account"))?;
                self.store.save_account(directory, &credentials)?;
                account
            }
        };
        self.account = Some(account.clone());
        Ok(account)
    }
}

/// Has the text ready for each name that is not proven yet, and says so.
async fn prove(
    order: &mut Order,
    host: &str,
    challenges: &Arc<Challenges>,
) -> Result<Vec<Offered>, IssueError> {
    let mut offered = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(refused("what is to be proven"))?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
            let host = host.to_owned();
            return Err(IssueError::NoChallenge { host });
        };
        let text = challenge.key_authorization();
        offered.push(challenges.offer(&challenge.token, text.as_str()));
        challenge.set_ready().await.map_err(refused("the proof"))?;
    }
    Ok(offered)
}
