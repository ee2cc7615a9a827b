//! Webhooks: a Git host tells of a push, and some pushes deploy. What arrives
//! is read elsewhere; here is decided what it means.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::name::{AppName, CommitId, EnvironmentName, InvalidName, Timestamp, WebhookId};
use crate::secret::Secret;

/// What a Git host may tell the engine about one app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Part of the address that it is told at; nobody guesses it.
    pub id: WebhookId,
    pub app: AppName,
    pub provider: Provider,
    /// What deliveries are signed with.
    pub secret: Secret,
    /// The repository that deliveries must name, where the app deploys from
    /// another address of it.
    pub repository: Option<String>,
    pub rules: Vec<Rule>,
    pub created_at: Timestamp,
}

/// Who tells, and so how it is written and signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    Github,
    Gitlab,
    /// Forgejo too.
    Gitea,
    Bitbucket,
    /// Anything that signs as Standard Webhooks says.
    Plain,
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
            Self::Plain => "plain",
        })
    }
}

/// What is pushed where deploys what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(rename = "on")]
    pub kind: ReferenceKind,
    /// `main`, or with `*` and `**`: `release/*`.
    pub pattern: Pattern,
    pub environment: EnvironmentName,
}

impl Rule {
    /// As people write it: `main` and `live`.
    pub fn of(kind: ReferenceKind, pattern: &str, environment: &str) -> Result<Self, InvalidName> {
        Ok(Self {
            kind,
            pattern: pattern.parse()?,
            environment: environment.parse()?,
        })
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} to {}", self.kind, self.pattern, self.environment)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReferenceKind {
    Branch,
    Tag,
}

impl std::fmt::Display for ReferenceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
        })
    }
}

/// A name of a branch or tag, or a glob of such names. `*` stays between two
/// slashes, `**` does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Pattern(String);

const LONGEST_PATTERN: usize = 200;

impl Pattern {
    pub fn matches(&self, name: &str) -> bool {
        self.0 == name || matcher(&self.0).is_some_and(|glob| glob.is_match(name))
    }
}

fn matcher(text: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.ok().map(|glob| glob.compile_matcher())
}

impl TryFrom<String> for Pattern {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let length = text.chars().count();
        let fits = (1..=LONGEST_PATTERN).contains(&length)
            && !text.contains(|c: char| c.is_control() || c.is_whitespace())
            && !text.starts_with("refs/");
        match fits && matcher(&text).is_some() {
            true => Ok(Self(text)),
            false => Err(InvalidName {
                what: "branch or tag",
                text: text.chars().take(80).collect(),
                rule: "a name such as main, or a glob such as release/*, without refs/",
            }),
        }
    }
}

impl std::str::FromStr for Pattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.to_owned().try_into()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One reference that a push has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In full: `refs/heads/main`.
    pub reference: String,
    pub head: Head,
}

/// Where the reference is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    Commit(CommitId),
    /// At something that the host did not say the commit of.
    Unsaid,
    Deleted,
}

/// What a push asks for: a commit for each environment that it concerns, and
/// for the rest why nothing is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub wishes: Vec<Wish>,
    pub ignored: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub environment: EnvironmentName,
    /// A commit's id wherever the host told it.
    pub reference: String,
}

impl Webhook {
    /// Of several changes for one environment the last counts.
    pub fn judge(&self, changes: &[Change]) -> Verdict {
        let mut verdict = Verdict::default();
        for change in changes {
            match self.wishes(change) {
                Ok(wishes) => {
                    let anew =
                        |wish: &Wish| wishes.iter().all(|it| it.environment != wish.environment);
                    verdict.wishes.retain(anew);
                    verdict.wishes.extend(wishes);
                }
                Err(why) => verdict.ignored.push(why),
            }
        }
        verdict
    }

    fn wishes(&self, change: &Change) -> Result<Vec<Wish>, String> {
        let (kind, name) = parts(&change.reference)
            .ok_or_else(|| format!("{} is no branch and no tag", change.reference))?;
        let wanted = match &change.head {
            Head::Deleted => return Err(format!("{kind} {name} was deleted")),
            Head::Commit(commit) => commit.to_string(),
            Head::Unsaid => name.to_owned(),
        };
        let fits = |rule: &&Rule| rule.kind == kind && rule.pattern.matches(name);
        let mut wishes: Vec<Wish> = Vec::new();
        for rule in self.rules.iter().filter(fits) {
            if wishes
                .iter()
                .all(|wish| wish.environment != rule.environment)
            {
                wishes.push(Wish {
                    environment: rule.environment.clone(),
                    reference: wanted.clone(),
                });
            }
        }
        match wishes.is_empty() {
            true => Err(format!("{kind} {name} deploys to no environment")),
            false => Ok(wishes),
        }
    }
}

fn parts(reference: &str) -> Option<(ReferenceKind, &str)> {
    let branch = reference.strip_prefix("refs/heads/");
    let branch = branch.map(|name| (ReferenceKind::Branch, name));
    let tag = || Some((ReferenceKind::Tag, reference.strip_prefix("refs/tags/")?));
    branch.or_else(tag).filter(|(_, name)| !name.is_empty())
}

/// Whether two addresses are of one repository, whichever way it is reached:
/// `git@example.com:team/app.git` and `https://example.com/team/app`.
pub fn same_repository(one: &str, other: &str) -> bool {
    place(one).eq_ignore_ascii_case(&place(other))
}

/// `example.com/team/app`: without scheme, user, port and `.git`.
fn place(address: &str) -> String {
    let bare = address.split(['?', '#']).next().unwrap_or(address).trim();
    let place = match bare.split_once("://") {
        Some((_, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            joined(host_alone(host), path)
        }
        // `user@host:path`, unless it is a path of this machine.
        None if !bare.starts_with('/') => match bare.split_once(':') {
            Some((host, path)) => joined(host_alone(host), path),
            None => bare.to_owned(),
        },
        None => bare.to_owned(),
    };
    let place = place.trim_end_matches('/');
    place.strip_suffix(".git").unwrap_or(place).to_owned()
}

fn host_alone(host: &str) -> &str {
    let host = host.rsplit('@').next().unwrap_or(host);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn joined(host: &str, path: &str) -> String {
    format!("{host}/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(rules: &[(ReferenceKind, &str, &str)]) -> Webhook {
        let rule = |&(kind, pattern, environment): &(ReferenceKind, &str, &str)| Rule {
            kind,
            pattern: pattern.parse().unwrap(),
            environment: environment.parse().unwrap(),
        };
        Webhook {
            id: "0".repeat(32).parse().unwrap(),
            app: "shop".parse().unwrap(),
            provider: Provider::Github,
            secret: Secret::new("hush"),
            repository: None,
            rules: rules.iter().map(rule).collect(),
            created_at: Timestamp::from_millis(0),
        }
    }

    fn change(reference: &str, head: Head) -> Change {
        Change {
            reference: reference.into(),
            head,
        }
    }

    fn commit(digit: &str) -> Head {
        Head::Commit(digit.repeat(40).parse().unwrap())
    }

    fn wishes(verdict: &Verdict) -> Vec<(&str, &str)> {
        verdict
            .wishes
            .iter()
            .map(|wish| (wish.environment.as_str(), wish.reference.get(..1).unwrap()))
            .collect()
    }

    use ReferenceKind::{Branch, Tag};

    #[test]
    fn a_branch_deploys_where_its_rules_say() {
        let webhook = webhook(&[
            (Branch, "main", "live"),
            (Branch, "main", "test"),
            (Branch, "**", "test"),
            (Branch, "release/*", "staging"),
            (Tag, "v*", "live"),
        ]);
        let judge = |reference: &str| webhook.judge(&[change(reference, commit("a"))]);
        let main = judge("refs/heads/main");
        assert_eq!(wishes(&main), [("live", "a"), ("test", "a")]);
        let release = judge("refs/heads/release/2");
        assert_eq!(wishes(&release), [("test", "a"), ("staging", "a")]);
        assert_eq!(wishes(&judge("refs/heads/release/2/x")), [("test", "a")]);
        assert_eq!(wishes(&judge("refs/tags/v1.0")), [("live", "a")]);
        let other = judge("refs/tags/nightly");
        assert_eq!(other.ignored, ["tag nightly deploys to no environment"]);
    }

    #[test]
    fn what_deploys_nothing_says_why() {
        let webhook = webhook(&[(Branch, "main", "live")]);
        for (reference, head, why) in [
            ("refs/heads/main", Head::Deleted, "branch main was deleted"),
            (
                "refs/heads/docs",
                commit("a"),
                "branch docs deploys to no environment",
            ),
            (
                "refs/tags/main",
                commit("a"),
                "tag main deploys to no environment",
            ),
            (
                "refs/notes/commits",
                commit("a"),
                "refs/notes/commits is no branch and no tag",
            ),
            (
                "refs/heads/",
                commit("a"),
                "refs/heads/ is no branch and no tag",
            ),
        ] {
            let verdict = webhook.judge(&[change(reference, head)]);
            assert_eq!(
                (verdict.wishes, verdict.ignored),
                (vec![], vec![why.to_owned()])
            );
        }
    }

    #[test]
    fn of_several_changes_the_last_counts() {
        let webhook = webhook(&[(Branch, "*", "test"), (Branch, "main", "live")]);
        let verdict = webhook.judge(&[
            change("refs/heads/main", commit("a")),
            change("refs/heads/next", commit("b")),
            change("refs/heads/old", Head::Deleted),
        ]);
        assert_eq!(wishes(&verdict), [("live", "a"), ("test", "b")]);
        assert_eq!(verdict.ignored, ["branch old was deleted"]);
    }

    #[test]
    fn a_repository_has_many_addresses() {
        let https = "https://github.com/octo/hello.git";
        for same in [
            "git@github.com:octo/hello.git",
            "ssh://git@github.com:22/octo/hello",
            "https://token@GitHub.com:443/Octo/Hello/",
            "git://github.com/octo/hello.git",
        ] {
            assert!(same_repository(https, same), "{same}");
        }
        for other in [
            "https://github.com/octo/hello2",
            "https://gitlab.com/octo/hello",
            "https://github.com.evil.example/octo/hello",
            "https://evil.example/github.com/octo/hello",
            "https://github.com@evil.example/octo/hello",
            "/github.com/octo/hello",
        ] {
            assert!(!same_repository(https, other), "{other}");
        }
        assert!(same_repository("/srv/git/a.git", "/srv/git/a"));
    }

    #[test]
    fn a_pattern_is_a_name_or_a_glob() {
        for good in ["main", "release/*", "v[0-9]*", "**"] {
            assert!(good.parse::<Pattern>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "refs/heads/main", "[", &"a".repeat(201)] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }
}
