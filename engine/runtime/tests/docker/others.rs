//! Nothing of others is touched.

use std::collections::HashMap;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::CreateContainerOptionsBuilder;
use shipway_core::ports::runtime::Runtime;

use crate::instances::started;
use crate::machine::{BASE, Machine};

#[tokio::test(flavor = "multi_thread")]
async fn cleaning_up_leaves_others_containers_alone() {
    let Some(machine) = Machine::new("others").await else {
        return;
    };
    let image = machine.fixture("true").await.image;
    let (deployment, _) = started(&machine, &image, Some("sleep 600")).await;
    let id = deployment.to_string();

    // Run by hand from our image, and one that happens to carry a label.
    let by_hand = create(&machine, &image.reference, HashMap::new()).await;
    let labelled = HashMap::from([("shipway.deployment".to_owned(), id.clone())]);
    let labelled = create(&machine, BASE, labelled).await;

    machine.runtime.clean_up(deployment).await.unwrap();
    machine.runtime.clean_up(deployment).await.unwrap();
    let left = machine
        .containers(&format!("shipway.deployment={id}"))
        .await;
    assert_eq!(left, [format!("/{labelled}")]);
    for name in [by_hand, labelled] {
        assert!(machine.docker.inspect_container(&name, None).await.is_ok());
        machine.remove_container(&name).await;
    }
    machine.clean().await;
}

/// Gives its name.
async fn create(machine: &Machine, image: &str, labels: HashMap<String, String>) -> String {
    let name = format!("other-{}", uuid::Uuid::now_v7().simple());
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".into()]),
        labels: Some(labels),
        ..ContainerCreateBody::default()
    };
    machine
        .docker
        .create_container(Some(options), body)
        .await
        .unwrap();
    name
}
