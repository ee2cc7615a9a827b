//! Programs below `tests/` that prove something and take options of their own:
//! the simulation and the crash loop.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::house::{BUILD_LIMIT, House, Profile};
use crate::{run, say};

/// A million simulated runs, on a slow machine.
const LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// What is passed on.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Options of the program; `-- --help` lists them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTION"
    )]
    options: Vec<String>,
}

/// A program, and the others that it starts.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    pub program: &'static str,
    pub starts: &'static [&'static str],
}

impl Proof {
    /// Builds it first.
    pub fn run(self, arguments: &Arguments) -> Result<ExitCode> {
        let house = House::open()?;
        let mut build = house.cargo();
        // The same selection as the tests', so that nothing is built twice.
        build.args(["build", "--workspace", "--bin", self.program]);
        for program in self.starts {
            build.args(["--bin", program]);
        }
        run::run(&mut build, BUILD_LIMIT).with_context(|| format!("building {}", self.program))?;
        self.run_built(&house, &arguments.options, |line| say::line(line))
    }

    /// Runs what is built; `heard` gets every line it says.
    pub fn run_built(
        self,
        house: &House,
        options: &[String],
        heard: impl FnMut(&str) + Send,
    ) -> Result<ExitCode> {
        let mut command = Command::new(house.program(Profile::Dev, self.program));
        command
            .args(options)
            .env("SHIPWAY_IMAGE_CACHE", house.images_cache());
        let status = run::lines(&mut command, LIMIT, heard)
            .with_context(|| format!("running {}", self.program))?;
        Ok(match status.success() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}
