#!/usr/bin/env -S python3 -B
"""A resolv.conf as the pods of Kubernetes have it: the resolver asks for a name with each suffix of its search list before
it asks for the name itself (`ndots:5`). All of these queries are lookups of that name.
"""

import subprocess

from harness import AgentCase, main, run_client, wait_until, work_folder
from harness.sandbox import end_with_parent, resolver_address

BOTH = ("A", "AAAA")
POD = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")

LOOKUP = "import socket, sys; socket.getaddrinfo('sfrclak.com', 80); sys.stdin.read()"

RULE_ABOUT_A_PART = """
title: A text that is in the name with and without a suffix
logsource:
    category: dns
detection:
    selection:
        query|contains: frcla
    condition: selection
"""

RULE_WITH_AN_EXCEPTION = """
title: A rule that leaves out the names of the cluster
logsource:
    category: dns
detection:
    selection:
        query: sfrclak.com
    services:
        query|endswith: .cluster.local
    condition: selection and not services
"""


def resolv_conf(suffixes=()):
    lines = [f"nameserver {resolver_address()}", "options timeout:5 attempts:2 ndots:5"]
    if suffixes:
        lines.append(f"search {' '.join(suffixes)}")
    return "\n".join(lines) + "\n"


def set_search_list(suffixes):
    # The file that is mounted over /etc/resolv.conf.
    (work_folder() / "resolv.conf").write_text(resolv_conf(suffixes))


def shown(events):
    return [(event["dns"]["query"], event["dns"].get("expanded_from"), event["dns"].get("search_suffix"))
            for event in events]


class SearchSuffixes(AgentCase):
    def setUp(self):
        super().setUp()
        set_search_list(POD)
        self.addCleanup(set_search_list, ())

    def lookup(self, name, **options):
        """The queries that a lookup of the name came to, as the name server saw them."""
        before = len(self.resolver.queries())
        run_client(["getent", "ahosts", name], **options)
        return self.resolver.queries()[before:]

    def rule(self, text):
        path = work_folder() / "rule.yml"
        path.write_text(text)
        return path

    def assert_a_lookup(self, queries, events, suffixes=POD):
        asked = [f"sfrclak.com.{suffix}" for suffix in suffixes] + ["sfrclak.com"]
        self.assertEqual([query.name for query in queries], [name for name in asked for _ in BOTH])
        self.assert_one_event_each(queries, events)
        self.assert_one_alert(events)
        expected = [(f"sfrclak.com.{suffix}", "sfrclak.com", suffix) for suffix in suffixes]
        self.assertEqual(shown(events), [one for one in [*expected, ("sfrclak.com", None, None)] for _ in BOTH])

    def test_all_queries_of_a_lookup_are_events_and_one_is_an_alert(self):
        agent = self.agent()
        queries = self.lookup("sfrclak.com")
        self.assert_a_lookup(queries, self.of_resolver(agent.finish()))
        self.assertIn("search suffixes", agent.stderr())

    def test_the_namespace_may_be_any(self):
        set_search_list(("blue.svc.cluster.local", *POD[1:]))
        agent = self.agent("--search-suffix", "*.svc.cluster.local", "--search-suffix", "svc.cluster.local",
                           "--search-suffix", "cluster.local")
        queries = self.lookup("sfrclak.com")
        self.assert_a_lookup(queries, self.of_resolver(agent.finish()), ("blue.svc.cluster.local", *POD[1:]))

    def test_names_below_a_suffix_that_are_not_listed_are_no_event(self):
        agent = self.agent()
        for name in ("www.sfrclak.com", "notsfrclak.com", "kubernetes", "db.blue", "com"):
            self.assertEqual(len(self.lookup(name)), 8, name)
        self.assertEqual(self.of_resolver(agent.finish()), [])

    def test_a_suffix_that_nobody_configured_is_part_of_the_name(self):
        agent = self.agent()
        run_client(["dig", "sfrclak.com.example.test"])
        self.assertEqual(self.of_resolver(agent.finish()), [])

    def test_none_leaves_names_as_they_are(self):
        agent = self.agent("--search-suffix", "none")
        self.lookup("sfrclak.com")
        self.assertEqual(shown(self.of_resolver(agent.finish())), [("sfrclak.com", None, None)] * 2)

    def test_a_rule_that_matches_the_whole_name_too(self):
        agent = self.agent(rules=self.rule(RULE_ABOUT_A_PART))
        queries = self.lookup("sfrclak.com")
        self.assert_a_lookup(queries, self.of_resolver(agent.finish()))

    def test_an_exception_for_the_whole_name_holds(self):
        agent = self.agent(rules=self.rule(RULE_WITH_AN_EXCEPTION))
        self.lookup("sfrclak.com")
        self.assertEqual(shown(self.of_resolver(agent.finish())), [("sfrclak.com", None, None)] * 2)

    def test_a_list(self):
        names = work_folder() / "names.txt"
        names.write_text("sfrclak.com\n")
        agent = self.agent("--list", f"suffix:{names}", rules=None)
        queries = self.lookup("sfrclak.com")
        self.assert_a_lookup(queries, self.of_resolver(agent.finish()))

    def test_the_search_list_of_a_container_is_read_from_its_own_root(self):
        set_search_list(())
        other = work_folder() / "other-resolv.conf"
        other.write_text(resolv_conf(("lan.test",)))
        agent = self.agent("--search-suffix", "none", rules=self.rule(RULE_ABOUT_A_PART))
        before = len(self.resolver.queries())
        client = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", f'mount --bind {other} /etc/resolv.conf && exec python3 -c "$0"', LOOKUP],
            stdin=subprocess.PIPE, preexec_fn=end_with_parent)
        self.addCleanup(client.communicate)
        wait_until(lambda: len(self.of_resolver(agent.events())) == 4, "the events")  # the process has to live till then
        queries = self.resolver.queries()[before:]
        self.assertEqual([query.name for query in queries], ["sfrclak.com.lan.test"] * 2 + ["sfrclak.com"] * 2)
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(queries, events)
        self.assert_one_alert(events)
        self.assertEqual(shown(events), [("sfrclak.com.lan.test", "sfrclak.com", "lan.test")] * 2 +
                         [("sfrclak.com", None, None)] * 2)


if __name__ == "__main__":
    main()
