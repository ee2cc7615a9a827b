//! `APP/ENV`, and other words of the command line.

use serde::de::DeserializeOwned;
use shipway_core::environment::EnvironmentKey;

/// Reads `APP/ENV`.
pub fn environment(text: &str) -> Result<EnvironmentKey, String> {
    let (app, environment) = text
        .split_once('/')
        .ok_or("write it as APP/ENV, such as guestbook/live")?;
    Ok(EnvironmentKey {
        app: app.parse().map_err(|error| format!("{error}"))?,
        environment: environment.parse().map_err(|error| format!("{error}"))?,
    })
}

/// Reads a word of the API, such as `latest-wins` or `release`.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Reads `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name before = is missing".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads `90`, `90s`, `30m`, `1h` or `7d` as seconds.
pub fn seconds(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((index, 's')) => (text.get(..index), 1),
        Some((index, 'm')) => (text.get(..index), 60),
        Some((index, 'h')) => (text.get(..index), 3600),
        Some((index, 'd')) => (text.get(..index), 24 * 3600),
        _ => (Some(text), 1),
    };
    let number: Option<u32> = number.and_then(|digits| digits.trim().parse().ok());
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("{text:?} is no time such as 90s, 30m, 1h or 7d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_app_and_environment() {
        let key = environment("guestbook/live").unwrap();
        assert_eq!(key.to_string(), "guestbook/live");
        for bad in ["guestbook", "guestbook/", "/live", "Guest/live", "a/b/c"] {
            assert!(environment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("30m"), Ok(1800));
        assert_eq!(seconds("1h"), Ok(3600));
        assert_eq!(seconds("7d"), Ok(604_800));
        for bad in ["", "m", "1w", "-1", "99999999h"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pair_has_a_name() {
        assert_eq!(pair("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(pair("A").is_err() && pair("=x").is_err());
    }
}
