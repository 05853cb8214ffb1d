"""Python runs this when it starts: of a site under attack, whose passwords hashed are counted."""

import os

import bcrypt

hashpw = bcrypt.hashpw


def counted(password, salt):
    with open(os.environ["HASHES"], "ab") as file:  # one for all processes of the site
        file.write(b".")
    return hashpw(password, salt)


bcrypt.hashpw = counted
