//! What is generated from the contract, and the conversions beside it. Only in
//! components. Each role is a world of its own, so that a component's world is
//! the sum of those that [`export!`](macro@crate::export) names.

pub(crate) mod calls;

mod exports;
mod failure;

pub use exports::Export;

/// What a plugin may import.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package shipway:sdk;
            world imports {
                import shipway:plugin/settings@0.1.0;
                import shipway:plugin/variables@0.1.0;
                import shipway:plugin/log@0.1.0;
                import shipway:plugin/source@0.1.0;
                import shipway:plugin/image@0.1.0;
                import shipway:plugin/http@0.1.0;
                import shipway:plugin/candidate@0.1.0;
            }
        ",
        world: "shipway:sdk/imports",
        generate_all,
    });
}

/// What every plugin exports.
pub mod manifest {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package shipway:sdk;
            world manifest { export shipway:plugin/manifest@0.1.0; }
        ",
        world: "shipway:sdk/manifest",
        pub_export_macro: true,
        with: {
            "shipway:plugin/model@0.1.0": super::imports::shipway::plugin::model,
        },
    });
}

/// What a release source exports.
pub mod release {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package shipway:sdk;
            world release { export shipway:release/commands@0.1.0; }
        ",
        world: "shipway:sdk/release",
        pub_export_macro: true,
        with: {
            "shipway:plugin/model@0.1.0": super::imports::shipway::plugin::model,
        },
    });
}

/// What a notifier exports.
pub mod notify {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package shipway:sdk;
            world notify { export shipway:notify/notifier@0.1.0; }
        ",
        world: "shipway:sdk/notify",
        pub_export_macro: true,
        with: {
            "shipway:plugin/model@0.1.0": super::imports::shipway::plugin::model,
        },
    });
}

/// What a self-test exports.
pub mod self_test {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package shipway:sdk;
            world self-test { export shipway:self-test/checks@0.1.0; }
        ",
        world: "shipway:sdk/self-test",
        pub_export_macro: true,
        with: {
            "shipway:plugin/model@0.1.0": super::imports::shipway::plugin::model,
        },
    });
}
