from django.test import RequestFactory, SimpleTestCase, override_settings

from blog_project.clients import client, client_ip, network


class ClientIp(SimpleTestCase):
    def ip(self, proxies=0, forwarded=None, remote="198.51.100.7"):
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)
        with override_settings(TRUSTED_PROXY_COUNT=proxies):
            return client_ip(request)

    def test_forged_header_changes_nothing(self):
        for forwarded in ["203.0.113.9", "203.0.113.9, 192.0.2.1", "", "x", "::1", "\x00"]:
            with self.subTest(forwarded):
                self.assertEqual(self.ip(0, forwarded), "198.51.100.7")

    def test_entry_counted_from_the_right_is_the_visitor(self):
        forged = "203.0.113.66, 203.0.113.77, 203.0.113.9"
        self.assertEqual(self.ip(1, forged), "203.0.113.9")
        self.assertEqual(self.ip(2, forged), "203.0.113.77")
        self.assertEqual(self.ip(1, "203.0.113.9"), "203.0.113.9")
        self.assertEqual(self.ip(1, " 2001:db8::1 "), "2001:db8::1")

    def test_who_goes_around_the_proxies_is_whom_the_server_heard(self):
        for proxies, forwarded in [
            (1, None),
            (2, "203.0.113.9"),
            (1, ""),
            (1, "unknown"),
            (1, "x,"),
        ]:
            with self.subTest(forwarded):
                self.assertEqual(self.ip(proxies, forwarded), "198.51.100.7")

    def test_one_address_has_one_spelling(self):
        for remote, ip in [
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("", None),
            ("unix:", None),
        ]:
            with self.subTest(remote):
                self.assertEqual(self.ip(remote=remote), ip)


class Network(SimpleTestCase):
    def test_ipv6_counts_by_64_bits_and_ipv4_by_the_address(self):
        self.assertEqual(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::")
        self.assertEqual(network("2001:db8:1:2::9"), "2001:db8:1:2::")
        self.assertNotEqual(network("2001:db8:1:3::9"), "2001:db8:1:2::")
        self.assertEqual(network("192.0.2.1"), "192.0.2.1")
        self.assertIsNone(network(None))


class UserAgent(SimpleTestCase):
    def test_is_cut_and_has_no_control_characters(self):
        request = RequestFactory().get(
            "/", headers={"User-Agent": "a\x00b\r\nc\x1b[31m\x7f\x85" + "x" * 999}
        )
        text = client(request)["user_agent"]
        self.assertTrue(text.startswith("a b  c [31m  x"))
        self.assertEqual(len(text), 255)
