//! The description of the API, made from the handlers. What holds for every
//! route is added here, once: names in paths, problems, the token.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{AllOf, ArrayItems, Object, Schema, Type};
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
    close_compositions(components);
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

/// An object that takes no other fields is of no use as a part of a larger one:
/// it would refuse those of the other parts. So the parts become one object.
fn close_compositions(components: &mut Components) {
    let all = components.schemas.clone();
    for schema in components.schemas.values_mut() {
        close(schema, &all);
    }
}

/// A composition may stand anywhere below, as in the items of a page.
fn close(schema: &mut RefOr<Schema>, all: &BTreeMap<String, RefOr<Schema>>) {
    let RefOr::T(inner) = schema else { return };
    match inner {
        Schema::AllOf(parts) => {
            if let Some(whole) = joined(parts, all) {
                *schema = RefOr::T(Schema::Object(whole));
            }
        }
        Schema::Object(object) => {
            for property in object.properties.values_mut() {
                close(property, all);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                close(items, all);
            }
        }
        _ => {}
    }
}

/// None where one part is no plain object.
fn joined(parts: &AllOf, all: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    let mut whole = Object::with_type(Type::Object);
    whole.description = parts.description.clone();
    for part in &parts.items {
        let object = object(part, all)?;
        whole.properties.extend(object.properties.clone());
        whole.required.extend(object.required.iter().cloned());
        let closed = object.additional_properties.clone();
        whole.additional_properties = whole.additional_properties.or(closed);
    }
    Some(whole)
}

fn object<'a>(
    part: &'a RefOr<Schema>,
    all: &'a BTreeMap<String, RefOr<Schema>>,
) -> Option<&'a Object> {
    match part {
        RefOr::T(Schema::Object(object)) => Some(object),
        RefOr::T(_) => None,
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next()?;
            object(all.get(name)?, all)
        }
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
