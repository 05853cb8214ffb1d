"""Bringing users and posts from another site."""
