"""One `Diagnostic`, many faces: text, json, sarif, github, html; and pages for statuses, repairs, rules and estimates.

Renderers take values of `schemas` and return strings. They read no file, print nothing and decide nothing.
"""
