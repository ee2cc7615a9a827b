//! Images are found again, and pruned when nothing needs them.

use std::sync::Arc;

use shipway_core::name::CommitId;
use shipway_core::ports::runtime::ImageKey;

use super::Fixture;
use super::recorder::Lines;

pub async fn every_case(fixture: &Fixture) {
    an_image_is_found_by_its_key(fixture).await;
    a_repeated_build_gives_an_image(fixture).await;
    an_image_that_is_kept_is_not_pruned(fixture).await;
}

pub async fn an_image_is_found_by_its_key(fixture: &Fixture) {
    let found = fixture
        .runtime
        .find_image(&fixture.build.key)
        .await
        .unwrap();
    let found = found.expect("the fixture's image");
    assert_eq!(found.reference, fixture.image.reference);

    let other: CommitId = "f".repeat(40).parse().unwrap();
    let key = ImageKey {
        commit: other,
        ..fixture.build.key.clone()
    };
    assert_eq!(fixture.runtime.find_image(&key).await.unwrap(), None);
}

/// The build of one deployment may be asked for again after a crash.
pub async fn a_repeated_build_gives_an_image(fixture: &Fixture) {
    let lines = Arc::new(Lines::default());
    let built = fixture.runtime.build(&fixture.build, lines.clone()).await;
    let image = built.unwrap_or_else(|error| panic!("{error}: {}", lines.text()));
    let found = fixture
        .runtime
        .find_image(&fixture.build.key)
        .await
        .unwrap();
    assert_eq!(found.map(|found| found.reference), Some(image.reference));
}

pub async fn an_image_that_is_kept_is_not_pruned(fixture: &Fixture) {
    let keep = [fixture.image.reference.clone()];
    let removed = fixture
        .runtime
        .prune_images(&fixture.build.key.app, &keep)
        .await
        .unwrap();
    assert!(!removed.contains(&fixture.image.reference));
    let found = fixture
        .runtime
        .find_image(&fixture.build.key)
        .await
        .unwrap();
    assert!(found.is_some());
}
