//! Ruby: Bundler and Rails.

use super::{Found, Repository};

pub fn survey(repository: &Repository, found: &mut Found) {
    let Some(gemfile) = repository.read("Gemfile") else {
        return;
    };
    let has = |gem: &str| {
        let quoted = [format!("gem \"{gem}\""), format!("gem '{gem}'")];
        quoted.iter().any(|line| gemfile.contains(line.as_str()))
    };
    if !has("rails") {
        found.saw("Gemfile");
        found.build_with(
            "bundle install",
            "The Gemfile says what to install. For `--runtime process`.",
        );
        if repository.has("config.ru") {
            found.run_with(
                "bundle exec rackup --host 0.0.0.0 --port $PORT",
                "config.ru is the app.",
            );
        }
        return;
    }
    found.saw("Rails (Gemfile)");
    found.build_with(
        "bundle install && bundle exec rails assets:precompile",
        "The Gemfile says what to install. For `--runtime process`.",
    );
    found.release_with(
        "Migrate the database",
        "bundle exec rails db:migrate",
        "Rails' migrations, once per deployment, before the new version starts.",
    );
    match repository.has("config/puma.rb") {
        true => found.run_with(
            "bundle exec puma -C config/puma.rb",
            "config/puma.rb says how; it listens on $PORT.",
        ),
        false => found.run_with(
            "bundle exec rails server -b 0.0.0.0 -p $PORT",
            "Rails' own server.",
        ),
    }
}
