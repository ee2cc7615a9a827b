//! Signatures, made with the tools that people have: minisign, and openssl for
//! what `cosign sign-blob` writes.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use shipway_tests::cli::Ran;
use shipway_tests::parts;
use shipway_tests::ship::Ship;

/// A folder with two components, and keys and signatures of the first.
struct Signed(tempfile::TempDir);

impl Signed {
    fn make() -> Option<Self> {
        let (procfile, webhook) = (parts::plugin("procfile")?, parts::plugin("webhook")?);
        parts::program("minisign")?;
        parts::program("openssl")?;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("procfile.wasm"), procfile).expect("a file");
        std::fs::write(folder.path().join("webhook.wasm"), webhook).expect("a file");
        let signed = Self(folder);
        signed.run("minisign -G -W -p mini.pub -s mini.key");
        signed.run("minisign -S -s mini.key -m procfile.wasm -x procfile.minisig");
        signed.run("openssl ecparam -name prime256v1 -genkey -noout -out cosign.key");
        signed.run("openssl ec -in cosign.key -pubout -out cosign.pub");
        signed.run("openssl dgst -sha256 -sign cosign.key -out procfile.der procfile.wasm");
        signed.run("openssl base64 -in procfile.der -out procfile.sig");
        Some(signed)
    }

    fn run(&self, command: &str) {
        let mut words = command.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        let output = command
            .args(words)
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{command:?}: {output:?}");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn key(&self, name: &str) -> String {
        self.path().join(name).display().to_string()
    }
}

#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert_ne!(ran.code, 0, "{ran:#?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} in {ran:#?}");
    }
}

#[test]
fn an_engine_that_demands_signatures_takes_no_other_plugin() {
    let Some(signed) = Signed::make() else { return };
    let (mini, cosign) = (signed.key("mini.pub"), signed.key("cosign.pub"));
    let arguments = ["--require-signature", &mini, "--require-signature", &cosign];
    let Some(ship) = Ship::start_with_arguments(&arguments) else {
        return;
    };
    let cli = ship.cli().in_folder(signed.path());
    let add = |file, signature| cli.run(&["plugin", "add", file, "--signature", signature]);
    refused(
        &cli.run(&["plugin", "add", "procfile.wasm"]),
        &["is not signed", "minisign key", "cosign key", "--signature"],
    );
    for signature in ["procfile.minisig", "procfile.sig"] {
        refused(&add("webhook.wasm", signature), &["does not hold"]);
    }
    refused(&add("procfile.wasm", "mini.pub"), &["does not hold"]);
    assert_eq!(ship.api.get("/v1/plugins").ok()["items"], json!([]));

    for (signature, scheme) in [("procfile.minisig", "minisign"), ("procfile.sig", "cosign")] {
        let added = add("procfile.wasm", signature);
        assert_eq!(added.code, 0, "{added:#?}");
        assert!(
            added.stdout.contains(&format!("signed with {scheme} key")),
            "{added:#?}"
        );
        let shown = cli.ok(&["plugin", "show", "procfile"]).stdout;
        assert!(shown.contains(&format!("signed  {scheme} key")), "{shown}");
    }
    let answer = ship.api.post_bytes(
        "/v1/plugins",
        "application/wasm",
        std::fs::read(signed.path().join("webhook.wasm")).expect("a file"),
    );
    answer.problem(422, "signature-missing");
}

#[test]
fn a_signature_is_demanded_for_one_plugin_and_kept_in_the_lock_file() {
    let Some(signed) = Signed::make() else { return };
    let (Some(ship), Some(other)) = (
        Ship::start(),
        Ship::start_with_arguments(&["--require-signature", &signed.key("mini.pub")]),
    ) else {
        return;
    };
    let cli = ship.cli().in_folder(signed.path());
    let add = ["plugin", "add", "procfile.wasm"];
    refused(
        &cli.run(&[&add[..], &["--key", "mini.pub"]].concat()),
        &["is not signed"],
    );
    let signature = ["--signature", "procfile.minisig"];
    let wrong = [&add[..], &signature, &["--key", "cosign.pub"]].concat();
    refused(&cli.run(&wrong), &["does not hold"]);
    let secret = [&add[..], &signature, &["--key", "mini.key"]].concat();
    refused(&cli.run(&secret), &["no public key"]);
    let right = [&add[..], &signature, &["--key", "mini.pub", "--lock"]].concat();
    cli.ok(&right);

    // The lock file carries it to an engine that demands it.
    let elsewhere = other.cli().in_folder(signed.path());
    elsewhere.ok(&["plugin", "sync"]);
    let shown = elsewhere.ok(&["plugin", "show", "procfile"]).stdout;
    assert!(shown.contains("signed  minisign key"), "{shown}");
}

#[test]
fn a_key_file_that_holds_no_key_stops_the_engine_from_starting() {
    let Some(signed) = Signed::make() else { return };
    let state = tempfile::tempdir().expect("a folder");
    let output = Command::new(parts::shipway())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--proxy-listen",
            "127.0.0.1:0",
        ])
        .arg("--state-dir")
        .arg(state.path())
        .args(["--require-signature", &signed.key("procfile.minisig")])
        .stdin(Stdio::null())
        .output()
        .expect("shipway runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("holds no key"), "{said}");
}
