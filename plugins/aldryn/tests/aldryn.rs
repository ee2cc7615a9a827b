//! The whole plugin, with its probe run by a real Python over projects on disk.
//!
//! Stand-ins of a few lines take the places of Django and of the addon loader,
//! with the same names and the same order of calls; the real ones are deployed
//! by the scenarios of the workspace.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command as Process;

use shipway_plugin_aldryn::plugin::Aldryn;
use shipway_sdk::image::Output;
use shipway_sdk::prelude::*;
use shipway_sdk::testing::{self, Host};
use tempfile::TempDir;

const DJANGO: &str = "
import importlib, os

class Settings(object):
    def __getattr__(self, name):
        return getattr(importlib.import_module(os.environ['DJANGO_SETTINGS_MODULE']), name)

settings = Settings()
";

const LOADER: &str = "
import os

def load(settings):
    for name in settings['INSTALLED_ADDONS']:
        path = os.path.join(os.path.dirname(os.path.abspath(settings['__file__'])), 'addons', name)
        if os.path.isabs(name):
            path, name = name, os.path.basename(name)
        load_addon_settings(name=name, path=path, settings=settings, settings_json_path=None)

def load_addon_settings(name, path, settings, **kwargs):
    scope = {}
    path = os.path.join(path, 'aldryn_config.py')
    exec(compile(open(path).read(), path, 'exec'), scope)
    settings.update(scope['Form']().to_settings({}, settings))
";

/// What a project's addon does to the list.
fn addon(body: &str) -> String {
    format!(
        "class Form(object):\n    def to_settings(self, data, settings):\n        {body}\n        return settings\n"
    )
}

struct Project {
    folder: TempDir,
    host: Host,
}

impl Project {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = Self {
            folder,
            host: Host::of::<Aldryn>().file("settings.py", settings),
        };
        project
            .write("packages/django/__init__.py", "")
            .write("packages/django/conf/__init__.py", DJANGO)
            .write("packages/aldryn_addons/__init__.py", "")
            .write("packages/aldryn_addons/settings.py", LOADER)
            .write("site/settings.py", settings)
    }

    fn write(self, path: &str, content: &str) -> Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn collect(self) -> Collected {
        let folder = self.folder.path().to_owned();
        let host = self
            .host
            .image(move |call| run(&folder, &call.argv, &call.variables));
        host.run(|| Aldryn::collect(&testing::deployment()))
            .unwrap()
    }
}

/// Runs the probe as an image would: its own folder, no variables but its own.
fn run(folder: &Path, argv: &[String], variables: &[(String, String)]) -> Result<Output, Failure> {
    let output = Process::new(&argv[0])
        .args(&argv[1..])
        .current_dir(folder.join("site"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("PYTHONPATH", folder.join("packages"))
        .envs(variables.iter().cloned())
        .output();
    Ok(match output {
        Ok(output) => Output {
            exit_code: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
            truncated: false,
        },
        Err(reason) => Output::failure(127, reason.to_string()),
    })
}

fn lines(collected: &Collected) -> Vec<String> {
    collected
        .commands()
        .iter()
        .map(|command| {
            let Invocation::Shell(line) = &command.run else {
                panic!("{command:?}")
            };
            assert_eq!(command.phase, Phase::Release);
            format!(
                "{line} | {} {}",
                command.provenance.file, command.provenance.place
            )
        })
        .collect()
}

#[test]
fn the_list_is_in_its_order_with_who_put_each_there() {
    let settings = "
import aldryn_addons.settings
print('settings print things')
INSTALLED_ADDONS = ['database', 'cache']
MIGRATION_COMMANDS = ['python manage.py check']
aldryn_addons.settings.load(locals())
MIGRATION_COMMANDS.append('echo \"é\"   kept ')
";
    let collected = Project::new(settings)
        .write(
            "site/addons/database/aldryn_config.py",
            &addon("settings['MIGRATION_COMMANDS'].append('python manage.py migrate')"),
        )
        .write(
            "site/addons/cache/aldryn_config.py",
            &addon("settings['MIGRATION_COMMANDS'].insert(0, 'createcachetable; exit 0')"),
        )
        .collect();
    assert_eq!(
        lines(&collected),
        [
            "createcachetable; exit 0 | addons/cache/aldryn_config.py MIGRATION_COMMANDS[0]",
            "python manage.py check | settings.py MIGRATION_COMMANDS[1]",
            "python manage.py migrate | addons/database/aldryn_config.py MIGRATION_COMMANDS[2]",
            "echo \"é\"   kept  | settings.py MIGRATION_COMMANDS[3]",
        ]
    );
    assert!(collected.warnings().is_empty());
}

#[test]
fn an_addon_from_outside_the_repository_is_named() {
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("elsewhere");
    fs::create_dir(&path).unwrap();
    let config = addon("settings.setdefault('MIGRATION_COMMANDS', []).append('x')");
    fs::write(path.join("aldryn_config.py"), config).unwrap();
    let settings = format!(
        "import aldryn_addons.settings\nINSTALLED_ADDONS = ['{}']\naldryn_addons.settings.load(locals())\n",
        path.display()
    );
    assert_eq!(
        lines(&Project::new(&settings).collect()),
        ["x |  MIGRATION_COMMANDS[0] of the addon elsewhere"]
    );
}

#[test]
fn an_empty_or_missing_list_asks_for_nothing() {
    for settings in [
        "INSTALLED_ADDONS = []\n",
        "INSTALLED_ADDONS = []\nMIGRATION_COMMANDS = []\n",
    ] {
        let collected = Project::new(settings).collect();
        assert!(collected.commands().is_empty());
        assert_eq!(collected.skipped()[0].reason, "the list is empty");
    }
}

#[test]
fn settings_that_fail_are_one_command_and_a_warning() {
    for (rest, said) in [
        (
            "import nothing_like_this",
            "No module named 'nothing_like_this' (settings.py, line 2)",
        ),
        (
            "import os; os.environ['SITE_KEY']",
            "KeyError: 'SITE_KEY' (settings.py, line 2)",
        ),
        (
            "import sys; sys.exit(3)",
            "SystemExit: 3 (settings.py, line 2)",
        ),
        (
            "MIGRATION_COMMANDS = 'migrate'",
            "MIGRATION_COMMANDS is no list but 'migrate'",
        ),
        (
            "MIGRATION_COMMANDS = ['a', 1]",
            "MIGRATION_COMMANDS[1] is no string but 1",
        ),
        (
            "import os; os._exit(9)",
            "ended with code 9 and no answer: it wrote no error",
        ),
    ] {
        let collected = Project::new(&format!("INSTALLED_ADDONS = []\n{rest}\n")).collect();
        assert_eq!(
            lines(&collected),
            ["aldryn-django migrate | settings.py line 1"]
        );
        let [warning] = collected.warnings() else {
            panic!("{collected:?}")
        };
        assert!(warning.contains(said), "{warning}");
    }
}

#[test]
fn without_an_image_or_a_python_there_is_one_command_and_the_reason() {
    let settings = "INSTALLED_ADDONS = []\n";
    let host = Host::of::<Aldryn>().file("settings.py", settings);
    let collected = host
        .run(|| Aldryn::collect(&testing::deployment()))
        .unwrap();
    assert_eq!(
        collected.warnings(),
        [
            "the image cannot tell MIGRATION_COMMANDS, since there is no image yet; \
          `aldryn-django migrate` runs them all as one command instead"
        ]
    );
    let host = host.image(|_| Ok(Output::failure(127, "not found")));
    let collected = host
        .run(|| Aldryn::collect(&testing::deployment()))
        .unwrap();
    assert!(collected.warnings()[0].contains("since there is no Python in it;"));
    let tried: Vec<String> = host
        .image_calls()
        .into_iter()
        .map(|call| call.argv[0].clone())
        .collect();
    assert_eq!(tried, ["python", "python3", "python", "python3"]);
}

#[test]
fn another_kind_of_app_asks_for_nothing_and_the_image_is_left_alone() {
    let host = Host::of::<Aldryn>()
        .file("settings.py", "DEBUG = True\n")
        .file("requirements.txt", "Django==5.1\n");
    let collected = host
        .run(|| Aldryn::collect(&testing::deployment()))
        .unwrap();
    assert!(collected.commands().is_empty());
    assert!(
        collected.skipped()[0]
            .reason
            .starts_with("this is no Aldryn project")
    );
    assert!(host.image_calls().is_empty());
}
