"""A logger for clients whose errors are raised, or are what a lesson is about: librdkafka logs fatal ones always."""

import logging

QUIET = logging.getLogger(__name__)
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False
