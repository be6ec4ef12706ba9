"""What the e2e tests stand on. README.md in the folder above describes it; a test file needs no more than

    from harness import AgentCase, main
"""

from .agent import Agent, backend, binary
from .case import WATCHED, AgentCase
from .cgroup import MemoryCgroup, PidsCgroup
from .client import Client, Prober, dns_query, run_client
from .daemons import DAEMON_PACKAGES, Nscd, Resolved
from .disk import SmallDisk
from .flood import Flood
from .packages import fetch
from .programs import ids_held_by, maps_of, orphaned_programs, programs_present
from .receivers import RSYSLOG_PACKAGES, Certificates, Collector, Journal, Kafka, KafkaFront, Rsyslog
from .resolver import Query, Resolver
from .sandbox import RULES, main, wait_until, work_folder

__all__ = ["DAEMON_PACKAGES", "RSYSLOG_PACKAGES", "RULES", "WATCHED", "Agent", "AgentCase", "Certificates", "Client",
           "Collector", "Flood", "Journal", "Kafka", "KafkaFront", "MemoryCgroup", "Nscd", "PidsCgroup", "Prober", "Query", "Resolved", "Resolver", "Rsyslog",
           "SmallDisk", "backend", "binary", "dns_query", "fetch", "ids_held_by", "main", "maps_of",
           "orphaned_programs", "programs_present", "run_client", "wait_until", "work_folder"]
