import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from unittest import skipUnless
from unittest.mock import patch

import bcrypt
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.signals import request_started
from django.test import SimpleTestCase, tag

from blog_project import work_pool
from blog_project.clients import client_network
from blog_project.tests.test_settings import settings_with
from blog_project.work_pool import QueueFull, WorkPool
from testing.cast import PASSWORD, CastTestCase
from users import hashers
from users.models import SecurityEvent, User


class Pool(SimpleTestCase):
    def setUp(self):
        client_network.set(None)
        self.pool = WorkPool("test", threads=1, queue_size=1)
        self.go_on = threading.Event()
        self.callers, self.dropped = [], []

    def occupy(self, *networks):
        """Let calls of `networks` run or wait, one after the other."""
        for network in networks:
            before = set(self.pool.calls)
            caller = threading.Thread(target=self.wait_for, args=[network, len(self.callers)])
            self.callers.append(caller)
            caller.start()
            self.addCleanup(caller.join)
            self.addCleanup(self.go_on.set)  # before it
            while caller.is_alive() and set(self.pool.calls) <= before:
                time.sleep(0.001)

    def wait_for(self, network, number):
        try:
            self.run_for(network)
        except QueueFull:
            self.dropped.append(number)

    def run_for(self, network):
        client_network.set(network)
        self.pool.run(self.go_on.wait, 10)

    def assertDropped(self, *numbers):
        """Assert that exactly the callers of those numbers, counted from 0, had to make room."""
        for number in numbers:
            self.callers[number].join(10)
        self.assertEqual(self.dropped, [*numbers])

    def test_beyond_the_queue_the_answer_is_no_at_once(self):
        self.occupy(None, None)
        with self.assertRaises(QueueFull):
            self.pool.run(len, "")
        self.go_on.set()
        self.assertReady()

    def test_one_network_does_not_fill_the_whole_queue(self):
        self.pool = WorkPool("test", threads=1, queue_size=3)
        self.occupy("192.0.2.1", "192.0.2.1", "192.0.2.1")
        with self.assertRaises(QueueFull):
            self.run_for("192.0.2.1")
        self.occupy("203.0.113.9")
        self.go_on.set()
        self.assertReady()

    def test_network_with_most_in_a_full_queue_makes_room_for_one_with_fewer(self):
        self.pool = WorkPool("test", threads=1, queue_size=4)
        self.occupy("192.0.2.1", "192.0.2.1", "192.0.2.1", "198.51.100.7", "198.51.100.7")
        self.occupy("203.0.113.9")
        self.assertDropped(2)  # the newest of the three; two, two and one are left
        for network in ["192.0.2.1", "198.51.100.7", "203.0.113.9"]:
            with self.assertRaises(QueueFull):
                self.run_for(network)
        self.occupy("203.0.113.10")
        self.assertDropped(2, 4)  # the newest of two networks that have as many
        self.go_on.set()
        self.assertReady()
        self.assertDropped(2, 4)

    def test_networks_with_one_each_make_no_room(self):
        self.occupy("192.0.2.1", "198.51.100.7")
        with self.assertRaises(QueueFull):
            self.run_for("203.0.113.9")
        self.assertDropped()

    def test_what_runs_already_goes_on(self):
        self.pool = WorkPool("test", threads=4, queue_size=0)
        self.occupy("192.0.2.1", "192.0.2.1", "192.0.2.1", "198.51.100.7")
        with self.assertRaises(QueueFull):
            self.run_for("203.0.113.9")
        self.assertDropped()

    def test_further_call_of_a_request_is_neither_refused_nor_dropped(self):
        def two_calls():
            request_started.send(sender=None)
            self.assertEqual(self.pool.run(len, "abc"), 3)
            served.set()
            full.wait(10)
            self.wait_for("192.0.2.1", 0)

        served, full = threading.Event(), threading.Event()
        self.callers.append(threading.Thread(target=two_calls))
        self.callers[0].start()
        served.wait(10)
        self.occupy("198.51.100.7", "192.0.2.1")
        full.set()
        while len(self.pool.calls) < 3:
            time.sleep(0.001)
        self.occupy("203.0.113.9")  # for which the newest of two would make room
        self.assertDropped(2)
        self.go_on.set()
        self.assertReady()
        self.callers[0].join(10)
        self.assertDropped(2)

    def test_next_request_of_a_thread_is_a_new_one(self):
        request_started.send(sender=None)
        self.pool.run(len, "")
        self.occupy("192.0.2.1", "198.51.100.7")
        request_started.send(sender=None)
        with self.assertRaises(QueueFull):
            self.pool.run(len, "")

    def test_nobody_waits_with_the_database_locked(self):
        self.occupy(None)
        with (
            patch.object(work_pool.connection, "in_atomic_block", True),
            self.assertRaises(QueueFull),
        ):
            self.pool.run(len, "")
        self.go_on.set()

    def assertReady(self):
        while self.pool.calls:
            time.sleep(0.001)
        self.assertEqual(self.pool.run(len, "abc"), 3)

    def test_who_waits_holds_no_connection_of_the_databases_pool(self):
        with patch("blog_project.database.connection", pool="a pool") as connection:
            connection.in_atomic_block = True
            self.pool.run(len, "")
            connection.close.assert_not_called()  # that would undo the transaction
            connection.in_atomic_block = False
            self.pool.run(len, "")
            connection.close.assert_called_once_with()

    def test_room_is_given_back_after_errors(self):
        for _ in range(5):
            with self.assertRaises(ZeroDivisionError):
                self.pool.run(lambda: 1 / 0)

    def test_a_call_within_a_call_does_not_wait_for_itself(self):
        self.assertEqual(self.pool.run(lambda: self.pool.run(len, "abc")), 3)

    @skipUnless(sys.platform == "linux", "threads have a priority of their own on Linux alone")
    def test_threads_of_the_pool_alone_have_a_lower_priority(self):
        def niceness():
            return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

        self.assertEqual(self.pool.run(niceness), min(19, niceness() + work_pool.NICENESS))

    def test_is_as_large_as_the_settings_say(self):
        self.assertEqual(hashers.pool.threads, settings.HASHING_THREADS)
        self.assertEqual(
            hashers.pool.capacity, settings.HASHING_THREADS + settings.HASHING_QUEUE_SIZE
        )

    def test_cores_are_shared_by_the_processes(self):
        cores = settings_with(DEBUG="true")["CORES"]
        # And one thread more each, for when the others have nothing to hash.
        for workers, threads in [(1, cores + 1), (cores, 2), (3 * cores, 2)]:
            environment = settings_with(DEBUG="true", WEB_CONCURRENCY=str(workers))
            self.assertEqual(environment["HASHING_THREADS"], threads)

    @skipUnless(hasattr(os, "fork"), "a system without fork")
    def test_a_third_of_the_threads_never_waits(self):
        for threads, capacity in [(48, 32), (1, 2)]:
            environment = settings_with(DEBUG="true", THREADS=str(threads), WEB_CONCURRENCY="999")
            found = environment["HASHING_THREADS"] + environment["HASHING_QUEUE_SIZE"]
            self.assertEqual(found, capacity)

    @tag("slow")
    def test_process_that_forks_after_hashing_still_hashes(self):
        code = """if True:
            import manage, django, os, sys
            django.setup()
            from django.contrib.auth.hashers import make_password
            make_password("testing")
            child = os.fork()
            make_password("testing")
            if child:
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
        subprocess.run(  # a wait for threads of the parent's would never end
            [sys.executable, "-c", code], cwd=settings.BASE_DIR, check=True, timeout=30
        )


class EveryoneHashesInThePool(CastTestCase):
    def setUp(self):
        run = WorkPool.run
        self.calls = 0

        def counted(pool, *args):
            self.calls += 1
            self.network = client_network.get()
            return run(pool, *args)

        self.enterContext(patch.object(WorkPool, "run", counted))

    def assertHashes(self, action):
        before = self.calls
        action()
        self.assertGreater(self.calls, before)

    def test_from_where_is_known(self):
        for ip, asker in [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2::3", "2001:db8:1::"),
            ("", None),
        ]:
            data = {"username": "alice@example.com", "password": "wrong"}
            self.client.post("/login/", data, REMOTE_ADDR=ip)
            self.assertEqual(self.network, asker)

    def test_from_functions_models_and_forms_of_django_to_our_own(self):
        encoded = make_password("testing")
        plain = "bcrypt$" + bcrypt.hashpw(b"testing", bcrypt.gensalt(4)).decode()
        self.client.force_login(self.carol)
        for action in [
            lambda: make_password("testing"),
            lambda: make_password("testing", hasher="bcrypt"),
            lambda: check_password("testing", encoded),
            lambda: check_password("testing", plain),
            lambda: User.objects.create_user("Dave", "dave@example.com", PASSWORD),
            lambda: self.client.post("/account/confirm/", {"password": "wrong"}),
        ]:
            self.assertHashes(action)
        self.client.post("/logout/")
        self.assertHashes(self.log_in)


class BusySite(CastTestCase):
    def setUp(self):
        pool = WorkPool("test", threads=1, queue_size=0)
        pool.capacity = pool.threads = 0
        self.enterContext(patch.object(hashers, "pool", pool))

    def test_login_is_a_503_that_counts_for_nothing(self):
        for _ in range(20):
            response = self.log_in(password="wrong")
            self.assertContains(response, "<h1>Very busy</h1>", status_code=503, html=True)
            self.assertEqual(response["Retry-After"], "10")
        self.assertFalse(SecurityEvent.objects.exists())

    def test_login_that_made_room_is_a_503_that_counts_for_nothing(self):
        dropped = Future()
        dropped.cancel()
        hashers.pool.threads = 1
        with patch.object(hashers.pool.executor, "submit", return_value=dropped):
            response = self.log_in()
        self.assertContains(response, "<h1>Very busy</h1>", status_code=503, html=True)
        self.assertFalse(SecurityEvent.objects.exists())
        self.assertLoggedOut()

    def test_register_is_a_503_and_nobody_is_stored(self):
        data = {"username": "Dave", "email": "dave@example.com"}
        response = self.client.post(
            "/register/", {**data, "password1": PASSWORD, "password2": PASSWORD}
        )
        self.assertContains(response, "Very busy", status_code=503)
        self.assertEqual(User.objects.count(), 3)

    def test_pages_that_hash_nothing_are_served(self):
        for url in ["/", "/login/", "/register/"]:
            self.assertEqual(self.client.get(url).status_code, 200)

    def test_staff_add_members_nevertheless(self):
        self.client.force_login(self.carol)
        data = {"username": "Dave", "email": "dave@example.com"}
        response = self.client.post("/admin/users/user/add/", data)
        self.assertRedirects(response, f"/admin/users/user/{User.objects.latest('pk').pk}/change/")


class SiteThatBecomesBusy(CastTestCase):
    """Behind the first call of each request to the pool, the queue fills up."""

    def setUp(self):
        pool = WorkPool("test", threads=1, queue_size=0)
        submit = pool.executor.submit

        def submit_and_fill(*args):
            pool.capacity = pool.threads = 0
            return submit(*args)

        self.enterContext(patch.object(hashers, "pool", pool))
        self.enterContext(patch.object(pool.executor, "submit", submit_and_fill))
        self.pool = pool

    def test_right_password_whose_hash_is_upgraded_logs_in(self):
        self.alice.password = (
            "bcrypt$" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        )
        self.alice.save()
        self.assertRedirects(self.log_in(), "/")
        self.alice.refresh_from_db()
        self.assertTrue(self.alice.password.startswith("bcrypt_sha256$"))
        self.client.post("/logout/")
        self.assertEqual(self.log_in().status_code, 503)

    def test_changed_password_is_hashed(self):
        self.client.force_login(self.alice)
        new = {"new_password1": PASSWORD + "!", "new_password2": PASSWORD + "!"}
        response = self.client.post("/account/password/", {"old_password": PASSWORD, **new})
        self.assertRedirects(response, "/account/security/")
        self.pool.threads = 1
        self.client.post("/logout/")
        self.assertRedirects(self.log_in(password=PASSWORD + "!"), "/")
