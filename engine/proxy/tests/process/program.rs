//! The program: as `shipway-proxy`, with its settings in the order of
//! [`Settings`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use shipway_proxy::{Inherited, Program, Proxy};
use tokio::signal::unix::{SignalKind, signal};

use crate::harness::config;

pub struct Settings {
    pub folder: PathBuf,
    pub listen: Vec<SocketAddr>,
    pub workers: usize,
    pub take_over: Duration,
}

impl Settings {
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            "proxy".to_owned(),
            self.folder.display().to_string(),
            self.workers.to_string(),
            self.take_over.as_millis().to_string(),
        ];
        arguments.extend(self.listen.iter().map(ToString::to_string));
        arguments
    }

    fn read(arguments: &[String]) -> Result<Self> {
        let mut arguments = arguments.iter();
        let mut next = || arguments.next().context("an argument is missing");
        Ok(Self {
            folder: next()?.into(),
            workers: next()?.parse()?,
            take_over: Duration::from_millis(next()?.parse()?),
            listen: arguments.map(|a| a.parse()).collect::<Result<_, _>>()?,
        })
    }
}

/// With `hang` instead of settings it does nothing, for ever.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    if arguments == ["hang"] {
        loop {
            std::thread::park();
        }
    }
    let settings = Settings::read(arguments)?;
    let mut config = config(&settings.folder);
    config.listen = settings.listen;
    config.workers = settings.workers.try_into()?;
    config.limits.take_over = settings.take_over;
    config.limits.shutdown = Duration::from_secs(2);
    config.pid_file = Some(settings.folder.join("proxy.pid"));
    config.program = Some(Program::this()?);
    let inherited = Inherited::from_environment()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let proxy = match inherited {
            Some(inherited) => Proxy::take_over(config, inherited)?,
            None => Proxy::bind(config)?,
        };
        let handle = proxy.handle();
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                let _ = handle.restart(None).await;
            }
        });
        let stopped = async move {
            terminate.recv().await;
        };
        proxy.serve(stopped).await?;
        Ok(ExitCode::SUCCESS)
    })
}
