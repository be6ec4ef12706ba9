"""The base of the test cases: starts what a test asks for, ends it afterwards, and compares the two witnesses."""

import collections
import os
import unittest

from .agent import Agent
from .programs import orphaned_programs
from .resolver import Query, Resolver
from .sandbox import wait_until

WATCHED = ("sfrclak.com", "calltan.com", "callnrwise.com")  # the names of rules/


class AgentCase(unittest.TestCase):
    """One name server for the class; agents for each test."""

    maxDiff = None
    resolver = None
    ttl = 0  # of its answers, seconds

    @classmethod
    def setUpClass(cls):
        cls.resolver = Resolver(WATCHED, ttl=cls.ttl)
        cls.addClassCleanup(cls.resolver.stop)

    def setUp(self):
        self._queries_before = len(self.resolver.queries())

    def agent(self, *arguments, **options):
        """A running agent; see Agent."""
        agent = Agent(*arguments, **options)
        self.addCleanup(agent.kill)
        return agent

    def queries(self, names=WATCHED):
        """Those with one of the names that came to the name server during this test."""
        return [query for query in self.resolver.queries()[self._queries_before:] if query.name in names]

    def of_resolver(self, events, resolver=None, port=53):
        """The events about queries to the test's name server: others use this machine too."""
        server = {"ip": (resolver or self.resolver).address, "port": port}
        return [event for event in events if event.get("dns", {}).get("server") == server]

    def of_this_test(self, events):
        """Those about processes that this test started, and this one itself: others use this machine too."""
        own = os.getpid()
        return [event for event in events if "process" in event and own in
                [event["process"]["pid"], *(ancestor["pid"] for ancestor in event["process"].get("ancestors", []))]]

    def assert_one_event_each(self, queries, events):
        """Every query has exactly one event, and there is no event without a query."""
        reported = [Query(event["dns"]["query"], event["dns"]["record_type"], event["dns"]["source"]["port"])
                    for event in events]
        self.assertEqual(collections.Counter(reported), collections.Counter(queries))

    def assert_one_alert(self, events):
        """The events are one lookup: the first alerts, the others name it."""
        self.assertEqual([event.get("alert", False) for event in events], [True] + [False] * (len(events) - 1))
        self.assertEqual([event.get("duplicate_of", "") for event in events],
                         [""] + [events[0]["event_id"]] * (len(events) - 1))

    def assert_nothing_left_behind(self):
        wait_until(lambda: not orphaned_programs(), lambda: f"programs nobody holds: {orphaned_programs()}", seconds=10)
