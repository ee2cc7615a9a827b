//! Signing in to the console by a real OpenID provider, in a real browser.

use shipway_tests::browser::Browser;
use shipway_tests::provider::{CLIENT, Place, Provider, SECRET};
use shipway_tests::ship::Ship;

const RULES: [&str; 2] = ["admin:email=ada@example.com", "read:groups=developers"];

fn ship(place: Place) -> Ship {
    // Read when the engine starts, and gone after.
    let secret = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), format!("{SECRET}\n")).expect("the secret");
    Ship::start_knowing_itself(|own| {
        let mut arguments = vec![
            format!("--public-url={own}"),
            format!("--openid-issuer={}", place.issuer()),
            format!("--openid-client-id={CLIENT}"),
            format!("--openid-client-secret-file={}", secret.path().display()),
        ];
        arguments.extend(RULES.iter().map(|rule| format!("--openid-allow={rule}")));
        arguments
    })
}

/// Through the pages of the provider, as a person goes.
fn sign_in(browser: &Browser, name: &str) {
    browser.open("/apps/none?told=saved");
    browser.wait_until_at("/sign-in?next=");
    browser.click("main a.button");
    browser.write("input[name=login]", name);
    browser.write("input[name=password]", "anything");
    browser.click("button[type=submit]");
    // Whether Shipway may know who it is.
    browser.wait_for("form input[name=prompt][value=consent]");
    browser.click("button[type=submit]");
}

#[test]
fn people_sign_in_by_their_provider_and_may_what_the_rules_say() {
    let place = Place::free();
    let ship = ship(place);
    let base = format!("http://{}", ship.api_address());
    let browser = || Browser::start(&base);
    let Some(ada) = browser() else { return };
    // The engine is there before its provider, and says so.
    ada.open("/sign-in/openid");
    let page = ada.text("main");
    assert!(
        page.contains("The OpenID provider did not do its part"),
        "{page}"
    );
    let redirect = format!("{base}/sign-in/openid/callback");
    let Some(_provider) = Provider::start(place, &redirect) else {
        return;
    };

    sign_in(&ada, "ada");
    ada.wait_until_at("/apps/none?told=saved");
    ada.wait_until_says(".who", "ada@example.com");
    ada.open("/plugins");
    assert_eq!(ada.text("h1"), "Plugins");
    ada.click("form.out button");
    ada.wait_until_at("/sign-in");

    let Some(bob) = browser() else { return };
    sign_in(&bob, "bob");
    bob.wait_until_at("/apps/none");
    bob.wait_until_says(".who", "bob@example.com");
    assert_eq!(
        bob.run("return document.querySelector('.who').title"),
        "Signed in with scope read"
    );

    // An address that nobody has verified is nobody's.
    let Some(mallory) = browser() else { return };
    sign_in(&mallory, "mallory");
    mallory.wait_until_says("main", "no rule lets them in");
    mallory.open("/");
    mallory.wait_until_at("/sign-in");
}

#[test]
fn an_answer_that_this_browser_did_not_ask_for_is_refused() {
    let place = Place::free();
    let ship = ship(place);
    let base = format!("http://{}", ship.api_address());
    let redirect = format!("{base}/sign-in/openid/callback");
    let Some(_provider) = Provider::start(place, &redirect) else {
        return;
    };
    let Some(browser) = Browser::start(&base) else {
        return;
    };
    browser.open("/sign-in");
    for query in [
        "code=stolen",
        "code=stolen&state=0000./",
        "error=access_denied",
        "",
    ] {
        browser.open(&format!("/sign-in/openid/callback?{query}"));
        browser.wait_until_says("main", "Nobody was signed in");
    }
    browser.open("/");
    browser.wait_until_at("/sign-in");
}
