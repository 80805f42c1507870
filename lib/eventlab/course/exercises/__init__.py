'''The exercises of every notebook: ``n14.py`` belongs to ``notebooks/14_….ipynb``. How to write one:

**1. The module** ``lib/eventlab/course/exercises/n14.py`` defines ``PLAN``::

    """Exercises of lesson 14: order within a partition and across partitions."""

    from eventlab.course.exercise import Exercise
    from eventlab.course.plan import Plan
    from eventlab.course.quiz import Option, Question


    def _check_cart(answer: str, broken: Result) -> str | None:
        """None when right, else a diagnosis that says what to look at and does not give the answer away."""
        if answer not in broken.carts:
            return f"There is no cart `{answer}` in this run: look at the names in the lanes."
        if answer not in broken.out_of_order:
            return f"`{answer}` is in order: look at carts whose types landed on different partitions."
        return None


    PLAN = Plan(
        title="Order: partitions and keys",
        exercises=(
            Exercise(
                id="a",
                kind="investigate",  # or "modify", "make"
                check=_check_cart,
                why="Its two events lie on different partitions, and nothing orders those.",  # shown when right
                hints=("First, vague.", "Second, nearer; never a line of the solution."),
                solution="answer = broken.out_of_order[0]",
            ),
            ...,  # three or more
        ),
        recall=(  # exactly three, at least one whose `lesson` is an earlier one
            Question(
                "What does a partition promise?",
                (
                    Option("Its records are read as they were written.", "Yes, and nothing more.", right=True),
                    Option("The topic is read in order.", "Only if the topic has a single partition."),
                    Option("Nothing is read twice.", "A consumer that restarts may well read again."),
                ),
                lesson="14",
            ),
            ...,
        ),
    )

The check's first parameter is the answer; further parameters are values of the notebook by their name there. Check the
type of the answer first: a diagnosis for the wrong type is part of the check. An answer that raises is caught for you
and reported as incorrect; ``...``, None, and a function that returns ``...`` are "not attempted" without your doing.
``solution`` always defines ``answer`` (a value, or ``def answer(records): …``) and may use whatever the notebook has at
that point, imports included.

**2. The notebook.** ``tests/course/test_notebooks.py`` holds it to this skeleton of Markdown cells, in this order, with
the code between them::

    # 14 · Order: partitions and keys
    **25 minutes · 1 broker · after 12**            (or: no broker; 3 brokers; first lesson)
    The scene, two to four sentences.
    ## Goals                                        (three bullets, a line each)
    ## …                                            (the lesson: your own headings)
    ## Now you                                      (exercises)
    ### a. Investigate: which cart broke?           (### b. Modify: …, ### c. Make: …; the question in this cell)
    ## Where this hides in your system
    ## Summary                                      (three sentences)
    ## Recall
    ## Where next

The first code cell has ``from eventlab.course import Lesson`` and ``lesson = Lesson("14")``. A prediction is a cell of
its own, ``lesson.predict("unkeyed", "How many of the 40 carts …?", 0, 40)``; the cell that ends in
``lesson.compare("unkeyed", broken.count)`` shows the result beside the guess. An answer cell is whole in itself::

    answer = ...
    lesson.exercise("a", broken=broken).check(answer)

    def answer(records):
        return ...
    lesson.exercise("c").check(answer)

No later cell uses ``answer``. The recall cell is ``lesson.recall()``.

**3. The samples** ``tests/course/samples/n14.py`` for the test that walks over every exercise::

    def context(request) -> dict[str, object]:
        """The notebook's names that solutions and checks use (imports too); fixtures by request.getfixturevalue."""
        kafka = request.getfixturevalue("kafka")
        return {"broken": across_partitions.run(kafka, key=None, seed=7)}

    def wrong(values) -> dict[str, list[object]]:
        """Plausible wrong answers of every exercise, given the values that ``context`` made."""
        return {"a": ["cart-3", values["broken"].count], "b": [...], "c": [lambda records: 0]}

The right answer is the solution; blank and raising answers are made by the test.
'''
