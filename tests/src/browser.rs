//! A real browser: Chromium without a window, driven through chromedriver, with
//! a profile that goes with it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait::{block, until, until_true};
use crate::{machine, parts};

/// A page, its script and a deployment behind it on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How wide, and what it is held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    Desktop,
    Phone,
}

/// What its owner prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

#[derive(Debug)]
pub struct Browser {
    driver: Child,
    /// None once it is closed.
    client: Option<Client>,
    profile: TempDir,
    base: String,
}

impl Browser {
    /// None when the machine lacks a part.
    pub fn start(base: &str) -> Option<Self> {
        let (driver, chromium) = (parts::program("chromedriver")?, parts::program("chromium")?);
        let profile = tempfile::Builder::new().prefix("browser-").tempdir();
        let profile = profile.expect("a profile");
        let (driver, port) = start_driver(&driver);
        let client = block(
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities(&chromium, profile.path()))
                .connect(&format!("http://127.0.0.1:{port}")),
        );
        Some(Self {
            driver,
            client: Some(client.expect("a browser")),
            profile,
            base: base.to_owned(),
        })
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("an open browser")
    }

    /// Opens a page of the engine's.
    pub fn open(&self, path: &str) {
        block(self.client().goto(&format!("{}{path}", self.base))).expect("the page");
    }

    /// The path and what follows of the page that is open.
    pub fn place(&self) -> String {
        let url = block(self.client().current_url()).expect("an address");
        url.as_str()
            .strip_prefix(&self.base)
            .unwrap_or(url.as_str())
            .to_owned()
    }

    pub fn source(&self) -> String {
        block(self.client().source()).expect("the page's source")
    }

    /// Waits until something is there.
    pub fn wait_for(&self, css: &str) {
        until_true(&format!("there is {css}"), PATIENCE, || {
            block(self.client().find(Locator::Css(css))).is_ok()
        });
    }

    /// Waits until an element says this.
    pub fn wait_until_says(&self, css: &str, words: &str) {
        until_true(&format!("{css} says {words:?}"), PATIENCE, || {
            self.try_text(css).is_some_and(|text| text.contains(words))
        });
    }

    /// Waits until another page is open, whose path begins with this.
    pub fn wait_until_at(&self, path: &str) {
        until_true(&format!("the browser is at {path}"), PATIENCE, || {
            self.place().starts_with(path)
        });
    }

    fn try_text(&self, css: &str) -> Option<String> {
        let script = "const e = document.querySelector(arguments[0]); return e && e.textContent";
        let text = block(self.client().execute(script, vec![json!(css)])).ok()?;
        text.as_str().map(str::to_owned)
    }

    pub fn text(&self, css: &str) -> String {
        self.try_text(css)
            .unwrap_or_else(|| panic!("no {css} at {}", self.place()))
    }

    /// Clicks as a mouse does: what is covered or off the page cannot be hit.
    pub fn click(&self, css: &str) {
        self.hit(Locator::Css(css), css);
    }

    /// The link or the button with these words.
    pub fn click_words(&self, words: &str) {
        let path = format!("//main//*[self::a or self::button][normalize-space()={words:?}]");
        self.hit(Locator::XPath(&path), words);
    }

    /// A page that is alive may put another in the place of what was found.
    fn hit(&self, locator: Locator<'_>, name: &str) {
        until(&format!("there is {name:?} to click"), PATIENCE, || {
            let found = block(self.client().find(locator)).ok()?;
            match block(found.click()) {
                Ok(()) => Some(()),
                Err(error) if error.is_stale_element_reference() => None,
                Err(error) => panic!("{name}: {error}"),
            }
        });
    }

    /// Writes into a field, in the place of what stood there.
    pub fn write(&self, css: &str, text: &str) {
        self.wait_for(css);
        let field = block(self.client().find(Locator::Css(css))).expect("a field");
        block(field.clear()).expect("an empty field");
        block(field.send_keys(text)).expect("a full field");
    }

    /// Presses a key where the focus is.
    pub fn press(&self, key: char) {
        let focused = block(self.client().active_element()).expect("the focus");
        block(focused.send_keys(&key.to_string())).expect("a key");
    }

    /// Drags one thing onto another, as a mouse does.
    pub fn drag(&self, from: &str, to: &str) {
        let find = |css| block(self.client().find(Locator::Css(css))).expect("something to drag");
        let (from, to) = (find(from), find(to));
        let over = |element| PointerAction::MoveToElement {
            element,
            duration: Some(Duration::from_millis(200)),
            x: 0.0,
            y: 0.0,
        };
        let button = fantoccini::actions::MOUSE_BUTTON_LEFT;
        let mouse = MouseActions::new("mouse".to_owned())
            .then(over(from))
            .then(PointerAction::Down { button })
            // A drag begins with a small move, as a hand makes it.
            .then(PointerAction::MoveBy {
                duration: Some(Duration::from_millis(100)),
                x: 0.0,
                y: -10.0,
            })
            .then(over(to.clone()))
            .then(over(to))
            .then(PointerAction::Up { button });
        block(self.client().perform_actions(mouse)).expect("a drag");
    }

    /// What has the focus, by its name for a screen reader.
    pub fn focus(&self) -> String {
        let script = "const e = document.activeElement; \
                      return e.getAttribute('aria-label') || e.textContent.trim()";
        self.run(script).as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page; what it returns.
    pub fn run(&self, script: &str) -> Value {
        block(self.client().execute(script, vec![])).expect("a script that runs")
    }

    /// The same for one that calls back.
    fn run_async(&self, script: &str) -> Value {
        block(self.client().execute_async(script, vec![])).expect("a script that calls back")
    }

    /// Asks for something of Chromium itself.
    pub fn ask(&self, command: &str, parameters: Value) -> Value {
        let ask = Ask(json!({"cmd": command, "params": parameters}));
        block(self.client().issue_cmd(ask)).expect("an answer of Chromium")
    }

    pub fn look(&self, screen: Screen, theme: Theme) {
        let (width, height, mobile) = match screen {
            Screen::Desktop => (1280, 800, false),
            Screen::Phone => (360, 740, true),
        };
        let metrics =
            json!({"width": width, "height": height, "mobile": mobile, "deviceScaleFactor": 1});
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = match theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.ask("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// With scripts or without: pages work either way.
    pub fn without_scripts(&self) {
        self.ask(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": true}),
        );
    }

    /// The whole page, written below `target/screenshots`.
    pub fn screenshot(&self, name: &str) {
        let wish = json!({"captureBeyondViewport": true, "format": "png"});
        let shot = self.ask("Page.captureScreenshot", wish);
        let base64 = shot["data"].as_str().expect("a picture");
        let folder = parts::screenshots();
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let bytes = decode(base64);
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("a picture is written");
    }

    /// What is wider than the screen, from left to right.
    pub fn overflowing(&self) -> Value {
        self.run(
            "const wide = document.documentElement.clientWidth; \
             return [...document.body.querySelectorAll('*')] \
               .filter((e) => e.getBoundingClientRect().right > wide + 1) \
               .map((e) => e.outerHTML.slice(0, 120))",
        )
    }

    /// Where everything that the page loaded came from, if not from here.
    pub fn strangers(&self) -> Value {
        self.run(
            "return performance.getEntriesByType('resource').map((e) => e.name) \
               .filter((name) => !name.startsWith(location.origin + '/'))",
        )
    }

    /// What the browser complained about since it was last asked: a page that
    /// breaks its own policy, a script that fails.
    pub fn complaints(&self) -> Vec<String> {
        let log = block(self.client().issue_cmd(Complaints)).expect("the browser's log");
        let entries = log.as_array().cloned().unwrap_or_default();
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        messages.map(str::to_owned).collect()
    }

    /// What axe finds wrong with the page for people who see it otherwise.
    /// None when it is not installed.
    pub fn axe(&self) -> Option<Vec<String>> {
        let file = parts::npm_package("axe-core")?.join("axe.min.js");
        let axe = std::fs::read_to_string(file).expect("axe");
        self.run(&format!("{axe}; return true"));
        let found = self.run_async(
            "const done = arguments[arguments.length - 1]; \
             axe.run({ rules: { 'target-size': { enabled: true } } }) \
               .then((r) => done(r.violations.map((v) => v.id + ': ' + v.help + ': ' \
                 + v.nodes.map((n) => n.html + ' ' + n.any.map((c) => c.message).join('; ')).join(' | '))))",
        );
        let found = found.as_array().expect("a list").clone();
        let texts = found.iter().filter_map(Value::as_str);
        Some(texts.map(str::to_owned).collect())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = block(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        for pid in machine::processes_with(&self.profile.path().display().to_string()) {
            machine::kill(pid);
        }
    }
}

/// Starts chromedriver on a port of its own choice.
fn start_driver(program: &Path) -> (Child, u16) {
    let mut driver = Command::new(program)
        .args(["--port=0", "--log-level=WARNING"])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts");
    let output = driver.stdout.take().expect("its output");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let said = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // It goes on writing; somebody must read.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, said.expect("chromedriver's port"))
}

fn capabilities(chromium: &Path, profile: &Path) -> fantoccini::wd::Capabilities {
    let arguments = [
        "--headless=new".to_owned(),
        // A test runs as root where it may install things.
        "--no-sandbox".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--force-device-scale-factor=1".to_owned(),
        // Nothing but this machine can be reached, whatever a page asks for.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    let wish = json!({
        "goog:chromeOptions": {"binary": chromium, "args": arguments},
        "goog:loggingPrefs": {"browser": "SEVERE"},
    });
    wish.as_object().expect("an object").clone()
}

fn decode(base64: &str) -> Vec<u8> {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(base64).expect("base64")
}

/// A command of Chromium's own protocol.
#[derive(Debug)]
struct Ask(Value);

impl WebDriverCompatibleCommand for Ask {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

/// The log of the browser's console.
#[derive(Debug)]
struct Complaints;

impl WebDriverCompatibleCommand for Complaints {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (
            http::Method::POST,
            Some(json!({"type": "browser"}).to_string()),
        )
    }
}
