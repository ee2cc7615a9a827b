//! The macro that makes the component.

/// Makes the component: `shipway_sdk::export!(MyPlugin: release-source)`.
///
/// After the colon stand the plugin's roles, separated by commas:
/// `release-source`, `notifier`, `self-test`. The component exports the
/// manifest and these roles, and nothing else. A native build exports nothing
/// and only checks that the type has the traits of its roles.
#[macro_export]
macro_rules! export {
    ($plugin:ty: $($roles:tt)+) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type ManifestOf = $crate::bindings::Export<$plugin>;
            $crate::bindings::manifest::export!(
                ManifestOf with_types_in $crate::bindings::manifest
            );
            $crate::__export_roles!($plugin; $($roles)+);
        };

        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            $crate::__check_roles!($plugin; $($roles)+);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_roles {
    ($plugin:ty;) => {};
    ($plugin:ty; release-source $(, $($rest:tt)*)?) => {
        type ReleaseSourceOf = $crate::bindings::Export<$plugin>;
        $crate::bindings::release::export!(
            ReleaseSourceOf with_types_in $crate::bindings::release
        );
        $crate::__export_roles!($plugin; $($($rest)*)?);
    };
    ($plugin:ty; notifier $(, $($rest:tt)*)?) => {
        type NotifierOf = $crate::bindings::Export<$plugin>;
        $crate::bindings::notify::export!(
            NotifierOf with_types_in $crate::bindings::notify
        );
        $crate::__export_roles!($plugin; $($($rest)*)?);
    };
    ($plugin:ty; self-test $(, $($rest:tt)*)?) => {
        type SelfTestOf = $crate::bindings::Export<$plugin>;
        $crate::bindings::self_test::export!(
            SelfTestOf with_types_in $crate::bindings::self_test
        );
        $crate::__export_roles!($plugin; $($($rest)*)?);
    };
    ($plugin:ty; $($unknown:tt)+) => {
        ::std::compile_error!(
            "not a role; the roles are `release-source`, `notifier` and `self-test`"
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __check_roles {
    ($plugin:ty;) => {};
    ($plugin:ty; release-source $(, $($rest:tt)*)?) => {
        let _ = <$plugin as $crate::release::ReleaseSource>::collect;
        $crate::__check_roles!($plugin; $($($rest)*)?);
    };
    ($plugin:ty; notifier $(, $($rest:tt)*)?) => {
        let _ = <$plugin as $crate::notify::Notifier>::deliver;
        $crate::__check_roles!($plugin; $($($rest)*)?);
    };
    ($plugin:ty; self-test $(, $($rest:tt)*)?) => {
        let _ = <$plugin as $crate::self_test::SelfTest>::run;
        $crate::__check_roles!($plugin; $($($rest)*)?);
    };
    ($plugin:ty; $($unknown:tt)+) => {
        ::std::compile_error!(
            "not a role; the roles are `release-source`, `notifier` and `self-test`"
        );
    };
}
