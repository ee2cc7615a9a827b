//! Python: what installs it, Django, WSGI and ASGI servers, Aldryn.

use super::{Found, Repository, Said};

const REQUIREMENTS: &str = "requirements.txt";

/// Aldryn's addons compute their release commands when they run.
pub fn aldryn(repository: &Repository, found: &mut Found) {
    let configured = |addon: &String| repository.has(&format!("addons/{addon}/aldryn_config.py"));
    if repository.folders("addons").iter().any(configured) {
        found.saw("Aldryn addons");
        found.plugin = Some(Said::new(
            "aldryn",
            "Aldryn's addons say at run time which commands migrate: the plugin `aldryn` asks the\n\
             built image. Install it once: shipway plugin add …/aldryn.wasm",
        ));
    }
}

pub fn survey(repository: &Repository, found: &mut Found) {
    let Some(packages) = Packages::of(repository) else {
        return;
    };
    if let Some((command, file)) = packages.install {
        found.saw(file);
        let why = format!("{file} says what to install. For `--runtime process`.");
        found.build_with(command, why);
    }
    match repository.read("manage.py") {
        Some(manage) if manage.contains("DJANGO_SETTINGS_MODULE") => {
            django(repository, &packages, found);
        }
        _ => {}
    }
}

fn django(repository: &Repository, packages: &Packages, found: &mut Found) {
    found.saw("Django (manage.py)");
    found.release_with(
        "Migrate the database",
        "python manage.py migrate --noinput",
        "Django's migrations, once per deployment, before the new version starts.",
    );
    let site = repository.folders("").into_iter();
    let mut site = site.filter(|name| repository.has(&format!("{name}/wsgi.py")));
    let Some(site) = site.next() else { return };
    match packages.has("gunicorn") {
        true => found.run_with(
            format!("gunicorn {site}.wsgi --bind 0.0.0.0:$PORT"),
            format!("gunicorn is among the packages, and {site}/wsgi.py is the app."),
        ),
        false => found.run_with(
            "python manage.py runserver --noreload 0.0.0.0:$PORT",
            "Django's own server is for a first look; add gunicorn to the packages for more.",
        ),
    }
}

struct Packages {
    /// The command that installs them, and the file that names them.
    install: Option<(&'static str, &'static str)>,
    text: String,
}

impl Packages {
    fn of(repository: &Repository) -> Option<Self> {
        let known = [
            ("uv.lock", "uv sync --frozen --no-dev"),
            ("poetry.lock", "poetry install --only main"),
            (REQUIREMENTS, "pip install -r requirements.txt"),
            ("Pipfile.lock", "pipenv sync"),
            ("pyproject.toml", "pip install ."),
        ];
        let install = known
            .into_iter()
            .find(|(file, _)| repository.has(file))
            .map(|(file, command)| (command, file));
        if install.is_none() && !repository.has("manage.py") {
            return None;
        }
        let files = [REQUIREMENTS, "pyproject.toml", "Pipfile"].into_iter();
        let text = files.filter_map(|file| repository.read(file)).collect();
        Some(Self { install, text })
    }

    fn has(&self, name: &str) -> bool {
        let text = self.text.to_ascii_lowercase();
        let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words.any(|word| word == name)
    }
}
