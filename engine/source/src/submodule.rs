//! What `.gitmodules` says: which URL belongs to which folder. Read by hand,
//! because Git's own reader would follow an `[include]` out of the commit.

use std::collections::BTreeMap;

/// URLs by path.
pub fn urls(text: &str) -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut name = None;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            name = submodule(line);
            continue;
        }
        let (Some(name), Some((key, value))) = (&name, line.split_once('=')) else {
            continue;
        };
        let section = sections.entry(name.clone()).or_default();
        match key.trim().to_ascii_lowercase().as_str() {
            "path" => section.path = Some(plain(value)),
            "url" => section.url = Some(plain(value)),
            _ => {}
        }
    }
    let whole = sections.into_values().filter_map(|s| s.path.zip(s.url));
    whole.collect()
}

#[derive(Default)]
struct Section {
    path: Option<String>,
    url: Option<String>,
}

/// The name in `[submodule "name"]`.
fn submodule(header: &str) -> Option<String> {
    let inner = header.strip_prefix('[')?.split_once(']')?.0;
    let (kind, name) = inner.split_once('"')?;
    let is_submodule = kind.trim().eq_ignore_ascii_case("submodule");
    is_submodule.then(|| name.trim_end_matches('"').to_owned())
}

/// A value without quotes, escapes and comment.
fn plain(value: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = value.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => out.extend(chars.next()),
            '#' | ';' if !quoted => break,
            c => out.push(c),
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_git_writes_it() {
        let text = "[submodule \"lib\"]\n\tpath = vendor/lib\n\turl = ../lib.git\n\
                    \tbranch = main\n# comment\n[Submodule \"two words\"]\n\
                    URL = \"https://example.com/a b\" ; comment\n  path=\"two words\"\n\
                    [include]\n\tpath = /etc/passwd\n\turl = x\n\
                    [submodule \"half\"]\n\tpath = half\n";
        let expected = [
            ("two words", "https://example.com/a b"),
            ("vendor/lib", "../lib.git"),
        ];
        let expected = expected.map(|(path, url)| (path.to_owned(), url.to_owned()));
        assert_eq!(urls(text), BTreeMap::from(expected));
    }

    #[test]
    fn nonsense_has_no_submodules() {
        for text in [
            "",
            "[",
            "[submodule",
            "[submodule \"x\"",
            "path = x\nurl = y",
            "\u{0}=",
        ] {
            assert!(urls(text).is_empty(), "{text:?}");
        }
    }
}
