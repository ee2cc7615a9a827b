//! Holds `wit/` against every version below `wit/released/`: plugins that were
//! built for one of them must go on working. The comparison is a test, where the
//! parser of the contract is at hand; here it is run alone.

use anyhow::{Result, bail};

use crate::house::{BUILD_LIMIT, House};
use crate::run;

pub fn check(house: &House) -> Result<()> {
    let mut command = house.cargo();
    command
        .args(["test", "--quiet", "--package", "shipway-plugin-tools"])
        .args(["--test", "released"]);
    let ended = run::capture(&mut command, BUILD_LIMIT)?;
    if !ended.status.success() {
        bail!(
            "the plugin contract:\n{}\n{}",
            ended.out.trim(),
            run::last_lines(&ended.err, 20)
        );
    }
    Ok(())
}
