//! Who may come in: `SCOPE[@APP,…]:CLAIM=VALUE`.

use std::str::FromStr;

use serde_json::{Map, Value};
use shipway_core::name::AppName;
use shipway_core::session::Who;
use shipway_core::token::Scope;

/// What a provider says of a person.
pub type Claims = Map<String, Value>;

/// Whoever has this value in this claim may do so much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// As it was written.
    text: String,
    scope: Scope,
    /// Empty means every app.
    apps: Vec<AppName>,
    claim: String,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no rule: {problem}; write SCOPE[@APP,…]:CLAIM=VALUE, such as admin:email=ada@example.com or deploy@shop:groups=developers"
)]
pub struct InvalidRule {
    text: String,
    problem: String,
}

impl FromStr for Rule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let bad = |problem: &str| InvalidRule {
            text: text.to_owned(),
            problem: problem.to_owned(),
        };
        let (may, who) = text.split_once(':').ok_or_else(|| bad("it has no `:`"))?;
        let (claim, value) = who.split_once('=').ok_or_else(|| bad("it has no `=`"))?;
        if claim.is_empty() || value.is_empty() {
            return Err(bad("the claim or the value is empty"));
        }
        let (scope, apps) = match may.split_once('@') {
            Some((scope, apps)) => (scope, apps.split(',').collect()),
            None => (may, Vec::new()),
        };
        let scope = [Scope::Read, Scope::Deploy, Scope::Admin]
            .into_iter()
            .find(|known| known.to_string() == scope)
            .ok_or_else(|| bad("the scope is not read, deploy or admin"))?;
        let apps = apps.into_iter().map(str::parse);
        Ok(Self {
            text: text.to_owned(),
            scope,
            apps: apps
                .collect::<Result<_, _>>()
                .map_err(|error: shipway_core::name::InvalidName| bad(&error.to_string()))?,
            claim: claim.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Rule {
    /// An address counts only when the provider has verified it: else anybody
    /// could write down somebody else's.
    fn fits(&self, claims: &Claims) -> bool {
        let verified = claims.get("email_verified") == Some(&Value::Bool(true));
        if self.claim == "email" && !verified {
            return false;
        }
        match claims.get(&self.claim) {
            Some(Value::String(text)) => *text == self.value,
            Some(Value::Array(items)) => items.iter().any(|item| item == self.value.as_str()),
            Some(Value::Bool(is)) => is.to_string() == self.value,
            _ => false,
        }
    }
}

/// The session of whoever the first fitting rule lets in.
pub fn decide(rules: &[Rule], claims: &Claims) -> Option<Who> {
    let rule = rules.iter().find(|rule| rule.fits(claims))?;
    Some(Who::Person {
        name: name(claims),
        rule: rule.text.clone(),
    })
}

/// What a rule allows now: nothing, once it is no longer among them.
pub fn allowed<'a>(rules: &'a [Rule], text: &str) -> Option<(Scope, &'a [AppName])> {
    let rule = rules.iter().find(|rule| rule.text == text)?;
    Some((rule.scope, &rule.apps))
}

/// How journal and console call them: by a verified address, else by the
/// subject, which no two people of a provider share.
pub fn name(claims: &Claims) -> String {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let verified = claims.get("email_verified") == Some(&Value::Bool(true));
    let address = text("email").filter(|_| verified);
    let name = address.or_else(|| text("sub")).unwrap_or("somebody");
    let clean = name.chars().filter(|c| !c.is_control());
    clean.take(100).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    fn rules(texts: &[&str]) -> Vec<Rule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = rules(&[
            "admin:email=ada@example.com",
            "deploy@shop,blog:groups=developers",
            "read:hd=example.com",
        ]);
        let scope = |value: Value| match decide(&rules, &claims(value)) {
            Some(Who::Person { rule, .. }) => {
                allowed(&rules, &rule).map(|(scope, apps)| (scope, apps.len()))
            }
            _ => None,
        };
        let ada =
            json!({"email": "ada@example.com", "email_verified": true, "groups": ["developers"]});
        assert_eq!(scope(ada), Some((Scope::Admin, 0)));
        let bob = json!({"sub": "7", "groups": ["staff", "developers"], "hd": "example.com"});
        assert_eq!(scope(bob), Some((Scope::Deploy, 2)));
        assert_eq!(scope(json!({"hd": "example.com"})), Some((Scope::Read, 0)));
        assert_eq!(scope(json!({"hd": "example.org"})), None);
        assert_eq!(allowed(&rules, "admin:email=bob@example.com"), None);
    }

    #[test]
    fn an_address_that_nobody_verified_is_no_address() {
        let rules = rules(&["admin:email=ada@example.com"]);
        for verified in [json!(false), json!("true"), Value::Null] {
            let said = json!({"sub": "1", "email": "ada@example.com", "email_verified": verified});
            assert_eq!(decide(&rules, &claims(said.clone())), None);
            assert_eq!(name(&claims(said)), "1");
        }
    }

    #[test]
    fn what_is_no_rule_says_what_is_one() {
        for bad in [
            "",
            "admin",
            "root:sub=1",
            "admin:sub",
            "admin:=1",
            "read@A:sub=1",
        ] {
            let error = bad.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains("SCOPE[@APP,…]:CLAIM=VALUE"), "{error}");
        }
    }
}
