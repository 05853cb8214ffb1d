"""Many people who log in or sign up at once, and somebody who reads meanwhile."""

import os
import statistics
import threading
import time
from secrets import token_hex
from typing import NamedTuple

import bcrypt

from bench.content import PASSWORD
from testing.client import Client, at_once

COST = 12
SECONDS_BETWEEN_READS = 0.1
SECONDS_TO_GET_GOING = 1  # and to fill the queue


class Storm(NamedTuple):
    """`rate` of successes a second, how many went wrong, and what a reader of `/` saw, in ms."""

    rate: float
    errors: int
    p99: float


def bare_bcrypt(seconds):
    """Return how many passwords a second bcrypt alone checks, with all cores for itself."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(COST))
    end = time.monotonic() + seconds

    def check(index):
        count = 0
        while time.monotonic() < end:
            bcrypt.checkpw(PASSWORD.encode(), hashed)
            count += 1
        return count

    return per_second(lambda: at_once(len(os.sched_getaffinity(0)), check))


def per_second(work):
    """Return the sum of the numbers that `work` returns, by the seconds that it took."""
    start = time.monotonic()
    return sum(work()) / (time.monotonic() - start)


def storm(site, clients, seconds, act):
    """Let `clients` people `act` on `site` for about `seconds`, and return the Storm."""
    begin = time.monotonic() + SECONDS_TO_GET_GOING
    end = begin + seconds
    done, errors, reads = [], [], []

    def busy(index):
        client = Client(site.port, ip=f"198.51.{index}.7")
        client.read_form("/register/" if act is sign_up else site.login)
        cookies = dict(client.cookies)
        while time.monotonic() < end:
            if act(site, client, index):
                done.append(time.monotonic())
            else:
                errors.append(index)
            client.cookies = dict(cookies)  # the next one comes as a stranger

    def read():
        client = Client(site.port, ip="203.0.113.9")
        while time.monotonic() < end:
            answer = client.get("/")
            if time.monotonic() > begin:  # by then the templates are read
                reads.append(answer.seconds * 1000)
            if answer.status != 200:
                errors.append("/")
            time.sleep(SECONDS_BETWEEN_READS)

    reader = threading.Thread(target=read)
    reader.start()
    at_once(clients, busy)
    reader.join()
    rate = sum(begin <= moment < end for moment in done) / seconds
    return Storm(rate, len(errors), statistics.quantiles(reads, n=100)[-1])


def log_in(site, client, number):
    """Log in as one of the people, and return whether that succeeded."""
    fields = {site.email_field: f"user{number}@example.com", "password": PASSWORD}
    return client.post(site.login, **fields).status == 302


def sign_up(site, client, number):
    """Sign up as somebody new, and return whether that succeeded."""
    name = f"new{token_hex(8)}"
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    answer = client.post("/register/", username=name, email=f"{name}@example.net", **passwords)
    return answer.status == 302


def share(site, clients, seconds, act):
    """Return the Storm, and its rate as a share of what bcrypt alone does before and after it."""
    before = bare_bcrypt(seconds / 3)
    result = storm(site, clients, seconds, act)
    after = bare_bcrypt(seconds / 3)
    return result, result.rate / ((before + after) / 2)
