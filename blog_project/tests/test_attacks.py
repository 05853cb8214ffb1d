"""No attack of attacks/ gets through on the site: each is tried, with the limits that it has."""

import tempfile

from django.test import SimpleTestCase, tag

from attacks import HOLDS, IN_PART, NOT_RUN, all_attacks, target

# What gets through in part, and is bounded: docs/security.md says why.
IN_PART_ONLY = ["lock_out", "who_by_text"]


@tag("slow")
class Attacks(SimpleTestCase):
    def test_none_gets_through(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        site = self.enterContext(target.ours(folder))
        for attack in all_attacks():
            with self.subTest(attack.name):
                verdict, what, _ = attack.run(site)
                if verdict != NOT_RUN:  # no nginx
                    expected = IN_PART if attack.name in IN_PART_ONLY else HOLDS
                    self.assertEqual(verdict, expected, what)

    def test_each_says_what_it_is(self):
        for attack in all_attacks():
            with self.subTest(attack.name):
                title, _, explanation = attack.module.__doc__.strip().partition("\n\n")
                self.assertNotIn("\n", title)
                self.assertRegex(explanation, r"(?s).{150,}\n\nCWE-\d+: .+\.$")
