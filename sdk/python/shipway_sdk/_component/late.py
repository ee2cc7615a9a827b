"""What the standard library imports only when it is used.

The library is there while the component is built and not when it runs, so what
it imports late is imported here: `datetime.strptime` wants `_strptime`, and
`str.encode` the module of its codec.
"""

import _strptime
import codecs
import stringprep
import unicodedata

#: Imported for the sake of others.
MODULES = (_strptime, stringprep, unicodedata)

#: Looked up once, so that the interpreter keeps them.
CODECS = tuple(
    codecs.lookup(name)
    for name in (
        "ascii",
        "cp1252",
        "idna",
        "iso8859-15",
        "latin-1",
        "punycode",
        "raw_unicode_escape",
        "unicode_escape",
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-be",
        "utf-16-le",
        "utf-32",
    )
)
