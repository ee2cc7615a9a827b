//! What differs between two worlds, as far as it breaks a plugin of the first.

use std::collections::BTreeMap;

use wit_parser::{
    Function, Interface, InterfaceId, Resolve, Type, TypeDef, TypeDefKind, World, WorldId,
    WorldItem, WorldKey,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Imported,
    Exported,
}

/// Each difference in one sentence.
pub fn differences(resolve: &Resolve, name: &str, old: WorldId, new: WorldId) -> Vec<String> {
    let (old, new) = (&resolve.worlds[old], &resolve.worlds[new]);
    let mut found = Vec::new();
    for direction in [Direction::Imported, Direction::Exported] {
        let (before, after) = (
            interfaces(resolve, old, direction),
            interfaces(resolve, new, direction),
        );
        let verb = match direction {
            Direction::Imported => "imports",
            Direction::Exported => "exports",
        };
        for (interface, before) in &before {
            match after.get(interface) {
                Some(after) => compare(resolve, interface, (before, after), direction, &mut found),
                None => found.push(format!("the world {name} no longer {verb} {interface}")),
            }
        }
        let grown = after.keys().filter(|key| !before.contains_key(*key));
        if direction == Direction::Exported {
            found.extend(grown.map(|interface| {
                format!("the world {name} exports {interface}, which no old plugin has")
            }));
        }
    }
    found
}

/// The interfaces that a world imports or exports, by their names without a
/// version.
fn interfaces<'a>(
    resolve: &'a Resolve,
    world: &'a World,
    direction: Direction,
) -> BTreeMap<String, &'a Interface> {
    let items = match direction {
        Direction::Imported => &world.imports,
        Direction::Exported => &world.exports,
    };
    let named = items.iter().map(|(key, item)| match (key, item) {
        (WorldKey::Interface(id), WorldItem::Interface { .. }) => {
            (name(resolve, *id), &resolve.interfaces[*id])
        }
        _ => panic!("only interfaces stand in our worlds, and here is {key:?}"),
    });
    named.collect()
}

fn name(resolve: &Resolve, id: InterfaceId) -> String {
    let interface = &resolve.interfaces[id];
    let package = &resolve.packages[interface.package.unwrap()].name;
    let interface = interface.name.as_deref().unwrap_or_default();
    format!("{}:{}/{interface}", package.namespace, package.name)
}

fn compare(
    resolve: &Resolve,
    at: &str,
    (old, new): (&Interface, &Interface),
    direction: Direction,
    found: &mut Vec<String>,
) {
    for (name, function) in &old.functions {
        let before = signature(resolve, function);
        match new.functions.get(name).map(|new| signature(resolve, new)) {
            None => found.push(format!(
                "{at}: the function {name} is gone; it was {before}"
            )),
            Some(after) if after != before => {
                found.push(format!("{at}: {name} was {before}, and is {after}"));
            }
            Some(_) => {}
        }
    }
    if direction == Direction::Exported {
        let grown = new.functions.keys();
        let grown = grown.filter(|name| !old.functions.contains_key(*name));
        found.extend(
            grown.map(|name| {
                format!("{at}: the function {name} is new, and no old plugin exports it")
            }),
        );
    }
    for (name, id) in &old.types {
        let before = &resolve.types[*id];
        match new.types.get(name).map(|id| &resolve.types[*id]) {
            None => found.push(format!("{at}: the type {name} is gone")),
            Some(after) => found.extend(
                changes(resolve, name, before, after)
                    .into_iter()
                    .map(|change| format!("{at}: {change}")),
            ),
        }
    }
}

/// How a type changed: what it gained and lost, or that its order is another.
fn changes(resolve: &Resolve, name: &str, old: &TypeDef, new: &TypeDef) -> Vec<String> {
    let (before, after) = (parts(resolve, old), parts(resolve, new));
    let what = old.kind.as_str();
    if what != new.kind.as_str() {
        return vec![format!("{what} {name} became a {}", new.kind.as_str())];
    }
    let gained = after.iter().filter(|part| !before.contains(part));
    let lost = before.iter().filter(|part| !after.contains(part));
    let mut said: Vec<String> = gained
        .map(|part| format!("{what} {name} has a new {part}"))
        .chain(lost.map(|part| format!("{what} {name} has no {part} any more")))
        .collect();
    if said.is_empty() && before != after {
        said.push(format!("{what} {name} has its parts in another order"));
    }
    said
}

/// What a type is made of; other types of a name by that name alone, since each
/// is compared for itself.
fn parts(resolve: &Resolve, def: &TypeDef) -> Vec<String> {
    let with = |name: &str, payload: Option<&Type>| match payload {
        Some(payload) => format!("{name}: {}", shape(resolve, payload)),
        None => name.to_owned(),
    };
    match &def.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            fields
                .map(|field| with(&field.name, Some(&field.ty)))
                .collect()
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            cases
                .map(|case| with(&case.name, case.ty.as_ref()))
                .collect()
        }
        TypeDefKind::Enum(one) => one.cases.iter().map(|case| case.name.clone()).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| flag.name.clone()).collect(),
        kind => vec![structure(resolve, kind)],
    }
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters = function.params.iter();
    let parameters: Vec<String> = parameters
        .map(|one| format!("{}: {}", one.name, shape(resolve, &one.ty)))
        .collect();
    let result = function.result.as_ref();
    let result = result.map_or_else(String::new, |ty| format!(" -> {}", shape(resolve, ty)));
    format!("func({}){result}", parameters.join(", "))
}

fn shape(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return format!("{ty:?}").to_lowercase();
    };
    let def = &resolve.types[*id];
    match &def.name {
        Some(name) => name.clone(),
        None => structure(resolve, &def.kind),
    }
}

fn structure(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let of = |ty: &Type| shape(resolve, ty);
    let or_none = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), of);
    match kind {
        TypeDefKind::Type(ty) => of(ty),
        TypeDefKind::List(ty) => format!("list<{}>", of(ty)),
        TypeDefKind::Option(ty) => format!("option<{}>", of(ty)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", or_none(&result.ok), or_none(&result.err))
        }
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<String> = tuple.types.iter().map(of).collect();
            format!("tuple<{}>", types.join(", "))
        }
        other => panic!("our contract has no {}", other.as_str()),
    }
}
