//! A plugin of two roles: it asks for one release command, and logs how each
//! deployment ended.

use shipway_sdk::prelude::*;

struct DeployTag;

impl Plugin for DeployTag {
    fn describe() -> Manifest {
        Manifest::new(
            "deploy-tag",
            env!("CARGO_PKG_VERSION"),
            "Runs bin/tag-release of repositories that have one, and logs every ending.",
        )
        .request(Request::files(
            ["bin/tag-release"],
            "To see whether the repository has the script.",
        ))
    }
}

impl ReleaseSource for DeployTag {
    fn collect(deployment: &Deployment) -> Result<Collected, Failure> {
        let script = source::find("bin/tag-release")?;
        Ok(script
            .into_iter()
            .map(|path| {
                Command::argv([path.as_str(), deployment.commit.as_str()])
                    .label("Tag the release")
                    .phase(Phase::After)
                    .at(path, "")
            })
            .collect())
    }
}

impl Notifier for DeployTag {
    fn deliver(event: &Event) -> Result<(), Failure> {
        if event.kind == "deployment.ended" {
            log::info!("{}: {}", event.deployment.app, event.summary);
        }
        Ok(())
    }
}

shipway_sdk::export!(DeployTag: release-source, notifier);
