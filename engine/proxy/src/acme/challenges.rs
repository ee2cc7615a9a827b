//! HTTP-01: the authority asks over plain HTTP for a text that only the owner
//! of its account can know.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

const FOLDER: &str = "/.well-known/acme-challenge/";

/// Token → text, for the orders under way.
#[derive(Debug, Default)]
pub(crate) struct Challenges(ArcSwap<HashMap<String, String>>);

impl Challenges {
    /// Nothing for tokens of others: the app may speak ACME itself.
    pub fn answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(FOLDER)?;
        self.0.load().get(token).cloned()
    }

    /// Answers for as long as what is returned lives.
    pub fn offer(self: &Arc<Self>, token: &str, text: &str) -> Offered {
        self.0.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(token.to_owned(), text.to_owned());
            all
        });
        Offered {
            challenges: Arc::clone(self),
            token: token.to_owned(),
        }
    }
}

pub(crate) struct Offered {
    challenges: Arc<Challenges>,
    token: String,
}

impl Drop for Offered {
    fn drop(&mut self) {
        self.challenges.0.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.remove(&self.token);
            all
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_answered_and_only_while_it_is() {
        let challenges = Arc::new(Challenges::default());
        let one = challenges.offer("one", "text");
        let path = "/.well-known/acme-challenge/one";
        assert_eq!(challenges.answer(path).as_deref(), Some("text"));
        assert_eq!(challenges.answer("/.well-known/acme-challenge/two"), None);
        assert_eq!(challenges.answer("/one"), None);
        drop(one);
        assert_eq!(challenges.answer(path), None);
    }
}
