"""
Bringing users and posts from another site: what the import commands share.

A source (`flask_blog`, `user_list`) reads rows; an importer (`members`, `posts`) judges each of
them, and only then writes those that are new; `command` is the frame of both commands.
"""
