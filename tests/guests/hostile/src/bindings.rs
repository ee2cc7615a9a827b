//! What is generated from the contract, without an SDK between.

#![expect(
    unsafe_code,
    reason = "generated code calls and is called across the boundary of the component"
)]

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package shipway:hostile;
        world every-role {
            include shipway:worlds/plugin@0.1.0;
            export shipway:release/commands@0.1.0;
            export shipway:notify/notifier@0.1.0;
            export shipway:self-test/checks@0.1.0;
        }
    ",
    world: "shipway:hostile/every-role",
    generate_all,
});

export!(Hostile);

use super::Hostile;
