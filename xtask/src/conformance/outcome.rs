//! What came of it: of each language, and of all together.

use std::path::PathBuf;

use super::case::{Case, ROLES};
use super::language::Language;
use super::template::Template;

/// One language.
#[derive(Debug)]
pub struct Spoken {
    pub language: Language,
    /// Why it did not run.
    pub missing: Option<String>,
    /// What kept its example from being asked.
    pub trouble: Vec<String>,
    pub cases: Vec<Case>,
    pub templates: Vec<Template>,
    /// Whether an app was deployed with its release source.
    pub deployed: Option<Result<(), String>>,
    /// Where its programs lie, if they were brought.
    pub tools: Vec<PathBuf>,
}

impl Spoken {
    pub fn new(language: Language) -> Self {
        Self {
            language,
            missing: None,
            trouble: Vec::new(),
            cases: Vec::new(),
            templates: Vec::new(),
            deployed: None,
            tools: Vec::new(),
        }
    }

    /// The component of the release source's template.
    pub fn release_source(&self) -> Option<PathBuf> {
        let mut templates = self.templates.iter();
        let template = templates.find(|template| template.role == "release-source")?;
        template.outcome.as_ref().ok().cloned()
    }

    /// How many cases of a role passed, and how many there are.
    pub fn of_role(&self, role: &str) -> (usize, usize) {
        let of_role = || self.cases.iter().filter(|case| case.role == role);
        (
            of_role().filter(|case| case.passed()).count(),
            of_role().count(),
        )
    }

    /// What of it passed, and what did not, in words.
    fn passed(&self) -> usize {
        let cases = self.cases.iter().filter(|case| case.passed()).count();
        let templates = self.templates.iter();
        let templates = templates.filter(|one| one.outcome.is_ok()).count();
        cases + templates + usize::from(matches!(self.deployed, Some(Ok(()))))
    }

    fn failures(&self) -> Vec<String> {
        let name = self.language.name;
        let trouble = self.trouble.iter().cloned();
        let cases = self.cases.iter().filter(|case| !case.passed());
        let cases = cases.map(|case| format!("{}: {}", case.name, case.mismatches.join("; ")));
        let templates = self.templates.iter().filter_map(|template| {
            let why = template.outcome.as_ref().err()?;
            Some(format!("the template for a {}: {why}", template.role))
        });
        let deployed = match &self.deployed {
            Some(Err(why)) => Some(format!("deploying with its release source: {why}")),
            _ => None,
        };
        let all = trouble.chain(cases).chain(templates).chain(deployed);
        all.map(|why| format!("{name}: {why}")).collect()
    }

    pub fn line(&self) -> String {
        let (passed, failed) = (self.passed(), self.failures().len());
        format!("{}: {passed} passed, {failed} failed", self.language.name)
    }
}

/// All languages.
#[derive(Debug)]
pub struct Outcome {
    pub languages: Vec<Spoken>,
    /// What failed and concerns no language.
    pub trouble: Vec<String>,
}

impl Outcome {
    pub fn passed(&self) -> usize {
        self.languages.iter().map(Spoken::passed).sum()
    }

    pub fn failed(&self) -> usize {
        self.failures().len()
    }

    pub fn failures(&self) -> Vec<String> {
        let languages = self.languages.iter().flat_map(Spoken::failures);
        self.trouble.iter().cloned().chain(languages).collect()
    }

    /// The languages that did not run, each with its reason.
    pub fn lacks(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.languages
            .iter()
            .filter_map(|one| Some((one.language.name, one.missing.as_deref()?)))
    }

    /// The last line: `conformance: ok, 5 languages, 3 roles, 280 cases`.
    pub fn verdict(&self) -> String {
        let languages = self.languages.iter().filter(|one| !one.cases.is_empty());
        let cases: usize = self.languages.iter().map(|one| one.cases.len()).sum();
        let mut counts = format!(
            "{} languages, {} roles, {cases} cases",
            languages.count(),
            self.roles()
        );
        let lacks: Vec<&str> = self.lacks().map(|(name, _)| name).collect();
        if !lacks.is_empty() {
            counts = format!("{counts}; not run: {}", lacks.join(", "));
        }
        match self.failed() {
            0 => format!("conformance: ok, {counts}"),
            failed => format!("conformance: failed, {counts}, {failed} failures"),
        }
    }

    fn roles(&self) -> usize {
        let asked = |role: &&&str| {
            let mut cases = self.languages.iter().flat_map(|one| &one.cases);
            cases.any(|case| case.role == **role)
        };
        ROLES.iter().filter(asked).count()
    }
}

/// Every language must answer as the first does, beyond what cases expect.
pub fn disagreements(spoken: &mut [Spoken]) {
    let Some((first, others)) = spoken.split_first_mut() else {
        return;
    };
    for case in others.iter_mut().flat_map(|one| &mut one.cases) {
        let same = first.cases.iter().find(|one| one.name == case.name);
        if let Some(same) = same.filter(|same| same.answer != case.answer) {
            case.mismatches.push(format!(
                "in {} the answer is {}, and here {}",
                first.language.name, same.answer, case.answer
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conformance::language::LANGUAGES;

    fn spoken(language: usize, answer: &str) -> Spoken {
        let case = Case {
            name: "page".to_owned(),
            role: "self-test".to_owned(),
            mismatches: Vec::new(),
            answer: json!(answer),
        };
        Spoken {
            cases: vec![case],
            ..Spoken::new(LANGUAGES[language])
        }
    }

    #[test]
    fn languages_that_disagree_are_a_failure() {
        let mut languages = vec![spoken(0, "a"), spoken(1, "a"), spoken(2, "b")];
        disagreements(&mut languages);
        let outcome = Outcome {
            languages,
            trouble: Vec::new(),
        };
        assert_eq!(
            outcome.failures(),
            [r#"js: page: in rust the answer is "a", and here "b""#]
        );
        assert_eq!(
            outcome.verdict(),
            "conformance: failed, 3 languages, 1 roles, 3 cases, 1 failures"
        );
    }

    #[test]
    fn a_language_without_tools_is_named() {
        let mut languages = vec![spoken(0, "a"), Spoken::new(LANGUAGES[3])];
        languages[1].missing = Some("no go".to_owned());
        let outcome = Outcome {
            languages,
            trouble: Vec::new(),
        };
        assert_eq!(outcome.failed(), 0);
        assert_eq!(
            outcome.verdict(),
            "conformance: ok, 1 languages, 1 roles, 1 cases; not run: go"
        );
    }
}
