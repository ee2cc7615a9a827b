//! The description of the API, made from the handlers. What holds for every
//! route is added here, once: names in paths, problems, the token.

mod example;
mod shape;

use std::collections::BTreeSet;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{Object, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

use crate::wire::problem::Problem;

const TOKEN: &str = "token";

/// Completes what the routes say of themselves.
pub(crate) fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Shipway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The deploy engine's API. Whatever is refused is a problem (RFC 9457) with a stable `type`.",
        ))
        .build();
    let components = api.components.get_or_insert_with(Components::new);
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token from `shipway token create`."))
        .build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(scheme));
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    api.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(
        TOKEN,
        [],
    )]);
    let names: BTreeSet<String> = components.schemas.keys().cloned().collect();
    for (path, item) in &mut api.paths.paths {
        for operation in operations(item) {
            name_parameters(operation, path, &names);
            operation
                .responses
                .responses
                .insert("default".to_owned(), problem());
        }
    }
    example::add(&mut api);
    if let Some(components) = &mut api.components {
        shape::simplify(components, &api.paths);
    }
    api
}

pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

fn name_parameters(operation: &mut Operation, path: &str, schemas: &BTreeSet<String>) {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next());
    let parameters = operation.parameters.get_or_insert_default();
    for name in names {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema_of(name, schemas)))
            .build();
        parameters.push(parameter);
    }
}

/// A part of a path has the rules of the name that it is.
fn schema_of(parameter: &str, schemas: &BTreeSet<String>) -> RefOr<Schema> {
    let name = match parameter {
        "app" => "AppName",
        "environment" => "EnvironmentName",
        "deployment" => "DeploymentId",
        "plugin" => "PluginName",
        "variable" => "VariableName",
        "label" => "Label",
        "webhook" => "WebhookId",
        _ => "",
    };
    match schemas.contains(name) {
        true => Ref::from_schema_name(name).into(),
        false => Object::with_type(Type::String).into(),
    }
}

fn problem() -> RefOr<utoipa::openapi::Response> {
    let schema = Ref::from_schema_name(Problem::name());
    RefOr::T(
        ResponseBuilder::new()
            .description("What was refused, and why")
            .content(
                "application/problem+json",
                ContentBuilder::new().schema(Some(schema)).build(),
            )
            .build(),
    )
}
