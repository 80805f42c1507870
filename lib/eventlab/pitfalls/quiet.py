"""A logger for clients whose errors are what an experiment is about: librdkafka logs the fatal ones at every level."""

import logging

QUIET = logging.getLogger(__name__)
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False
