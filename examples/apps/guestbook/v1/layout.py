"""The frame around each page. Every value goes through `text` on its way into HTML."""

import html
import os

from version import VERSION

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --soft: #667085; --paper: #fff; --ground: #f4f1ea;
  --line: #e4dfd3; --accent: #b4442f; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece8df; --soft: #a19c90; --paper: #24231f;
  --ground: #191815; --line: #3a3832; --accent: #f0896f; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 17px/1.55 Georgia, serif; }
main, header, footer { max-width: 38rem; margin: 0 auto; padding: 0 1.1rem; }
header { padding-top: 2.2rem } h1 { font-size: 2rem; line-height: 1.15; margin: 0 }
header p, footer, time, .none { color: var(--soft) } header p { margin: .3rem 0 1.4rem }
nav a { margin-right: 1rem } a { color: var(--accent) }
form, article { background: var(--paper); border: 1px solid var(--line); border-radius: .8rem;
  padding: 1.1rem; margin-bottom: .9rem }
label { display: block; font-size: .9rem; color: var(--soft); margin-bottom: .7rem }
input, textarea, select, button { font: inherit; width: 100%; padding: .6rem .7rem; color: inherit;
  background: var(--ground); border: 1px solid var(--line); border-radius: .5rem; margin-top: .2rem }
button { background: var(--accent); color: var(--paper); border: 0; cursor: pointer; font-weight: bold }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
article p { margin: 0 0 .5rem; white-space: pre-wrap; overflow-wrap: anywhere }
article footer { padding: 0; margin: 0; font-size: .9rem } .error { color: var(--accent) }
.mood { display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem;
  font-size: .85rem; color: var(--accent) }
body > footer { font-size: .85rem; padding: 1.2rem 1.1rem 2.5rem }
"""


def text(value):
    return html.escape(str(value), quote=True)


def commit():
    return os.environ.get("CONTAINER_VERSION") or "unknown"


def page(title, lead, body):
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)}</title>
<style>{STYLE}</style>
<header><h1>{text(title)}</h1><p>{text(lead)}</p></header>
<main>
{body}
</main>
<footer>Guestbook version {text(VERSION)}, commit {text(commit()[:12])}</footer>
</html>
"""
