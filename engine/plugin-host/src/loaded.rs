//! A component that is compiled, linked and known by its roles.

use std::time::Duration;

use shipway_core::plugin::Role;
use shipway_core::ports::plugins::PluginErrorKind;
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Result, Store};

use crate::bindings::{checks, commands, manifest, notifier};
use crate::check;
use crate::fault::Fault;
use crate::sandbox::Sandbox;

pub(crate) struct Loaded {
    pre: InstancePre<Sandbox>,
    manifest: manifest::GuestIndices,
    commands: Option<commands::GuestIndices>,
    notifier: Option<notifier::GuestIndices>,
    checks: Option<checks::GuestIndices>,
    compiled_in: Option<Duration>,
}

impl Loaded {
    /// The time is what compiling took, if it was compiled just now.
    pub(crate) fn new(
        linker: &Linker<Sandbox>,
        component: &Component,
        compiled_in: Option<Duration>,
    ) -> Result<Self, Fault> {
        let engine = linker.engine();
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| check::not_linked(engine, component, &error))?;
        let manifest = manifest::GuestIndices::new(&pre)
            .map_err(|_| check::no_role(engine, component, "manifest"))?;
        let loaded = Self {
            manifest,
            commands: commands::GuestIndices::new(&pre).ok(),
            notifier: notifier::GuestIndices::new(&pre).ok(),
            checks: checks::GuestIndices::new(&pre).ok(),
            compiled_in,
            pre,
        };
        if loaded.roles().is_empty() {
            return Err(check::no_role(engine, component, "role"));
        }
        Ok(loaded)
    }

    pub(crate) fn roles(&self) -> Vec<Role> {
        let roles = [
            self.commands.as_ref().map(|_| Role::ReleaseSource),
            self.notifier.as_ref().map(|_| Role::Notifier),
            self.checks.as_ref().map(|_| Role::SelfTest),
        ];
        roles.into_iter().flatten().collect()
    }

    pub(crate) fn compiled_in(&self) -> Option<Duration> {
        self.compiled_in
    }

    pub(crate) async fn instantiate(&self, store: &mut Store<Sandbox>) -> Result<Instance> {
        self.pre.instantiate_async(store).await
    }

    pub(crate) fn manifest(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<manifest::Guest> {
        self.manifest.load(store, instance)
    }

    pub(crate) fn commands(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<commands::Guest> {
        role(self.commands.as_ref())?.load(store, instance)
    }

    pub(crate) fn notifier(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<notifier::Guest> {
        role(self.notifier.as_ref())?.load(store, instance)
    }

    pub(crate) fn checks(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<checks::Guest> {
        role(self.checks.as_ref())?.load(store, instance)
    }

    /// Whether each export has the types of the contract: a name alone may
    /// promise what its function does not keep.
    pub(crate) fn well_typed(&self, store: &mut Store<Sandbox>, instance: &Instance) -> Result<()> {
        self.manifest(store, instance)?;
        if self.commands.is_some() {
            self.commands(store, instance)?;
        }
        if self.notifier.is_some() {
            self.notifier(store, instance)?;
        }
        if self.checks.is_some() {
            self.checks(store, instance)?;
        }
        Ok(())
    }

    /// The fault of a call for a role that the component does not have.
    pub(crate) fn require(&self, role: Role) -> Result<(), Fault> {
        if self.roles().contains(&role) {
            return Ok(());
        }
        let what = format!("was asked as a {role}, and does not export that role");
        Err(Fault::new(PluginErrorKind::NoRole, what))
    }
}

fn role<T>(indices: Option<&T>) -> Result<&T> {
    indices.ok_or_else(|| wasmtime::Error::msg("the component does not export this role"))
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("roles", &self.roles())
            .finish_non_exhaustive()
    }
}
