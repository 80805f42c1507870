"""One cart, many services: programs that live by one topic, each with a view of its own.

What runs in a process of its own is :mod:`eventlab.services.program` with one of :data:`eventlab.services.teams.TEAMS`;
:class:`eventlab.services.shop.Shop` starts and stops them, sells, and compares their views with the topic.
"""
