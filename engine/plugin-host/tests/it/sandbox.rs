//! What a guest finds around it: nothing that was not given.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shipway_core::ports::plugins::{ImageProbe, Level, PluginErrorKind};
use shipway_core::ports::runtime::{ProbeOutput, RuntimeError};

use crate::harness::{Bench, assert_fault};

#[tokio::test]
async fn there_is_no_ambient_authority() {
    let seen = Bench::new("ambient").await.see().await.unwrap();
    let nothing = [
        "variables 0",
        "arguments 0",
        "files false",
        "network false",
        "names false",
    ];
    assert_eq!(seen, nothing);
}

#[tokio::test]
async fn settings_are_the_environments_over_the_plugins() {
    let bench = Bench::new("settings place").await.change(|call| {
        let plugin = Arc::make_mut(&mut call.plugin);
        let plain = |text: &str| shipway_core::environment::Variable::Plain(text.to_owned());
        plugin.settings.insert("place".to_owned(), plain("plugin"));
    });
    assert_eq!(bench.see().await.unwrap(), ["Some(\"plugin\")"]);
    let bench = bench.set("place", "environment");
    assert_eq!(bench.see().await.unwrap(), ["Some(\"environment\")"]);
    let bench = bench.set("act", "settings nothing");
    assert_eq!(bench.see().await.unwrap(), ["None"]);
}

#[tokio::test]
async fn a_secret_reaches_a_guest_as_a_placeholder_that_changes() {
    // Declared secret by the plugin, though it was set as if it were none.
    let bench = Bench::new("settings token").await.set("token", "hunter22");
    let one = bench.see().await.unwrap();
    let two = bench.see().await.unwrap();
    assert!(one[0].contains("shipway-secret-"), "{one:?}");
    assert_ne!(one, two);
    let other = bench
        .secret("other", "hunter22")
        .set("act", "settings other");
    assert!(!other.see().await.unwrap()[0].contains("hunter22"));
}

#[tokio::test]
async fn what_a_guest_says_is_cleaned_and_redacted() {
    let bench = Bench::new("log a\u{1b}[2Jb")
        .await
        .secret("token", "hunter22");
    bench.collect().await.unwrap();
    let lines = bench.log.lines();
    assert!(
        lines.contains(&(Level::Warn, "a[2Jb [secret]".to_owned())),
        "{lines:?}"
    );
    assert!(
        lines.contains(&(Level::Debug, "to stdout [secret]".to_owned())),
        "{lines:?}"
    );
    let ended = (Level::Info, "to stderr without an end".to_owned());
    assert!(lines.contains(&ended), "{lines:?}");
}

/// Answers with what it was asked.
#[derive(Debug, Default)]
struct Image(Mutex<u32>);

#[async_trait]
impl ImageProbe for Image {
    async fn run(
        &self,
        argv: Vec<String>,
        variables: Vec<(String, String)>,
    ) -> Result<ProbeOutput, RuntimeError> {
        *self.0.lock().unwrap() += 1;
        if argv == ["slow"] {
            let what = "the probe".to_owned();
            return Err(RuntimeError::Timeout { what, seconds: 60 });
        }
        Ok(ProbeOutput {
            exit_code: 3,
            stdout: match argv.as_slice() {
                [big] if big == "big" => vec![b'x'; 2 << 20],
                _ => format!("{argv:?} {variables:?}").into_bytes(),
            },
            stderr: Vec::new(),
            truncated: false,
        })
    }
}

#[tokio::test]
async fn the_image_is_probed_by_grant_alone() {
    let denied = Bench::new("image ls /app").await;
    let error = denied.fail().await;
    assert_fault(&error, PluginErrorKind::Failure, "failed (denied)");
    let command = "shipway plugin grant hostile --image";
    assert!(denied.log.text().contains(command), "{}", denied.log.text());
    assert!(error.hint.unwrap().ends_with(command));

    let none = denied.grant_image();
    let error = none.fail().await;
    assert_fault(
        &error,
        PluginErrorKind::Failure,
        "failed (unavailable): there is no image yet",
    );

    let image = Arc::new(Image::default());
    let probe: Arc<dyn ImageProbe> = image.clone();
    let granted = none.change(|call| call.image = Some(probe));
    let seen = granted.see().await.unwrap();
    assert_eq!(seen, [r#"3 "[\"ls\", \"/app\"] [(\"A\", \"b\")]" false"#]);

    let slow = granted.set("act", "image slow");
    assert_fault(
        &slow.fail().await,
        PluginErrorKind::Failure,
        "failed (timeout)",
    );
    let big = slow.set("act", "image big");
    assert!(
        big.see().await.unwrap()[0].ends_with("true"),
        "cut to 1 MiB"
    );
    assert_eq!(*image.0.lock().unwrap(), 3);
}
