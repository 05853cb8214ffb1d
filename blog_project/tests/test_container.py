"""
The image of Dockerfile, built and run by podman, with the settings that compose.yaml gives it.

Its base is made with debootstrap, and named as Dockerfile names it: no registry has to be reached.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from unittest import SkipTest

from django.test import SimpleTestCase, tag

from testing.cast import PASSWORD
from testing.servers import ROOT
from testing.services import wait_until

SUITE, BASE = "trixie", "docker.io/library/debian:13-slim"
PROGRAMS = ["podman", "debootstrap", "runc"]
# In the image, which has none of testing/: a Client is sent to it, and what it has to do.
CLIENT = (ROOT / "testing" / "client.py").read_text()
SITE = {
    "SECRET_KEY": "a key that only a site in a container of the tests has",
    "ALLOWED_HOSTS": "127.0.0.1",
    "DEFAULT_FROM_EMAIL": "noreply@blog.example",
    "TRUSTED_PROXY_COUNT": "1",
    "SECURE_PROXY_SSL": "true",
}
# Without a network: everything is asked from inside. The limits are less than podman's, which not
# every machine may set.
LIMITS = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--network=none"]
# The `x-site` of compose.yaml, in podman's words.
HARDENED = [
    *["--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges"],
    *["--volume=media:/var/lib/blog", *(f"--env={name}={value}" for name, value in SITE.items())],
]


def setUpModule():
    global folder
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    if absent or os.geteuid() != 0:
        why = f"not installed: {', '.join(absent)}" if absent else "debootstrap needs root"
        raise SkipTest(f"The container was NOT tested: {why}")
    folder = Path(tempfile.mkdtemp())
    try:
        try:
            make_base()
            podman("run", "--rm", *LIMITS, BASE, "true")
        except (subprocess.CalledProcessError, RuntimeError) as error:  # no mirror, no privileges
            raise SkipTest(f"The container was NOT tested: {error}") from None
        build()
    except BaseException:
        tearDownModule()
        raise


def tearDownModule():
    podman("rm", "--all", "--force", check=False)
    podman("rmi", "--all", "--force", check=False)
    shutil.rmtree(folder)


def podman(*arguments, check=True, **options):
    """Run podman on a storage of the tests' own; return what came of it."""
    place = [f"--root={folder / 'images'}", f"--runroot={folder / 'run'}"]
    command = ["podman", *place, "--runtime=runc", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)
    if check and run.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {run.stdout[-3000:]}{run.stderr[-3000:]}")
    return run


def make_base():
    command = ["debootstrap", "--variant=minbase", SUITE, folder / "base"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    tar = ["tar", "-C", folder / "base", "-cf", folder / "base.tar", "."]
    subprocess.run(tar, check=True)
    podman("import", str(folder / "base.tar"), BASE)


def build():
    # How this machine reaches PyPI: mounted for the build, and not in the image.
    (folder / "pip.conf").write_text("[global]\ncert = /run/host.crt\n")
    mounts = {
        "/etc/ssl/certs/ca-certificates.crt": "/run/host.crt",
        folder / "pip.conf": "/etc/pip.conf",
    }
    volumes = [f"--volume={here}:{there}:ro" for here, there in mounts.items()]
    # Only in Docker's format there is a health check.
    podman("build", "--format=docker", "--network=host", *volumes, "--tag=blog", ".")


def run(*arguments, check=True):
    """Run the image: its options, then, after "blog", a command."""
    # Health is asked below, since podman would have systemd ask.
    return podman("run", *LIMITS, "--no-healthcheck", *HARDENED, *arguments, check=check)


@tag("slow")
class Container(SimpleTestCase):
    def setUp(self):
        self.addCleanup(podman, "volume", "rm", "--force", "media")
        run("--rm", "blog", "python", "manage.py", "migrate", "--verbosity=0")
        self.start()

    def start(self):
        run("--detach", "--name=site", "blog")
        self.addCleanup(podman, "rm", "--force", "--ignore", "site")
        wait_until(self.is_healthy)

    def is_healthy(self):
        """Return whether the health check that the image names says so."""
        (image,) = json.loads(podman("image", "inspect", "blog").stdout)
        kind, *command = image["Healthcheck"]["Test"]
        self.assertEqual(kind, "CMD")
        return self.inside(*command).returncode == 0

    def inside(self, *command, **options):
        return podman("exec", "--interactive", "site", *command, check=False, **options)

    def ask(self, code):
        """Run `code` in the container, with a `Client` named `browser`; return what it prints."""
        # As Caddy and a browser say it.
        https = ["X-Forwarded-Proto: https", "Referer: https://127.0.0.1/"]
        client = CLIENT.replace('*([f"Cookie', f'*{https},\n            *([f"Cookie')
        script = f"{client}\nbrowser = Client(8000)\n{code}"
        answer = self.inside("python", "-", input=script)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return answer.stdout.split()

    def test_serves_pages_and_static_files(self):
        code = """
for path in ["/", "/register/", "/readyz", "/no/such/page/"]:
    print(browser.get(path).status)
style = re.search(rb'href="(/static/[^"]+css)"', browser.get("/").body)[1].decode()
answer = browser.get(style)
print(answer.status, b"immutable" in answer.head)
"""
        self.assertEqual(self.ask(code), ["200", "200", "200", "404", "200", "True"])

    def test_members_outlive_the_container(self):
        fields = {"username": "Alice", "email": "alice@example.com"}
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        sign_up = f"""
browser.read_form("/register/")
print(browser.post("/register/", **{fields | passwords}).status)
"""
        log_in = f"""
browser.read_form("/login/")
print(browser.post("/login/", username="alice@example.com", password="{PASSWORD}").status)
"""
        self.assertEqual(self.ask(sign_up), ["302"])
        podman("stop", "--time=40", "site")
        exit_code = podman("inspect", "--format={{.State.ExitCode}}", "site").stdout
        self.assertEqual(exit_code.strip(), "0")  # SIGTERM was enough
        podman("rm", "site")
        self.start()
        self.assertEqual(self.ask(log_in), ["302"])

    def test_is_not_root_and_writes_data_alone(self):
        self.assertEqual(self.inside("id", "-u").stdout.strip(), "10001")
        for path, writable in [
            ("/srv/blog/gunicorn.conf.py", False),
            ("/srv/blog/staticfiles/new", False),
            ("/new", False),
            ("/tmp/new", True),
            ("/var/lib/blog/new", True),
        ]:
            with self.subTest(path):
                touched = self.inside("touch", path).returncode == 0
                self.assertIs(touched, writable)
        status = self.inside("cat", "/proc/1/status").stdout
        self.assertRegex(status, r"CapBnd:\s+0{16}\n")
        self.assertRegex(status, r"NoNewPrivs:\s+1\n")

    def test_code_belongs_to_root_even_where_the_file_system_can_be_written(self):
        command = ["find", "/srv/blog", "!", "-user", "root", "-o", "-perm", "/o+w", "!", "-type"]
        self.assertEqual(self.inside(*command, "l").stdout, "")

    def test_has_no_tests_no_tools_and_nobodys_data(self):
        names = self.inside("find", "/srv/blog", "-not", "-path", "*/.venv/*").stdout.split()
        self.assertIn("/srv/blog/manage.py", names)
        wrong = re.compile(r"/(tests|\.env|\.git|bench|testing|media)(/|$)|sqlite3")
        self.assertEqual([name for name in names if wrong.search(name)], [])
        self.assertNotEqual(self.inside("python", "-m", "pip").returncode, 0)
        self.assertNotEqual(self.inside("python", "-m", "pytest").returncode, 0)
        self.assertNotIn("host.crt", podman("history", "--no-trunc", "blog").stdout)

    def test_checks_of_a_new_host_are_silent(self):
        check = ["python", "manage.py", "check", "--deploy", "--database=default"]
        said = self.inside(*check, "--fail-level=WARNING")
        self.assertEqual(said.returncode, 0, said.stderr)

    def test_health_check_fails_where_nobody_answers(self):
        self.assertTrue(self.is_healthy())
        podman("rm", "--force", "site")
        run("--detach", "--name=site", "blog", "sleep", "600")
        self.assertFalse(self.is_healthy())

    def test_does_not_start_without_a_key_and_says_so(self):
        refused = run("--rm", "--env=SECRET_KEY=", "blog", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("Not started: SECRET_KEY is not set.", refused.stderr)
