//! Dockerfiles, and the backing services that docker compose runs beside the
//! app when it is developed.

use yaml_rust2::{Yaml, YamlLoader};

use super::{Backing, Found, Repository, Said};

const COMPOSE: [&str; 4] = [
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yaml",
    "compose.yml",
];

/// What an image's name tells, what to call the service, and the variable that
/// most frameworks read its URL from.
const KNOWN: [(&str, &str, &str); 7] = [
    ("postgres", "database", "DATABASE_URL"),
    ("postgis", "database", "DATABASE_URL"),
    ("mysql", "database", "DATABASE_URL"),
    ("mariadb", "database", "DATABASE_URL"),
    ("redis", "cache", "REDIS_URL"),
    ("valkey", "cache", "REDIS_URL"),
    ("rabbitmq", "queue", "AMQP_URL"),
];

pub fn dockerfile(repository: &Repository, found: &mut Found) {
    let Some(text) = repository.read("Dockerfile") else {
        return;
    };
    found.saw("Dockerfile");
    found.dockerfile = Some(Said::new(
        "Dockerfile",
        "For `--runtime docker`. It is built without the environment's variables.",
    ));
    if let Some(port) = exposed(&text) {
        found.port = Some((port, format!("EXPOSE {port} in the Dockerfile.")));
    }
}

/// The port of the last stage.
fn exposed(text: &str) -> Option<u16> {
    let mut port = None;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("FROM") => port = None,
            Some("EXPOSE") => {
                let first = words.next().and_then(|word| word.split('/').next());
                port = port.or_else(|| first.and_then(|word| word.parse().ok()));
            }
            _ => {}
        }
    }
    port
}

pub fn compose(repository: &Repository, found: &mut Found) {
    let Some(file) = repository.first(&COMPOSE) else {
        return;
    };
    let text = repository.read(file).unwrap_or_default();
    // A file that is no YAML is for its own tool to complain of.
    let documents = YamlLoader::load_from_str(&text).unwrap_or_default();
    let Some(services) = documents.first().and_then(|all| all["services"].as_hash()) else {
        return;
    };
    for service in services.values() {
        let Some(known) = known(service) else {
            continue;
        };
        let (image, name, variable) = known;
        if found.backing.iter().all(|backing| backing.name != name) {
            found.saw(format!("{image} in {file}"));
            found.backing.push(Backing {
                name: name.to_owned(),
                variable: variable.to_owned(),
                why: format!("{image} of {file}."),
            });
        }
    }
}

fn known(service: &Yaml) -> Option<(&'static str, &'static str, &'static str)> {
    let image = service["image"].as_str()?;
    let name = image.rsplit('/').next()?;
    let name = name.split([':', '@']).next()?;
    KNOWN.into_iter().find(|(known, ..)| *known == name)
}
