//! The platforms whose `Procfile` is known.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use shipway_sdk::prelude::Phase;

/// Who would run the `Procfile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Platform {
    #[default]
    Heroku,
    Scalingo,
}

impl Platform {
    /// The name of the entry that the platform runs once per deployment.
    pub fn entry(self) -> &'static str {
        match self {
            Self::Heroku => "release",
            Self::Scalingo => "postdeploy",
        }
    }

    /// When the platform runs it.
    pub fn phase(self) -> Phase {
        match self {
            Self::Heroku => Phase::Release,
            Self::Scalingo => Phase::Gate,
        }
    }

    /// How long the platform lets it run.
    pub fn limit(self) -> Duration {
        match self {
            Self::Heroku => Duration::from_secs(60 * 60),
            Self::Scalingo => Duration::from_secs(20 * 60),
        }
    }

    /// The platform that is not chosen.
    pub fn other(self) -> Self {
        match self {
            Self::Heroku => Self::Scalingo,
            Self::Scalingo => Self::Heroku,
        }
    }

    /// The word for it in the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heroku => "heroku",
            Self::Scalingo => "scalingo",
        }
    }
}

/// The platform's own spelling of its name.
impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Heroku => "Heroku",
            Self::Scalingo => "Scalingo",
        })
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Heroku, Self::Scalingo]
            .into_iter()
            .find(|platform| platform.as_str() == word)
            .ok_or_else(|| {
                format!("`{word}` is no platform known here; set `heroku` or `scalingo`")
            })
    }
}
