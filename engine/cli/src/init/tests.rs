use std::fs;

use shipway_core::file::File as ShipwayFile;
use tempfile::TempDir;

use super::*;

/// Names and texts.
type Files<'a> = &'a [(&'a str, &'a str)];

fn folder(files: Files<'_>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn found(files: Files<'_>) -> Found {
    survey(&Repository::at(folder(files).path()))
}

/// The file for a repository, which the engine's own reader takes.
fn written(files: Files<'_>) -> String {
    let text = write::file(&found(files));
    ShipwayFile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    text
}

const MANAGE: &str = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')";

#[test]
fn a_django_site_with_services() {
    let text = written(&[
        ("manage.py", MANAGE),
        ("requirements.txt", "Django==5.2\ngunicorn\n"),
        ("mysite/wsgi.py", ""),
        (
            "docker-compose.yml",
            "services:\n  web:\n    build: .\n  db:\n    image: postgres:16\n  cache:\n    image: docker.io/library/redis:7-alpine\n",
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn a_procfile_says_what_runs_and_its_hooks_are_release_commands() {
    let text = written(&[
        (
            "Procfile",
            "web: ./serve \"$PORT\"\nworker: ./work\nrelease: ./migrate 'a b'\npostdeploy: ./warm\n",
        ),
        (
            "Dockerfile",
            "FROM a AS build\nEXPOSE 1\nFROM b\nEXPOSE 9000/tcp\n",
        ),
        (
            "package.json",
            r#"{"scripts": {"build": "x", "migrate": "y"}}"#,
        ),
    ]);
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_that_is_known_leaves_a_file_to_complete() {
    insta::assert_snapshot!(written(&[("README.md", "nothing")]));
}

#[test]
fn every_language_has_its_build_and_its_command() {
    let cases: [(Files<'_>, &str, &str); 8] = [
        (
            &[
                ("package.json", r#"{"scripts": {"start": "node ."}}"#),
                ("yarn.lock", ""),
            ],
            "yarn install --frozen-lockfile",
            "yarn run start",
        ),
        (
            &[(
                "package.json",
                r#"{"scripts": {"start": "node .", "build": "tsc"}}"#,
            )],
            "npm install && npm run build",
            "npm run start",
        ),
        (
            &[("go.mod", "module x"), ("cmd/server/main.go", "")],
            "go build -o bin/app ./cmd/server",
            "bin/app",
        ),
        (
            &[
                ("Cargo.toml", "[package]\nname = \"hello\""),
                ("Cargo.lock", ""),
                ("src/main.rs", ""),
            ],
            "cargo build --release --locked --bin hello",
            "target/release/hello",
        ),
        (
            &[("Gemfile", "gem \"rails\"\n"), ("config/puma.rb", "")],
            "bundle install && bundle exec rails assets:precompile",
            "bundle exec puma -C config/puma.rb",
        ),
        (
            &[("Gemfile", "gem 'sinatra'\n"), ("config.ru", "")],
            "bundle install",
            "bundle exec rackup --host 0.0.0.0 --port $PORT",
        ),
        (
            &[
                ("uv.lock", ""),
                ("pyproject.toml", "dependencies = [\"Gunicorn>=1\"]"),
                ("manage.py", MANAGE),
                ("app/wsgi.py", ""),
            ],
            "uv sync --frozen --no-dev",
            "gunicorn app.wsgi --bind 0.0.0.0:$PORT",
        ),
        (
            &[
                ("requirements.txt", "django"),
                ("manage.py", MANAGE),
                ("app/wsgi.py", ""),
            ],
            "pip install -r requirements.txt",
            "python manage.py runserver --noreload 0.0.0.0:$PORT",
        ),
    ];
    for (files, build, web) in cases {
        let found = found(files);
        assert_eq!(found.build.as_ref().unwrap().text, build, "{files:?}");
        assert_eq!(found.web.as_ref().unwrap().text, web, "{files:?}");
        written(files);
    }
}

#[test]
fn aldryns_commands_are_left_to_its_plugin() {
    let found = found(&[
        ("addons/blog/aldryn_config.py", ""),
        ("manage.py", MANAGE),
        ("Procfile", "web: x\nrelease: y\nmigrate: z\n"),
    ]);
    assert_eq!(found.plugin.unwrap().text, "aldryn");
    assert_eq!(found.release, []);
}

#[test]
fn files_that_are_broken_are_left_out() {
    for (name, text) in [
        ("package.json", "{"),
        ("Cargo.toml", "[package"),
        ("docker-compose.yml", "services: [}"),
        ("Procfile", "\u{0}"),
        ("Dockerfile", "EXPOSE $PORT"),
    ] {
        let found = found(&[(name, text)]);
        assert!(found.build.is_none() && found.port.is_none(), "{name}");
        written(&[(name, text)]);
    }
}
