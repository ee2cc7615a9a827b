//! When is a new instance healthy? The rule of the seeds, and its presets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One try to connect may take this long (Divio: 0.4 s). A try that is refused
/// sooner is filled up to it, so that the tries span two minutes.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);
/// How often a connection is tried (Divio: 300 attempts).
pub const TRIES: u32 = 300;
/// How long a connected instance may take to answer (Divio: 20 s).
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// How the instances of a process type prove themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct HealthRule {
    pub preset: Preset,
    /// The path that is asked. `/` unless set.
    pub path: String,
    /// How often a connection is tried, 0.4 s apart. 300 unless set.
    pub tries: u32,
    /// Seconds that an instance without a port must stay up. 5 unless set.
    pub settle_seconds: u32,
}

impl Default for HealthRule {
    fn default() -> Self {
        Self {
            preset: Preset::Divio,
            path: "/".to_owned(),
            tries: TRIES,
            settle_seconds: 5,
        }
    }
}

impl HealthRule {
    /// The first thing wrong with it, in words.
    pub fn problem(&self) -> Option<&'static str> {
        if !self.path.starts_with('/') || self.path.contains(char::is_whitespace) {
            return Some("health path must begin with / and hold no white space");
        }
        if !(1..=TRIES).contains(&self.tries) {
            return Some("health tries must be 1 to 300");
        }
        (self.settle_seconds > 3600).then_some("settle_seconds must be at most 3600")
    }
}

/// Which answers count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Preset {
    /// 1xx to 4xx and 500; any other 5xx is unhealthy.
    #[default]
    #[serde(rename = "divio")]
    Divio,
    #[serde(rename = "2xx")]
    Success,
    #[serde(rename = "2xx-3xx")]
    SuccessOrRedirect,
    /// Healthy when it accepts a connection.
    #[serde(rename = "tcp")]
    Tcp,
    /// The image's own HEALTHCHECK decides (docker only).
    #[serde(rename = "image")]
    Image,
}

impl Preset {
    /// Whether an answer with this status is a healthy one.
    pub fn accepts(self, status: u16) -> bool {
        match self {
            Self::Divio => (100..=500).contains(&status),
            Self::Success => (200..300).contains(&status),
            Self::SuccessOrRedirect => (200..400).contains(&status),
            Self::Tcp | Self::Image => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divio_rule_takes_500_and_no_other_5xx() {
        for healthy in [101, 200, 204, 301, 404, 499, 500] {
            assert!(Preset::Divio.accepts(healthy), "{healthy}");
        }
        for unhealthy in [501, 502, 503, 504, 599] {
            assert!(!Preset::Divio.accepts(unhealthy), "{unhealthy}");
        }
    }
}
