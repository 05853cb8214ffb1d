"""
Bringing users and posts from another site. Once you have moved in, delete this folder.

A source reads rows; an importer (`members`, `posts`) checks each of them, and only then writes
those that are new; `command` is what both commands share.
"""
