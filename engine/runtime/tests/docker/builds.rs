//! Images from repositories good and bad.

use std::time::{Duration, Instant};

use shipway_core::environment::{BuildSettings, LayerCache};
use shipway_core::ports::runtime::{BuildRequest, ImageKey, Runtime, RuntimeError};
use shipway_runtime::docker::DockerConfig;

use crate::conformance::recorder::record;
use crate::conformance::shell;
use crate::machine::{DOCKERFILE, Machine, classic, commit, deployment};

#[tokio::test(flavor = "multi_thread")]
async fn an_image_holds_what_is_not_ignored() {
    for (name, config) in [
        ("buildkit", DockerConfig::default()),
        ("classic", classic()),
    ] {
        let Some(machine) = Machine::with(name, config).await else {
            return;
        };
        machine.write(".dockerignore", "secret*\ndocs\n!docs/keep.md\n");
        for path in [
            "secret.key",
            "docs/lose.md",
            "docs/keep.md",
            "src/secret.py",
        ] {
            machine.write(path, "x");
        }
        machine.write(".git", "gitdir: elsewhere");
        let fixture = machine.fixture("true").await;
        let run = fixture.command_run(vec![shell("find . -type f | sort")]);
        let recorder = record(&*machine.runtime, &run).await;
        assert_eq!(
            recorder.lines(shipway_core::ports::Stream::Stdout),
            [
                "./.dockerignore",
                "./Dockerfile",
                "./docs/keep.md",
                "./index.html",
                "./src/secret.py"
            ],
            "{name}"
        );
        let image = machine
            .docker
            .inspect_image(&fixture.image.tag)
            .await
            .unwrap();
        assert_eq!(image.id.as_ref(), Some(&fixture.image.reference));
        let labels = image.config.unwrap().labels.unwrap();
        for label in [
            "app",
            "environment",
            "deployment",
            "commit",
            "build",
            "role",
        ] {
            assert!(labels.contains_key(&format!("shipway.{label}")), "{label}");
        }
        machine.clean().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_dockerfile_names_its_step_and_leaves_nothing() {
    for (name, config) in [
        ("fails", DockerConfig::default()),
        ("fails-classic", classic()),
    ] {
        let Some(machine) = Machine::with(name, config).await else {
            return;
        };
        let before = dangling(&machine).await;
        machine.write(
            "Dockerfile",
            "FROM shipway-test/static:1\nRUN echo one-$((1+1)) > /x\nRUN echo wrong-$((1+2)); exit 3\n",
        );
        let (built, said) = machine.build(&machine.request()).await;
        let error = built.unwrap_err();
        let message = error.to_string();
        assert!(
            matches!(error, RuntimeError::BuildFailed { .. }),
            "{message}"
        );
        assert!(message.contains("3/"), "{message}");
        assert!(
            message.contains("exit 3") && message.contains("code: 3"),
            "{message}"
        );
        assert!(said.contains("wrong-3"), "{said}");
        let after = dangling(&machine).await;
        let left: Vec<_> = after.iter().filter(|id| !before.contains(id)).collect();
        assert!(left.is_empty() || name == "fails", "{name} left {left:?}");
        machine.clean().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_dockerfile_is_said() {
    let Some(machine) = Machine::new("bad").await else {
        return;
    };
    let (built, _) = machine.build(&machine.request()).await;
    let error = built.unwrap_err();
    assert_eq!(error.to_string(), "there is no Dockerfile in the commit");
    assert!(error.hint().is_some());

    machine.write("Dockerfile", "FROM shipway-test/static:1\nFETCH me\n");
    let (built, _) = machine.build(&machine.request()).await;
    let message = built.unwrap_err().to_string();
    assert!(
        message.to_lowercase().contains("unknown instruction"),
        "{message}"
    );

    machine.write("Dockerfile", DOCKERFILE);
    machine.write(".dockerignore", "[never-closed\n");
    let (built, _) = machine.build(&machine.request()).await;
    let message = built.unwrap_err().to_string();
    assert!(message.contains(".dockerignore, line 1"), "{message}");
}

/// Without a registry, too: the engine's own frontend does it.
#[tokio::test(flavor = "multi_thread")]
async fn a_frontend_that_cannot_be_fetched_is_done_without() {
    let Some(machine) = Machine::new("syntax").await else {
        return;
    };
    machine.write(
        "Dockerfile",
        "# syntax=localhost:1/nowhere/dockerfile:1\nFROM shipway-test/static:1\n\
         RUN --mount=type=tmpfs,target=/scratch echo yes > /answer\n",
    );
    let (built, said) = machine.build(&machine.request()).await;
    assert!(built.is_ok(), "{built:?}: {said}");
    assert!(said.contains("using the engine's own"), "{said}");
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_those_of_the_settings_and_the_cache_is_asked_for() {
    let Some(machine) = Machine::new("args").await else {
        return;
    };
    machine.write(
        "Dockerfile",
        "FROM shipway-test/static:1\nARG WHO=nobody\nRUN echo \"$WHO\" > /who; date +%N%s > /when\n\
         RUN cat /who\n",
    );
    let request = |cache, who: &str, digit| BuildRequest {
        key: ImageKey {
            commit: commit(digit),
            build: BuildSettings {
                args: [("WHO".to_owned(), who.to_owned())].into(),
                cache: Some(cache),
                ..BuildSettings::default()
            },
            ..machine.request().key
        },
        ..machine.request()
    };
    let (built, said) = machine
        .build(&request(LayerCache::On, "it's me", 'a'))
        .await;
    built.unwrap();
    assert!(said.contains("it's me"), "{said}");
    let (_, again) = machine
        .build(&request(LayerCache::On, "it's me", 'b'))
        .await;
    assert!(again.contains("CACHED [2/3]"), "{again}");
    let (_, anew) = machine
        .build(&request(LayerCache::Off, "it's me", 'c'))
        .await;
    assert!(!anew.contains("CACHED [2/3]"), "{anew}");
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_never_ends_is_ended() {
    let Some(machine) = Machine::new("slow").await else {
        return;
    };
    machine.write("Dockerfile", "FROM shipway-test/static:1\nRUN sleep 600\n");
    let request = BuildRequest {
        timeout: Duration::from_secs(3),
        ..machine.request()
    };
    let began = Instant::now();
    let (built, _) = machine.build(&request).await;
    assert!(matches!(
        built,
        Err(RuntimeError::Timeout { seconds: 3, .. })
    ));
    assert!(began.elapsed() < Duration::from_secs(20));
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_image_that_is_not_to_be_had_is_named() {
    let Some(machine) = Machine::new("base").await else {
        return;
    };
    machine.write("Dockerfile", "FROM localhost:1/no/such:base\nRUN true\n");
    let (built, said) = machine.build(&machine.request()).await;
    let message = built.unwrap_err().to_string();
    assert!(
        message.contains("localhost:1/no/such:base"),
        "{message}: {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pruning_spares_what_is_kept_used_or_not_ours() {
    let Some(machine) = Machine::new("prune").await else {
        return;
    };
    machine.write(
        "Dockerfile",
        "FROM shipway-test/static:1\nCMD [\"sleep\", \"600\"]\n",
    );
    let mut built = Vec::new();
    for digit in ['a', 'b', 'c'] {
        let mut request = machine.request();
        request.key.commit = commit(digit);
        built.push(machine.build(&request).await.0.unwrap());
    }
    // Somebody's own image built upon ours inherits its labels.
    let mut upon = machine.request();
    machine.write("Dockerfile", &format!("FROM {}\nLABEL x=y\n", built[0].tag));
    upon.key.commit = commit('d');
    let theirs = machine.build(&upon).await.0.unwrap();
    let retag = bollard::query_parameters::TagImageOptionsBuilder::default()
        .repo("somebody/else")
        .tag(machine.environment.app.as_str())
        .build();
    machine
        .docker
        .tag_image(&theirs.reference, Some(retag))
        .await
        .unwrap();

    let used = crate::instances::started(&machine, &built[1], None).await;
    let keep = [built[0].reference.clone()];
    let app = &machine.environment.app;
    let removed = machine.runtime.prune_images(app, &keep).await.unwrap();
    assert_eq!(removed, [built[2].reference.clone()]);
    let left = machine.images().await;
    for image in [&built[0], &built[1], &theirs] {
        assert!(left.contains(&image.reference), "{}", image.tag);
    }
    machine.runtime.clean_up(used.0).await.unwrap();
    machine.clean().await;
}

async fn dangling(machine: &Machine) -> Vec<String> {
    let options = bollard::query_parameters::ListImagesOptionsBuilder::default()
        .filters(&[("dangling", vec!["true"])].into())
        .build();
    let found = machine.docker.list_images(Some(options)).await.unwrap();
    found.into_iter().map(|image| image.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_settings_are_another_image() {
    let Some(machine) = Machine::new("reuse").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let mut key = fixture.build.key.clone();
    let found = machine.runtime.find_image(&key).await.unwrap().unwrap();
    assert!(found.reused);
    assert_eq!(found.tag, fixture.image.tag);
    key.build.args.insert("A".into(), "1".into());
    assert_eq!(machine.runtime.find_image(&key).await.unwrap(), None);
    // Another deployment, another environment: the same image.
    let _unused = deployment();
    machine.clean().await;
}
