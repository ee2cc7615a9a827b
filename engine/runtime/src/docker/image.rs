//! Finds images that were built before, and removes those nobody needs.

use std::collections::HashSet;

use bollard::Docker;
use bollard::models::ImageSummary;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
};
use shipway_core::journal::Image;
use shipway_core::name::AppName;
use shipway_core::ports::runtime::{ImageKey, RuntimeError};

use super::engine::{CALL, Engine};
use super::failure::{explain, is_conflict, is_gone, within};
use super::label::{self, APP, BUILD, COMMIT, ROLE, Role, tag, tag_prefix};

/// The image with the key's labels. Of several, the one that the last build
/// gave the key's name; creation times are whole seconds and do not tell.
pub async fn find(engine: &Engine, key: &ImageKey) -> Result<Option<Image>, RuntimeError> {
    let hash = label::build_hash(&key.build);
    let labels = [
        (APP, key.app.as_str()),
        (COMMIT, key.commit.as_str()),
        (BUILD, &hash),
        (ROLE, Role::Image.as_str()),
    ];
    let found = list(engine, &labels).await?;
    let tag = tag(key);
    let newest = found
        .into_iter()
        .filter(|image| is_named_by_us(image, &key.app))
        .max_by_key(|image| (image.repo_tags.contains(&tag), image.created));
    Ok(newest.map(|image| Image {
        reference: image.id,
        tag,
        reused: true,
    }))
}

pub async fn exists(engine: &Engine, image: &Image) -> Result<bool, RuntimeError> {
    let docker = engine.docker().await?;
    match within(CALL, docker.inspect_image(&image.reference)).await {
        Ok(_) => Ok(true),
        Err(error) if is_gone(&error) => Ok(false),
        Err(error) => Err(explain("look for an image", CALL, error)),
    }
}

pub async fn prune(
    engine: &Engine,
    app: &AppName,
    keep: &[String],
) -> Result<Vec<String>, RuntimeError> {
    let labels = [(APP, app.as_str()), (ROLE, Role::Image.as_str())];
    let images = list(engine, &labels).await?;
    let used = used_images(engine).await?;
    let docker = engine.docker().await?;
    let mut removed = Vec::new();
    for image in images {
        let kept = keep.contains(&image.id) || image.repo_tags.iter().any(|tag| keep.contains(tag));
        if kept || used.contains(&image.id) || !is_only_ours(&image, app) {
            continue;
        }
        if remove(docker, &image).await? {
            removed.push(image.id);
        }
    }
    Ok(removed)
}

/// An image that somebody built upon ours inherits its labels, but has no name
/// of our giving.
fn is_named_by_us(image: &ImageSummary, app: &AppName) -> bool {
    let ours = tag_prefix(app.as_str());
    let names = names(image);
    names.is_empty() || names.iter().any(|name| name.starts_with(&ours))
}

/// Nobody gave it a name of their own, and so perhaps a use.
fn is_only_ours(image: &ImageSummary, app: &AppName) -> bool {
    let ours = tag_prefix(app.as_str());
    names(image).iter().all(|name| name.starts_with(&ours))
}

fn names(image: &ImageSummary) -> Vec<&str> {
    let names = image.repo_tags.iter().map(String::as_str);
    names.filter(|name| *name != "<none>:<none>").collect()
}

async fn list(engine: &Engine, labels: &[(&str, &str)]) -> Result<Vec<ImageSummary>, RuntimeError> {
    let docker = engine.docker().await?;
    let options = ListImagesOptionsBuilder::default()
        .filters(&label::filter(labels))
        .build();
    engine
        .call("list the images", docker.list_images(Some(options)))
        .await
}

async fn used_images(engine: &Engine) -> Result<HashSet<String>, RuntimeError> {
    let docker = engine.docker().await?;
    let options = ListContainersOptionsBuilder::default().all(true).build();
    let containers = engine
        .call("list the containers", docker.list_containers(Some(options)))
        .await?;
    Ok(containers
        .into_iter()
        .filter_map(|container| container.image_id)
        .collect())
}

/// Takes away its names, and it goes with the last one. False when something
/// still needs it.
async fn remove(docker: &Docker, image: &ImageSummary) -> Result<bool, RuntimeError> {
    let mut names = names(image);
    if names.is_empty() {
        names.push(&image.id);
    }
    let options = RemoveImageOptionsBuilder::default().build();
    for name in names {
        let removing = docker.remove_image(name, Some(options.clone()), None);
        match within(CALL, removing).await {
            Ok(_) => {}
            Err(error) if is_gone(&error) => {}
            Err(error) if is_conflict(&error) => return Ok(false),
            Err(error) => return Err(explain("remove an image", CALL, error)),
        }
    }
    Ok(true)
}
