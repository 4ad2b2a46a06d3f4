"""The key vocabularies of other tools' configs, read from their sources into recipeforge/documents/dialects/keys/*.json.

"keys":    dotted path -> entry. `a[]` is an item of the list `a`, `a.*` a free name in the mapping `a`.
    type        bool, int, float, str, list, map, any; several joined by |
    values      the framework refuses others, or documents the list as closed. It speaks of values of the types that it
                lists: `bool|str` with values [auto] takes true, false and auto. With `pattern`, text that matches is fine too
    known       names that are known; others are accepted by whatever reads the file, and fail later or not at all
    default     absent where only running the code would tell
    minimum, exclusiveMinimum, maximum, exclusiveMaximum
    required    true: no default. nullable false: the key may be left out, but not left empty
    syntax      regex: each item has to compile as one, or the run stops
    names       of a mapping with free names: those that the framework takes
    open        true: anything may stand inside, unknown names there are not judged
    plugin      read only where `plugins` lists it. needs: read only where that key is true
    commands, trainers   read only by these; absent: by all
    note        what else there is to know
"gone":    dotted path -> what became of it. A path in both tables is still accepted, by name
    how         renamed (same values under `instead`), removed, deprecated (still read)
    instead     full path of the key to use, or null; value: what to write there
    since       the release; `PACKAGE X` for a release of another package
    refused     true: the run stops where the key has a value; else it is ignored, as the framework ignores unknown keys
"dropped": key -> where the code reads it, although validation takes it out first: unknown, and ignored
"""
