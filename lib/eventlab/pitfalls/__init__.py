"""How a team that keeps its facts in Kafka loses, duplicates or reorders them: one module each.

A pitfall is a module with a function ``run(kafka, *, <the one argument that differs>, seed) -> Result`` (the broken
value is the argument's default), and a constant ``PITFALL`` that says the rest
(:class:`eventlab.pitfalls.experiment.Pitfall`). ``run`` makes a topic, lets producers do what goes wrong, and hands
over what :func:`eventlab.pitfalls.topics.read` read; a checker (:mod:`eventlab.pitfalls.checkers`) counts.
``tests/pitfalls/test_gallery.py`` finds the module and runs it: ten times the anomaly, ten times none.
"""
