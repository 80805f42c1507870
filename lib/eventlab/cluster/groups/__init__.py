"""Consumer groups of either protocol and share groups: who is in them, how far they are, and whether they keep up."""

from eventlab.cluster.groups.asking import Groups
from eventlab.cluster.groups.keeping_up import Paces, keeping_up
from eventlab.cluster.groups.model import Group, Member, Progress

__all__ = ["Group", "Groups", "Member", "Paces", "Progress", "keeping_up"]
