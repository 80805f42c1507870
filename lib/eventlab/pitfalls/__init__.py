"""How a team that keeps its facts in Kafka loses, duplicates or reorders them: one module each, in four groups.

``producers`` (P1 to P12), ``consumers`` (P13 to P24), ``log`` (P25 to P30) and ``systems`` (P31 to P36). A pitfall is a
module with a function ``run(kafka, *, <the one argument that differs>, seed) -> Result`` (the broken value is the
argument's default), and a constant ``PITFALL`` that says the rest (:class:`eventlab.pitfalls.experiment.Pitfall`).
``run`` makes a topic, lets clients or brokers do what goes wrong, and hands over what
:func:`eventlab.pitfalls.topics.read` or a consumer of its own read; a checker (:mod:`eventlab.pitfalls.checkers`)
counts. ``gallery`` finds the modules; ``tests/pitfalls/test_gallery.py`` runs them. Beside the groups stands what the
experiments share.
"""
